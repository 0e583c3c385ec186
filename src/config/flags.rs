//! Reads settings from flags of the command line.

use callboard_actors::config::Source;

use super::assignment::{Assignment, find};
use super::error::LoadError;

/// The settings that the flags give, each checked, in their order.
pub(super) fn read(flags: &[(String, String, &'static str)]) -> Result<Vec<Assignment>, LoadError> {
    let assignment = |(key, value, flag): &(String, String, &'static str)| {
        let source = Source::Flag((*flag).to_owned());
        let definition = find(key, &source)?;
        Assignment::check(definition, value.clone(), source)
    };
    flags.iter().map(assignment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(key: &str, value: &str) -> Result<Vec<Assignment>, LoadError> {
        read(&[(key.to_owned(), value.to_owned(), "--set")])
    }

    #[test]
    fn a_flag_is_named_where_its_key_is_unknown() {
        let said = read_one("num.partitons", "8").unwrap_err().to_string();
        assert_eq!(
            said,
            "unknown setting num.partitons (flag --set); the nearest known one is num.partitions"
        );
    }

    #[test]
    fn a_flag_is_named_where_its_value_is_impossible() {
        let said = read_one("auto.create.topics.enable", "yes").unwrap_err().to_string();
        assert_eq!(
            said,
            "Invalid value yes for configuration auto.create.topics.enable: \
             the value must be either true or false (flag --set)"
        );
    }
}
