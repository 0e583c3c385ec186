//! Tests of how file, environment and flags come together.

use callboard_actors::config::Source;

use super::*;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("some.toml"), text).unwrap();
        Self { folder }
    }

    fn load(&self, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Values, LoadError> {
        let path = self.folder.path().join("some.toml");
        let flag = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned(), "--set");
        let flags = flags.iter().map(flag).collect();
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
        load(&CommandLine { file: Some(&path), flags }, environment)
    }
}

fn text_and_source(values: &Values, name: &str) -> (String, Source) {
    let entry = values.get(name).unwrap();
    (entry.text.clone().unwrap(), entry.source.clone())
}

#[test]
fn flags_overrule_the_environment_and_that_the_file_and_that_the_defaults() {
    let folder = Folder::with("num.partitions = 5\nnode.id = 5\nreaders = 5");
    let environment = [("CALLBOARD_NUM_PARTITIONS", "6"), ("CALLBOARD_NODE_ID", "6")];
    let values = folder.load(&environment, &[("num.partitions", "7")]).unwrap();

    let flag = Source::Flag("--set".to_owned());
    assert_eq!(text_and_source(&values, "num.partitions"), ("7".to_owned(), flag));
    let variable = Source::Environment("CALLBOARD_NODE_ID".to_owned());
    assert_eq!(text_and_source(&values, "node.id"), ("6".to_owned(), variable));
    let file = Source::File(folder.folder.path().join("some.toml"));
    assert_eq!(text_and_source(&values, "readers"), ("5".to_owned(), file));
    assert_eq!(text_and_source(&values, "workers"), ("0".to_owned(), Source::Default));
}

#[test]
fn a_wrong_value_is_refused_also_where_it_is_overruled() {
    let folder = Folder::with("num.partitions = 0");
    let refused = folder.load(&[], &[("num.partitions", "7")]).unwrap_err().to_string();
    assert!(refused.contains("some.toml"), "{refused}");
}

#[test]
fn a_named_file_must_be_there() {
    let folder = Folder::with("");
    let path = folder.folder.path().join("other.toml");
    let refused = load(&CommandLine { file: Some(&path), flags: Vec::new() }, []).unwrap_err();
    assert!(matches!(refused, LoadError::File { .. }));
}

#[test]
fn nothing_said_leaves_the_defaults() {
    let values = Folder::with("# nothing").load(&[("HOME", "/root")], &[]).unwrap();
    assert!(values.iter().all(|entry| entry.source == Source::Default));
}
