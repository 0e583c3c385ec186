//! Every setting of the broker or of a topic as a client is told of it: value, origin and synonyms.

use super::alteration::Texts;
use super::definition::Definition;
use super::group;
use super::topic::{TopicConfig, TopicDefaults, table};
use super::values::{Entry, Source, Values};

/// Who a value is from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// It was given to the topic.
    Topic,
    /// It was given to the group.
    Group,
    /// It was given to this broker while it ran.
    Node,
    /// It was given to all brokers while they ran.
    Cluster,
    /// It was given to the broker before it started.
    Broker,
    /// It is built in.
    Default,
}

/// One of the places that could give a setting its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Synonym {
    /// The setting in that place.
    pub name: &'static str,
    /// Its value there; `None` when it is not shown.
    pub value: Option<String>,
    /// The place.
    pub origin: Origin,
}

/// One setting as a client is told of it.
#[derive(Clone, Debug)]
pub struct Described {
    /// The setting.
    pub definition: &'static Definition,
    /// Its value; `None` when it has none, or it is not shown.
    pub value: Option<String>,
    /// Who its value is from.
    pub origin: Origin,
    /// All places that could give its value, the one that does first.
    pub synonyms: Vec<Synonym>,
}

/// All settings of the broker, sorted by name.
pub fn describe_broker(values: &Values) -> Vec<Described> {
    values.iter().map(describe_entry).collect()
}

/// All settings of a topic, sorted by name. `defaults` were made from `values`.
pub fn describe_topic(topic: &TopicConfig, defaults: &TopicDefaults, values: &Values) -> Vec<Described> {
    let describe = |definition| describe_topic_setting(definition, topic, defaults, values);
    table::ALL.iter().map(describe).collect()
}

/// What was set for all brokers while they ran.
pub fn describe_cluster(values: &Values, cluster: &Texts) -> Vec<Described> {
    let entries = cluster.iter().filter_map(|(name, text)| Some((values.get(name)?, text)));
    let describe = |(entry, text): (&Entry, &String)| {
        let (definition, origin) = (entry.definition, Origin::Cluster);
        let value = shown(definition, Some(text));
        let synonyms = vec![Synonym { name: definition.name, value: value.clone(), origin }];
        Described { definition, value, origin, synonyms }
    };
    entries.map(describe).collect()
}

/// All settings of a group, sorted by name.
pub fn describe_group(texts: &Texts, values: &Values) -> Vec<Described> {
    let describe = |definition: &'static Definition| {
        let behind = definition.broker_synonym.and_then(|name| values.get(name));
        let mut synonyms = behind.map(broker_synonyms).unwrap_or_default();
        let inherited = behind.and_then(|entry| entry.text.clone());
        let Some(own) = texts.get(definition.name) else {
            let origin = behind.map_or(Origin::Default, |entry| origin(&entry.source));
            return Described { definition, value: inherited, origin, synonyms };
        };
        let (name, value, origin) = (definition.name, Some(own.clone()), Origin::Group);
        synonyms.insert(0, Synonym { name, value: value.clone(), origin });
        Described { definition, value, origin, synonyms }
    };
    group::ALL.iter().map(describe).collect()
}

fn describe_entry(entry: &Entry) -> Described {
    Described {
        definition: entry.definition,
        value: shown(entry.definition, entry.text.as_deref()),
        origin: origin(&entry.source),
        synonyms: broker_synonyms(entry),
    }
}

fn describe_topic_setting(
    definition: &'static Definition,
    topic: &TopicConfig,
    defaults: &TopicDefaults,
    values: &Values,
) -> Described {
    let inherited = defaults.get(definition.name);
    let set_by = inherited.and_then(|inherited| inherited.set_by);
    let own = topic.override_of(definition.name);
    let behind = set_by.or(definition.broker_synonym).and_then(|name| values.get(name));
    let mut synonyms = behind.map(broker_synonyms).unwrap_or_default();
    let inherited = inherited.map(|inherited| inherited.text.as_str());
    let (text, origin) = match (own, set_by, behind) {
        (Some(text), ..) => (Some(text), Origin::Topic),
        (None, Some(_), Some(entry)) => (inherited, origin(&entry.source)),
        (None, ..) => (inherited, Origin::Default),
    };
    if origin == Origin::Topic {
        let value = shown(definition, own);
        synonyms.insert(0, Synonym { name: definition.name, value, origin });
    }
    Described { definition, value: shown(definition, text), origin, synonyms }
}

/// The places for a setting of the broker: what was set, and the built-in default.
fn broker_synonyms(entry: &Entry) -> Vec<Synonym> {
    let definition = entry.definition;
    let place =
        |text: &str, origin| Synonym { name: definition.name, value: shown(definition, Some(text)), origin };
    let set = entry.text.as_deref().filter(|_| entry.source != Source::Default);
    let set = set.map(|text| place(text, origin(&entry.source)));
    let behind = entry.behind.iter().map(|(text, source)| place(text, origin(source)));
    let default = definition.default.map(|text| place(text, Origin::Default));
    set.into_iter().chain(behind).chain(default).collect()
}

const fn origin(source: &Source) -> Origin {
    match source {
        Source::Default => Origin::Default,
        Source::Cluster => Origin::Cluster,
        Source::Node => Origin::Node,
        Source::File(_) | Source::Environment(_) | Source::Flag(_) | Source::Program => Origin::Broker,
    }
}

fn shown(definition: &Definition, text: Option<&str>) -> Option<String> {
    text.filter(|_| !definition.sensitive).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(pairs: &[(&str, &str)], overrides: &[(&str, &str)], name: &str) -> Described {
        let values = Values::from_pairs(pairs.iter().copied()).unwrap();
        let defaults = TopicDefaults::from_values(&values).unwrap();
        let overrides = overrides.iter().map(|(name, value)| (*name, Some(*value)));
        let topic = TopicConfig::parse(overrides, &defaults).unwrap();
        let mut all = describe_topic(&topic, &defaults, &values);
        let place = all.iter().position(|described| described.definition.name == name).unwrap();
        all.swap_remove(place)
    }

    fn synonyms(described: &Described) -> Vec<(&str, &str, Origin)> {
        let mut lines = Vec::new();
        for Synonym { name, value, origin } in &described.synonyms {
            lines.push((*name, value.as_deref().unwrap_or("null"), *origin));
        }
        lines
    }

    #[test]
    fn a_default_has_the_brokers_default_for_a_synonym() {
        let described = topic(&[], &[], "segment.bytes");
        assert_eq!(described.value.as_deref(), Some("1073741824"));
        assert_eq!(described.origin, Origin::Default);
        assert_eq!(synonyms(&described), [("log.segment.bytes", "1073741824", Origin::Default)]);
    }

    #[test]
    fn a_default_behind_which_nothing_is_set_has_no_synonym() {
        for name in ["retention.ms", "segment.ms", "flush.ms", "segment.jitter.ms"] {
            assert_eq!(synonyms(&topic(&[], &[], name)), [], "{name}");
        }
    }

    #[test]
    fn an_override_comes_before_what_the_broker_says() {
        let pairs = [("log.segment.bytes", "2000000")];
        let described = topic(&pairs, &[("segment.bytes", "3000000")], "segment.bytes");
        assert_eq!(described.origin, Origin::Topic);
        let expected = [
            ("segment.bytes", "3000000", Origin::Topic),
            ("log.segment.bytes", "2000000", Origin::Broker),
            ("log.segment.bytes", "1073741824", Origin::Default),
        ];
        assert_eq!(synonyms(&described), expected);
    }

    #[test]
    fn a_coarser_setting_is_named_as_the_one_that_counts() {
        let described = topic(&[("log.retention.hours", "1")], &[], "retention.ms");
        assert_eq!(described.value.as_deref(), Some("3600000"));
        assert_eq!(described.origin, Origin::Broker);
        let expected =
            [("log.retention.hours", "1", Origin::Broker), ("log.retention.hours", "168", Origin::Default)];
        assert_eq!(synonyms(&described), expected);
    }

    #[test]
    fn the_broker_tells_of_what_was_set_and_of_what_has_no_value() {
        let values = Values::from_pairs([("num.partitions", "9")]).unwrap();
        let all = describe_broker(&values);
        let find = |name| all.iter().find(|described| described.definition.name == name).unwrap();
        assert_eq!(find("num.partitions").origin, Origin::Broker);
        let expected = [("num.partitions", "9", Origin::Broker), ("num.partitions", "4", Origin::Default)];
        assert_eq!(synonyms(find("num.partitions")), expected);
        assert_eq!(find("log.retention.ms").value, None);
        assert_eq!(synonyms(find("log.retention.ms")), []);
    }
}
