//! Tests of how settings are read from a file.

use super::*;

fn read_text(text: &str) -> Result<Vec<(&'static str, String)>, LoadError> {
    let assignments = parse(text, Path::new("callboard.toml"))?;
    Ok(assignments.into_iter().map(|a| (a.definition.name, a.text)).collect())
}

fn refusal(text: &str) -> String {
    read_text(text).unwrap_err().to_string()
}

#[test]
fn dotted_quoted_and_nested_keys_mean_the_same() {
    for text in
        ["num.partitions = 8", "\"num.partitions\" = 8", "[num]\npartitions = 8", "num={partitions=8}"]
    {
        assert_eq!(read_text(text).unwrap(), [("num.partitions", "8".to_owned())], "{text}");
    }
}

#[test]
fn a_key_may_begin_another_one() {
    let both = [("max.connections", "5".to_owned()), ("max.connections.per.ip", "3".to_owned())];
    for text in [
        "max.connections = 5\nmax.connections.per.ip = 3 # note",
        "max.connections.per.ip = 3\nmax.connections=5",
        "[max]\nconnections = 5\nconnections.per.ip = 3",
    ] {
        assert_eq!(read_text(text).unwrap(), both, "{text}");
    }
}

#[test]
fn each_kind_takes_its_own_type_or_text() {
    let text = "auto.create.topics.enable = false\n\
                log.cleaner.min.cleanable.ratio = 1\n\
                log.cleanup.policy = [\"compact\", \"delete\"]\n\
                data.dir = \"/data\"\n\
                num.partitions = \"8\"";
    let expected = [
        ("auto.create.topics.enable", "false"),
        ("data.dir", "/data"),
        ("log.cleaner.min.cleanable.ratio", "1"),
        ("log.cleanup.policy", "compact,delete"),
        ("num.partitions", "8"),
    ];
    let mut read = read_text(text).unwrap();
    read.sort();
    assert_eq!(read, expected.map(|(key, text)| (key, text.to_owned())));
}

#[test]
fn a_wrong_type_is_refused_with_key_and_file() {
    assert_eq!(
        refusal("num.partitions = 8.0"),
        "the setting num.partitions takes a whole number, not float (file callboard.toml)"
    );
    for text in [
        "auto.create.topics.enable = 1",
        "data.dir = 5",
        "num.partitions = [8]",
        "log.cleanup.policy = [1]",
        "num.partitions = true",
        "log.level = 2020-01-01",
        "[[num.partitions]]",
    ] {
        assert!(matches!(read_text(text), Err(LoadError::WrongType { .. })), "{text}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    assert_eq!(
        refusal("[num]\npartition = 8"),
        "unknown setting num.partition (file callboard.toml); \
         the nearest known one is num.partitions"
    );
    assert!(refusal("num.partitions.max = 8").contains("num.partitions.max"));
    assert!(refusal("num = 8").contains("unknown setting num "));
}

#[test]
fn an_impossible_value_is_refused_with_the_file() {
    let said = refusal("num.partitions = 0");
    assert!(said.contains("Invalid value 0 for configuration num.partitions"), "{said}");
    assert!(said.contains("(file callboard.toml)"), "{said}");
}

#[test]
fn a_setting_stands_in_a_file_once() {
    let said = refusal("num.partitions = 8\n\"num.partitions\" = 9");
    assert_eq!(said, "the setting num.partitions is given twice (file callboard.toml)");
}

#[test]
fn what_is_not_toml_is_refused_with_the_line() {
    let said = refusal("num.partitions = 8\nnum.partitions 9");
    let expected = "the configuration file callboard.toml is not valid TOML in line 2: ";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_file_that_is_not_there_counts_only_when_it_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    assert!(read_if_there(&path).unwrap().is_empty());
    let said = read(&path).unwrap_err().to_string();
    assert!(said.contains("none.toml"), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_is_refused_although_it_was_not_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read_if_there(folder.path()), Err(LoadError::File { .. })));
}
