//! Where settings come from, which goes before which, and what is refused.

use crate::{callboard, output};
use serde_json::{Value, json};
use std::fs;
use tempfile::tempdir;

/// The line of a setting in what `callboard config` prints.
fn line(printed: &str, key: &str) -> String {
    let is_it = |line: &&str| line.split_whitespace().next() == Some(key);
    printed.lines().find(is_it).unwrap_or_default().to_owned()
}

#[test]
fn flags_go_before_variables_before_the_file_before_defaults() {
    let folder = tempdir().unwrap();
    fs::write(
        folder.path().join("callboard.toml"),
        "num.partitions = 5\nmessage.max.bytes = 2000\nreaders = 3\n",
    )
    .unwrap();
    let mut command =
        callboard(folder.path(), &["config", "--set", "num.partitions=7", "--data", "elsewhere"]);
    command.env("CALLBOARD_NUM_PARTITIONS", "6").env("CALLBOARD_MESSAGE_MAX_BYTES", "3000");
    let (code, printed, complaint) = output(&mut command);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    for (key, value, source) in [
        ("num.partitions", "7", "--set"),
        ("message.max.bytes", "3000", "CALLBOARD_MESSAGE_MAX_BYTES"),
        ("readers", "3", "callboard.toml"),
        ("data.dir", "elsewhere", "--data"),
        ("auto.create.topics.enable", "true", "default"),
    ] {
        let line = line(&printed, key);
        assert!(line.contains(value) && line.contains(source), "{key}: {line:?}");
    }
}

#[test]
fn settings_are_told_to_programs() {
    let folder = tempdir().unwrap();
    let (code, printed, complaint) =
        output(&mut callboard(folder.path(), &["config", "--json", "--set", "num.partitions=7"]));
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    let settings: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for setting in [
        json!({"setting": "num.partitions", "value": 7, "source": "flag --set"}),
        json!({"setting": "auto.create.topics.enable", "value": true, "source": "default"}),
        json!({"setting": "broker.rack", "value": null, "source": "default"}),
    ] {
        assert!(settings.contains(&setting), "{setting} is not in {printed}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_place_before_anything_is_opened() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("own.toml");
    fs::write(&file, "num.partition = 5\n").unwrap();
    let file = file.to_str().unwrap();
    let cases: [(&[&str], &[&str]); 5] = [
        (&["--set", "num.partitons=3"], &["num.partitons", "--set", "num.partitions"]),
        (&["--set", "num.partitions=many"], &["num.partitions", "many", "--set"]),
        (&["--set", "num.partitions=0"], &["num.partitions", "0"]),
        (&["--config", file], &["num.partition", "own.toml", "num.partitions"]),
        (&["--config", "missing.toml"], &["missing.toml"]),
    ];
    for (arguments, words) in cases {
        let (code, printed, complaint) = output(&mut callboard(folder.path(), arguments));
        assert_eq!((code, printed.as_str()), (Some(1), ""), "{arguments:?}");
        assert_eq!(complaint.trim_end().lines().count(), 1, "one sentence: {complaint}");
        for word in words {
            assert!(complaint.contains(word), "{word:?} is not in {complaint:?}");
        }
    }
    assert!(!folder.path().join("callboard-data").exists());
}

#[test]
fn an_unknown_variable_is_refused() {
    let folder = tempdir().unwrap();
    let mut command = callboard(folder.path(), &["config"]);
    let (code, _, complaint) = output(command.env("CALLBOARD_NUM_PARTITION", "6"));
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("CALLBOARD_NUM_PARTITION") && complaint.contains("num.partitions"),
        "{complaint}"
    );
}

#[test]
fn help_and_version_are_there() {
    let folder = tempdir().unwrap();
    let (code, help, _) = output(&mut callboard(folder.path(), &["--help"]));
    assert_eq!(code, Some(0));
    assert!(help.contains("serve") && help.contains("config") && help.contains("--kafka"));
    let (code, version, _) = output(&mut callboard(folder.path(), &["--version"]));
    assert_eq!((code, version.trim_end()), (Some(0), concat!("callboard ", env!("CARGO_PKG_VERSION"))));
}
