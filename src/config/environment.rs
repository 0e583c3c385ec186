//! Reads settings from environment variables such as `CALLBOARD_NUM_PARTITIONS`.

use std::ffi::OsString;

use callboard_actors::config::Source;

use super::assignment::{Assignment, find};
use super::error::LoadError;

const PREFIX: &str = "CALLBOARD_";

/// The variable that tells commands which broker they ask, which is no setting of a broker.
const BROKER: &str = "CALLBOARD_BROKER";

/// How variables of Callboard's own tests begin, which are no settings.
const TESTS: [&str; 5] =
    ["CALLBOARD_CLIENTS", "CALLBOARD_TEST_", "CALLBOARD_CRASH_", "CALLBOARD_POWER_", "CALLBOARD_SIM_"];

/// The settings among the variables, each checked.
pub(super) fn read(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Assignment>, LoadError> {
    let mut assignments = Vec::new();
    for (variable, value) in environment {
        let variable = variable.to_string_lossy().into_owned();
        if is_setting(&variable) {
            assignments.push(assignment(variable, value)?);
        }
    }
    Ok(assignments)
}

fn is_setting(variable: &str) -> bool {
    let is_of_tests = TESTS.iter().any(|prefix| variable.starts_with(prefix));
    variable.starts_with(PREFIX) && variable != BROKER && !is_of_tests
}

fn assignment(variable: String, value: OsString) -> Result<Assignment, LoadError> {
    let source = Source::Environment(variable.clone());
    let definition = find(&key_of(&variable), &source).map_err(as_variable)?;
    let Ok(text) = value.into_string() else {
        return Err(LoadError::NotText { variable });
    };
    Assignment::check(definition, text, source)
}

/// The key that a variable stands for; one that is not all capitals stands for no setting.
fn key_of(variable: &str) -> String {
    let name = variable.strip_prefix(PREFIX).unwrap_or(variable);
    if name.chars().any(|c| c.is_ascii_lowercase()) {
        return name.to_owned();
    }
    name.to_ascii_lowercase().replace('_', ".")
}

/// The variable that stands for a setting.
fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "_"))
}

/// Names the variable to write, not only the setting.
fn as_variable(error: LoadError) -> LoadError {
    match error {
        LoadError::UnknownKey { key, origin, nearest } => {
            let nearest = format!("{nearest} ({})", variable_of(&nearest));
            LoadError::UnknownKey { key, origin, nearest }
        }
        LoadError::File { .. }
        | LoadError::Syntax { .. }
        | LoadError::WrongType { .. }
        | LoadError::Twice { .. }
        | LoadError::NotText { .. }
        | LoadError::Value(_)
        | LoadError::Layers(_) => error,
    }
}

#[cfg(test)]
mod tests {
    use callboard_actors::config::broker;

    use super::*;

    fn read_one(variable: &str, value: &str) -> Result<Vec<Assignment>, LoadError> {
        read([(OsString::from(variable), OsString::from(value))])
    }

    #[test]
    fn a_variable_is_the_key_in_capitals() {
        let assignments = read_one("CALLBOARD_NUM_PARTITIONS", "8").unwrap();
        let [assignment] = assignments.as_slice() else { panic!("one assignment") };
        assert_eq!(assignment.definition.name, "num.partitions");
        assert_eq!(assignment.text, "8");
        assert_eq!(assignment.source.to_string(), "environment CALLBOARD_NUM_PARTITIONS");
    }

    #[test]
    fn every_setting_has_a_variable_of_its_own() {
        for definition in broker::all() {
            assert_eq!(key_of(&variable_of(definition.name)), definition.name);
        }
    }

    #[test]
    fn other_variables_and_those_of_commands_and_tests_are_passed_over() {
        for variable in [
            "PATH",
            "XCALLBOARD_A",
            "CALLBOARD_BROKER",
            "CALLBOARD_CLIENTS",
            "CALLBOARD_TEST_DATA",
            "CALLBOARD_SIM_SEED",
            "CALLBOARD_POWER_SEED",
        ] {
            assert!(read_one(variable, "x").unwrap().is_empty(), "{variable}");
        }
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest_one() {
        let said = read_one("CALLBOARD_NUM_PARTITION", "8").unwrap_err().to_string();
        assert_eq!(
            said,
            "unknown setting num.partition (environment CALLBOARD_NUM_PARTITION); \
             the nearest known one is num.partitions (CALLBOARD_NUM_PARTITIONS)"
        );
        assert!(read_one("CALLBOARD_num_partitions", "8").is_err());
        assert!(read_one("CALLBOARD_", "8").is_err());
    }

    #[test]
    fn an_impossible_value_is_refused_with_the_variable() {
        let said = read_one("CALLBOARD_NUM_PARTITIONS", "0").unwrap_err().to_string();
        assert!(said.contains("Invalid value 0 for configuration num.partitions"), "{said}");
        assert!(said.contains("environment CALLBOARD_NUM_PARTITIONS"), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_text_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let value = OsString::from_vec(vec![0xff]);
        let refused = read([(OsString::from("CALLBOARD_DATA_DIR"), value)]);
        assert!(matches!(refused, Err(LoadError::NotText { .. })));
    }
}
