//! Lists: caps, notices, cursors.

use callgate_model::Target;
use std::time::Duration;

use super::world::{World, check, engines};

const LIST: &str = "
tools:
  list:
    backend: shop
    description: Orders.
    effect: read
    rows: 2
    input: { at_least: { type: integer, default: 0 } }
    sql: SELECT id FROM orders WHERE total >= :at_least ORDER BY id
    returns: many
  wide:
    backend: shop
    description: Long texts.
    effect: read
    bytes: 100B
    sql: SELECT id, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' AS filler FROM orders ORDER BY id
    returns: many
  huge:
    backend: shop
    description: One long text.
    effect: read
    bytes: 20B
    sql: SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' AS filler FROM orders
    returns: many
  limited:
    backend: shop
    description: A list with a limit of its own.
    effect: read
    rows: 1
    sql: SELECT id FROM orders ORDER BY total DESC LIMIT 2
    returns: many
";

#[tokio::test]
async fn a_list_goes_on_where_it_ended() {
    for engine in engines() {
        let world = World::open(&engine, LIST).await.unwrap();
        let first = world.tool("list", "{}").await.unwrap().to_value();
        assert_eq!(first["rows"].to_string(), r#"[{"id":"o1"},{"id":"o2"}]"#);
        assert_eq!(first["notice"], "first 2 rows; more follow: ask again with `after` from this reply and the same arguments");
        let after = first["after"].as_str().unwrap();
        let rest = world.tool("list", &format!(r#"{{"after":"{after}"}}"#)).await.unwrap();
        assert_eq!(rest.as_str(), r#"{"rows":[{"id":"o3"}]}"#);
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_call_only() {
    const REFUSAL: &str = "`after` is not a cursor for this list: pass the `after` of the reply before, unchanged, with the same arguments";
    for engine in engines() {
        let world = World::open(&engine, LIST).await.unwrap();
        let first = world.tool("list", r#"{"at_least":1}"#).await.unwrap().to_value();
        let after = first["after"].as_str().unwrap();
        let forged: String = after.chars().rev().collect();
        let cases = [
            ("list", "local", 1, after, true),
            ("list", "local", 2, after, false),
            ("limited", "local", 1, after, false),
            ("list", "somebody", 1, after, false),
            ("list", "local", 1, forged.as_str(), false),
            ("list", "local", 1, "", false),
        ];
        for (tool, caller, at_least, after, good) in cases {
            let arguments = format!(r#"{{"at_least":{at_least},"after":"{after}"}}"#);
            let call = world.call_by(Target::Tool(tool.into()), &arguments, caller, Duration::from_secs(10));
            match world.make(&call).await {
                Ok(_) => assert!(good, "{tool} {caller} {arguments}"),
                Err(fault) => assert_eq!((fault.to_string().as_str(), good), (REFUSAL, false), "{tool} {caller} {arguments}"),
            }
        }
    }
}

#[tokio::test]
async fn a_reply_has_a_size() {
    for engine in engines() {
        let world = World::open(&engine, LIST).await.unwrap();
        let first = world.tool("wide", "{}").await.unwrap().to_value();
        assert_eq!(first["rows"].as_array().unwrap().len(), 1, "{first}");
        let notice =
            "first 1 rows, as many as fit into 100 bytes; more follow: ask again with `after` from this reply and the same arguments";
        assert_eq!(first["notice"], notice);
        let next = world.tool("wide", &format!(r#"{{"after":{}}}"#, first["after"])).await.unwrap().to_value();
        assert_eq!(next["rows"][0]["id"], "o2");
    }
    check(LIST, &[("huge", "{}", "refused: one row alone is larger than the 20 bytes a reply may have; ask for less")]).await;
}

#[tokio::test]
async fn a_limit_of_the_statement_keeps_its_meaning() {
    for engine in engines() {
        let world = World::open(&engine, LIST).await.unwrap();
        let first = world.tool("limited", "{}").await.unwrap().to_value();
        assert_eq!(first["rows"].to_string(), r#"[{"id":"o2"}]"#);
        let last = world.tool("limited", &format!(r#"{{"after":{}}}"#, first["after"])).await.unwrap();
        assert_eq!(last.as_str(), r#"{"rows":[{"id":"o1"}]}"#);
    }
}
