//! Prints the effective configuration, in a form that can be a configuration file again.

use std::fmt::Write as _;

use callboard_actors::config::{Entry, Kind, Value, Values};

/// One line for each setting, sorted by key: `key = value    # source`; what has no value is a
/// comment.
pub fn print(values: &Values) -> String {
    let lines: Vec<(&str, Option<String>, String)> = values.iter().map(line).collect();
    let key_width = lines.iter().map(|(key, _, _)| key.len()).max().unwrap_or(0);
    let value_width = lines.iter().flat_map(|(_, value, _)| value).map(String::len).max();
    let value_width = value_width.unwrap_or(0);
    let mut text = String::new();
    for (key, value, source) in lines {
        // Writing to a String cannot fail.
        let _ = match value {
            Some(value) => {
                writeln!(text, "{key:<key_width$} = {value:<value_width$}    # {source}")
            }
            None => writeln!(text, "# {key} is not set"),
        };
    }
    text
}

fn line(entry: &Entry) -> (&'static str, Option<String>, String) {
    let value = entry.value.as_ref().map(|value| written(entry, value));
    (entry.definition.name, value, entry.source.to_string())
}

fn written(entry: &Entry, value: &Value) -> String {
    match (entry.definition.kind, value) {
        (Kind::Password, _) => quoted("[hidden]"),
        (_, Value::Boolean(boolean)) => boolean.to_string(),
        (_, Value::Int(number)) => number.to_string(),
        (_, Value::Long(number)) => number.to_string(),
        (_, Value::Double(number)) => format!("{number:?}"),
        (_, Value::Text(text)) => quoted(text),
        (_, Value::List(list)) => quoted(&list.join(",")),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use callboard_actors::config::Source;

    use super::*;

    #[test]
    fn each_setting_is_printed_with_its_source() {
        let mut values = Values::default();
        let variable = Source::Environment("CALLBOARD_NUM_PARTITIONS".to_owned());
        values.set("num.partitions", "8", variable).unwrap();
        let text = print(&values);
        let line = |key: &str| {
            let found = text.lines().find(|line| line.split_whitespace().next() == Some(key));
            found.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("num.partitions"), "num.partitions = 8 # environment CALLBOARD_NUM_PARTITIONS");
        assert_eq!(line("data.dir"), "data.dir = \"./callboard-data\" # default");
        assert!(text.contains("\n# broker.rack is not set\n"));
    }

    #[test]
    fn values_and_sources_are_aligned() {
        let text = print(&Values::default());
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        for sign in [" = ", "    # "] {
            let columns: Vec<_> = lines.iter().map(|line| line.find(sign)).collect();
            let aligned = columns.windows(2).all(|two| sign.starts_with("    ") || two[0] == two[1]);
            assert!(aligned, "{sign}");
        }
        let sources: Vec<_> = lines.iter().map(|line| line.rfind("# ")).collect();
        assert!(sources.windows(2).all(|two| two[0] == two[1]));
    }

    #[test]
    fn the_keys_are_sorted() {
        let text = print(&Values::default());
        let keys: Vec<&str> =
            text.lines().filter_map(|line| line.trim_start_matches("# ").split(' ').next()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }

    #[test]
    fn what_is_printed_can_be_read_as_a_file() {
        let pairs = [("data.dir", "/a \"b\\c"), ("log.cleaner.min.cleanable.ratio", "1")];
        let values = Values::from_pairs(pairs).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("callboard.toml");
        std::fs::write(&path, print(&values)).unwrap();
        for assignment in super::super::file::read(&path).unwrap() {
            let name = assignment.definition.name;
            let value = assignment.definition.parse(&assignment.text).ok();
            assert_eq!(value, values.get(name).unwrap().value, "{name}");
        }
    }
}
