//! Migrations: once, in order, or not at all.

use super::world::{World, engines, open};

/// Adds a file to a database that is already up, and opens it again.
async fn check(name: &str, sql: &str, expected: Result<(), &str>) {
    for engine in engines() {
        let world = World::open(&engine, "").await.unwrap();
        std::fs::write(world.folder.path().join("migrations").join(name), sql).unwrap();
        let told = open(world.folder.path(), &world.url, "", "").await;
        match (told, expected) {
            (Ok(_), Ok(())) => {}
            (Err(problems), Err(part)) => assert!(problems.to_string().contains(part), "{name}: {problems}"),
            (told, _) => panic!("{name} on {engine:?}: {:?}", told.map(|_| ())),
        }
    }
}

#[tokio::test]
async fn migrations_run_once_and_stay_as_they_are() {
    check("003.sql", "CREATE TABLE a (b int); INSERT INTO a VALUES (1); -- done; really\n", Ok(())).await;
    check("003.postgres.sql", "SELECT 1", Ok(())).await;
    check("002.sql", "SELECT 1", Err("migration `002.sql` was changed after it had run")).await;
    check("003.sql", "CREATE TABLE a (b int); CREATE TABLE a (b int);", Err("migration `003.sql` failed and was undone")).await;
    check("003.sql", "CREATE TABLE a (b int); COMMIT; CREATE TABLE c (b int);", Err("migration `003.sql`")).await;
}

#[tokio::test]
async fn a_missing_file_is_noticed() {
    for engine in engines() {
        let world = World::open(&engine, "").await.unwrap();
        std::fs::remove_file(world.folder.path().join("migrations/002.sql")).unwrap();
        let Err(problems) = open(world.folder.path(), &world.url, "", "").await else { panic!("not noticed") };
        assert!(problems.to_string().contains("migration `002.sql` has run here, but its file is missing"), "{problems}");
    }
}

#[tokio::test]
async fn of_two_gates_at_once_one_migrates() {
    for engine in engines() {
        let world = World::open(&engine, "").await.unwrap();
        std::fs::write(world.folder.path().join("migrations/003.sql"), "CREATE TABLE once (a int); INSERT INTO once VALUES (1);").unwrap();
        let tools = "tools: { n: { backend: shop, description: N., effect: read, returns: count, sql: SELECT count(*) FROM once } }";
        let again = || open(world.folder.path(), &world.url, tools, "");
        let (one, other) = tokio::join!(again(), again());
        let call = world.call(callgate_model::Target::Tool("n".into()), "{}");
        for backend in [one.unwrap(), other.unwrap()] {
            let callgate_model::Reply::Tool(reply) = backend.call(&call).await.unwrap() else { panic!("no tool") };
            assert_eq!(reply.structured.unwrap().as_str(), r#"{"count":1}"#);
        }
    }
}
