//! `DescribeConfigs`, versions 1 to 4: the settings of topics, groups and the broker, and where each value is from.

use super::config_resource::{
    BROKER, BROKER_LOGGER, GROUP, Problem, ROOT_LOGGER, TOPIC, check_group, check_number, check_topic,
    invalid,
};
use super::{Caller, Edge, Refused};
use callboard_actors::config::{
    Described, Kind, Origin, describe_broker, describe_cluster, describe_group, describe_topic,
};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use callboard_protocol::wire::Str;
use std::collections::HashSet;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

/// A level that a running broker can be told to log at.
const LOGGER_SOURCE: i8 = 6;

/// Settings, or why they are not told.
type Answer = Result<Vec<DescribeConfigsResourceResult>, Problem>;

/// What a client wants to know beside names and values.
#[derive(Debug, Clone, Copy)]
struct Detail {
    synonyms: bool,
    documentation: bool,
}

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: DescribeConfigsRequest,
) -> Result<DescribeConfigsResponse, Refused> {
    caller.check_partitions(request.resources.len())?;
    let detail = Detail { synonyms: request.include_synonyms, documentation: request.include_documentation };
    // Each once: an answer is many times as large as a question that repeats itself.
    let mut seen = HashSet::new();
    let is_new = |resource: &DescribeConfigsResource| {
        seen.insert((resource.resource_type, resource.resource_name.clone()))
    };
    let resources: Vec<_> = request.resources.into_iter().filter(is_new).collect();
    let results = resources.into_iter().map(|resource| describe(&edge, resource, detail)).collect();
    Ok(DescribeConfigsResponse { results, ..Default::default() })
}

fn describe(edge: &Edge, resource: DescribeConfigsResource, detail: Detail) -> DescribeConfigsResult {
    let DescribeConfigsResource { resource_type, resource_name, configuration_keys } = resource;
    let answer = match resource_type {
        TOPIC => topic(edge, &resource_name, detail),
        BROKER => broker(edge, &resource_name, detail),
        BROKER_LOGGER => loggers(edge.node_id(), &resource_name),
        GROUP => group(edge, &resource_name, detail),
        other => Err(invalid(format!("resources of type {other} have no settings here"))),
    };
    // Where nothing is wrong Kafka's message is empty, not absent.
    let (error_code, message, mut configs) = match answer {
        Ok(configs) => (ErrorCode::NONE, String::new(), configs),
        Err(problem) => (problem.code, problem.message, Vec::new()),
    };
    if let Some(keys) = configuration_keys.filter(|keys| !keys.is_empty()) {
        configs.retain(|config| keys.contains(&config.name));
    }
    DescribeConfigsResult {
        error_code,
        error_message: Some(message.into()),
        resource_type,
        resource_name,
        configs,
    }
}

fn topic(edge: &Edge, name: &str, detail: Detail) -> Answer {
    check_topic(name)?;
    let topics = edge.broker.topics();
    let unknown = || Problem { code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message: String::new() };
    let config = topics.get(name).ok_or_else(unknown)?.config.load();
    let settings = edge.broker.settings();
    let described = describe_topic(&config, &settings.topics.defaults, &settings.values);
    Ok(described.into_iter().map(|described| result(described, detail)).collect())
}

fn broker(edge: &Edge, name: &str, detail: Detail) -> Answer {
    let settings = edge.broker.settings();
    // Nobody's name asks for what was set for all brokers while they ran.
    let described = if name.is_empty() {
        describe_cluster(&settings.values, &settings.overrides.cluster)
    } else {
        let node_id = edge.node_id();
        let other =
            |id| format!("Unexpected broker id, expected {node_id} or empty string, but received {id}");
        check_number(name, node_id, "Broker", other)?;
        describe_broker(&settings.values)
    };
    Ok(described.into_iter().map(|described| result(described, detail)).collect())
}

/// A group need not be there.
fn group(edge: &Edge, name: &str, detail: Detail) -> Answer {
    check_group(name)?;
    let settings = edge.broker.settings();
    let config = settings.overrides.groups.get(name).cloned().unwrap_or_default();
    let described = describe_group(config.texts(), &settings.values);
    Ok(described.into_iter().map(|described| result(described, detail)).collect())
}

/// The broker has one logger, for all its parts.
fn loggers(node_id: i32, name: &str) -> Answer {
    if name.is_empty() {
        return Err(invalid("Broker id must not be empty".to_owned()));
    }
    let other = |id| format!("Unexpected broker id, expected {node_id} but received {id}");
    check_number(name, node_id, "Broker", other)?;
    Ok(vec![DescribeConfigsResourceResult {
        name: Str::from_static(ROOT_LOGGER),
        value: Some(LevelFilter::current().to_string().to_uppercase().into()),
        config_source: LOGGER_SOURCE,
        documentation: Some(Str::default()),
        ..Default::default()
    }])
}

fn result(described: Described, detail: Detail) -> DescribeConfigsResourceResult {
    let definition = described.definition;
    let synonyms = if detail.synonyms { described.synonyms } else { Vec::new() };
    let synonyms = synonyms.into_iter().map(|synonym| DescribeConfigsSynonym {
        name: Str::from_static(synonym.name),
        value: synonym.value.map(Str::from),
        source: source(synonym.origin),
    });
    DescribeConfigsResourceResult {
        name: Str::from_static(definition.name),
        value: described.value.map(Str::from),
        read_only: definition.read_only,
        config_source: source(described.origin),
        is_sensitive: definition.sensitive,
        synonyms: synonyms.collect(),
        config_type: kind(definition.kind),
        documentation: detail.documentation.then(|| Str::from_static(definition.documentation)),
    }
}

/// Kafka's number for the place that a value is from.
pub(super) fn source(origin: Origin) -> i8 {
    match origin {
        Origin::Topic => 1,
        Origin::Node => 2,
        Origin::Cluster => 3,
        Origin::Broker => 4,
        Origin::Default => 5,
        Origin::Group => 8,
    }
}

/// Kafka's number for what a setting holds.
fn kind(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::String => 2,
        Kind::Int => 3,
        Kind::Long => 5,
        Kind::Double => 6,
        Kind::List => 7,
        Kind::Class => 8,
        Kind::Password => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_actors::config::{TopicConfig, TopicDefaults, Values};

    fn retention(detail: Detail) -> DescribeConfigsResourceResult {
        let values = Values::from_pairs([("log.retention.ms", "7")]).unwrap();
        let defaults = TopicDefaults::from_values(&values).unwrap();
        let topic = TopicConfig::parse([("retention.ms", Some("5"))], &defaults).unwrap();
        let described = describe_topic(&topic, &defaults, &values);
        let retention = described.into_iter().find(|described| described.definition.name == "retention.ms");
        result(retention.unwrap(), detail)
    }

    #[test]
    fn a_setting_is_told_with_its_type_and_places() {
        let told = retention(Detail { synonyms: true, documentation: true });
        assert_eq!((told.name.as_str(), told.value.as_deref()), ("retention.ms", Some("5")));
        assert_eq!((told.config_source, told.config_type), (1, 5));
        let places: Vec<_> =
            told.synonyms.iter().map(|synonym| (synonym.name.as_str(), synonym.source)).collect();
        assert_eq!(places, [("retention.ms", 1), ("log.retention.ms", 4)]);
        assert!(told.documentation.is_some_and(|documentation| !documentation.is_empty()));
    }

    #[test]
    fn what_was_not_asked_for_is_not_told() {
        let told = retention(Detail { synonyms: false, documentation: false });
        assert_eq!(told.synonyms, []);
        assert_eq!(told.documentation, None);
    }

    #[test]
    fn the_one_logger_has_a_level() {
        let loggers = loggers(1, "1").unwrap();
        assert_eq!(loggers.len(), 1);
        assert_eq!(loggers[0].config_source, LOGGER_SOURCE);
        assert_eq!(super::loggers(1, "").unwrap_err().message, "Broker id must not be empty");
    }
}
