//! The JSON Schema of the configuration, against the copy that editors use and the files that people copy from.

use std::path::{Path, PathBuf};

use callgate::{Configuration, Environment};
use expect_test::expect_file;
use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_kept_schema_is_that_of_the_types() {
    let schema = serde_json::to_string_pretty(&callgate::schema()).unwrap() + "\n";
    expect_file![repository().join("docs/config.schema.json")].assert_eq(&schema);
}

#[test]
fn every_example_is_without_mistakes() {
    let nothing: [(&str, &str); 0] = [];
    for example in examples() {
        let read = Configuration::read_in(&example, &Environment::of(nothing));
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}

#[test]
fn every_file_of_an_example_fits_the_schema() {
    let validator = jsonschema::draft202012::options().offline().build(&callgate::schema()).unwrap();
    let files =
        examples().into_iter().flat_map(|example| entries(&example)).filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    let mut count = 0;
    for file in files {
        let value: Value = serde_saphyr::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mistakes: Vec<_> = validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(mistakes.is_empty(), "{}:\n{}", file.display(), mistakes.join("\n"));
        count += 1;
    }
    assert!(count > 0, "there are no examples");
}

/// The folders of `examples` that are configurations.
fn examples() -> Vec<PathBuf> {
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml");
    entries(&repository().join("examples")).into_iter().filter(|path| path.is_dir() && entries(path).iter().any(is_yaml)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_kept_manual_is_the_one_of_the_types() {
    expect_file![repository().join("docs/configuration.md")].assert_eq(&callgate::manual(&callgate::schema()));
}
