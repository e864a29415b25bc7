//! The store that replicas share, as an operator writes it down and uses it.

use callgate_testkit::Folder;

use crate::{
    command::run,
    database::{Database, postgres},
    scenario::Engine,
};

#[tokio::test]
async fn a_database_that_cannot_be_meant_is_found_before_the_start() {
    for (store, words) in [
        ("{ kind: postgres }", ["gate.yaml:3:", "`postgres` needs the `url` of a database"]),
        ("{ kind: postgres, url: 'mysql://a:hidden@b/c' }", ["gate.yaml:3:", "no address of a PostgreSQL server"]),
        (
            "{ kind: postgres, url: 'postgres://a:hidden@b/c?sslmode=prefer' }",
            ["gate.yaml:3:", "only `disable`, `require` and `verify-full`"],
        ),
        ("{ kind: postgres, url: 'postgres://a:hidden@b:x/c' }", ["gate.yaml:3:", "invalid"]),
        ("{ kind: postgres, url: 'postgres://a:hidden@b/c', statement: 0s }", ["gate.yaml:3:", "`0ms` is too little"]),
        ("{ url: 'postgres://a:hidden@b/c' }", ["gate.yaml:3:", "only for `kind: postgres`"]),
    ] {
        let folder = Folder::with([("gate.yaml", &*format!("version: 1\nname: store\nstore: {store}\n"))]).unwrap();
        let (code, out, said) = run(folder.path(), &["check", "FOLDER"]).await;
        let said = format!("{out}{said}");
        assert_eq!(code, 1, "{store}: {said}");
        assert!(words.iter().all(|word| said.contains(word)) && !said.contains("hidden"), "{store}: {said}");
    }
}

#[tokio::test]
async fn keys_and_records_of_all_replicas_are_in_one_database() {
    let Some(server) = postgres() else { return };
    let database = Database::fresh(Engine::Postgres, Some(&server)).await.unwrap();
    let config = format!(
        "version: 1\nname: store\nauth: {{ keys: {{ pepper: 0123456789abcdef0123456789abcdef }} }}\nstore: {{ kind: postgres, url: '{}' }}\n",
        database.url
    );
    let [one, other] = [(); 2].map(|()| Folder::with([("gate.yaml", &*config)]).unwrap());
    let (code, key, said) = run(one.path(), &["keys", "add", "alice", "--tenant", "acme", "-c", "FOLDER"]).await;
    assert!(code == 0 && key.starts_with("cg_"), "{key}{said}");
    let (code, list, said) = run(other.path(), &["keys", "list", "-c", "FOLDER"]).await;
    assert!(code == 0 && list.contains("acme/alice"), "{list}{said}");
    let (code, report, said) = run(other.path(), &["audit", "verify", "-c", "FOLDER"]).await;
    assert_eq!(code, 0, "{report}{said}");
    database.remove().await.unwrap();
    let (code, _, said) = run(one.path(), &["keys", "list", "-c", "FOLDER"]).await;
    assert!(code == 1 && said.contains("cannot open the store in PostgreSQL") && said.contains("does not exist"), "{said}");
}
