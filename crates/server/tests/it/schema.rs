//! The JSON Schema of the configuration, against the copy that editors use.

use std::path::Path;

use expect_test::expect_file;

#[test]
fn the_kept_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.schema.json");
    let schema = serde_json::to_string_pretty(&callgate::schema()).unwrap() + "\n";
    expect_file![path].assert_eq(&schema);
}
