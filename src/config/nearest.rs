//! The setting that was probably meant by a key that no setting has.

use callboard_actors::config::{broker, topic};

/// Settings that Kafka's users know under a name that is not even similar.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("listeners", "kafka.address"),
    ("advertised.listeners", "advertised.address"),
    ("log.dir", "data.dir"),
    ("log.dirs", "data.dir"),
    ("broker.id", "node.id"),
];

/// The setting with the closest name; a topic's setting leads to the
/// broker's that stands behind it.
pub(super) fn nearest(key: &str) -> &'static str {
    let key = key.to_ascii_lowercase().replace(['_', '-'], ".");
    let behind = topic::table::find(&key).and_then(|definition| definition.broker_synonym);
    let other_name = OTHER_NAMES.iter().find(|(other, _)| *other == key);
    let meant = behind.or(other_name.map(|(_, name)| *name));
    meant.or_else(|| closest(&key, broker::all().map(|definition| definition.name))).unwrap_or_default()
}

/// The name that takes the fewest changed letters.
pub(crate) fn closest<'a>(meant: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.min_by_key(|name| strsim::damerau_levenshtein(meant, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_what_was_meant() {
        assert_eq!(nearest("num.partition"), "num.partitions");
        assert_eq!(nearest("nmu.partitions"), "num.partitions");
        assert_eq!(nearest("num_partitions"), "num.partitions");
        assert_eq!(nearest("Data-Dir"), "data.dir");
        assert_eq!(nearest("autocreate.topics.enable"), "auto.create.topics.enable");
    }

    #[test]
    fn a_topics_setting_leads_to_the_brokers() {
        assert_eq!(nearest("retention.ms"), "log.retention.ms");
        assert_eq!(nearest("max.message.bytes"), "message.max.bytes");
        assert_eq!(nearest("segment.ms"), "log.roll.ms");
    }

    #[test]
    fn a_name_that_kafka_has_leads_to_a_setting() {
        assert_eq!(nearest("listeners"), "kafka.address");
        for (_, name) in OTHER_NAMES {
            assert!(broker::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn anything_is_nearest_to_something() {
        assert!(!nearest("").is_empty());
        assert!(!nearest("zzzzzzzzzzzzzzzz").is_empty());
    }
}
