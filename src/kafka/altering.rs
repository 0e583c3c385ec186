//! What AlterConfigs and IncrementalAlterConfigs share: settings change, each resource by itself.

use super::Edge;
use super::config_resource::{
    BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, Problem, TOPIC, check_number, check_topic, invalid,
    shortened,
};
use super::error_code::Code;
use crate::logging;
use callboard_actors::broker::alter_configs::{AlterConfigsError, ConfigResource};
use callboard_actors::broker::create_topics::Mode;
use callboard_actors::config::{Alteration, ConfigError};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::wire::Str;
use std::collections::{HashMap, HashSet};
use tracing::level_filters::LevelFilter;

/// A resource as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Named {
    pub(super) resource_type: i8,
    pub(super) resource_name: Str,
}

/// What is to become of a resource.
#[derive(Debug)]
pub(super) enum Wish {
    /// Its settings change.
    Alter(Alteration),
    /// The broker logs at another level; none leaves it as it is.
    Log(Option<LevelFilter>),
}

/// Looks for what is wrong with the settings of a resource before they are read. Each comes with
/// whether it lacks a value that it needs.
pub(super) fn check_settings<'a>(settings: impl Iterator<Item = (&'a Str, bool)>) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    let mut lacking = Vec::new();
    for (name, is_lacking) in settings {
        if !seen.insert(name) {
            return Err(invalid("Error due to duplicate config keys"));
        }
        if is_lacking {
            lacking.push(name.as_str());
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    Err(invalid(format!("Null value not supported for : {}", lacking.join(", "))))
}

/// What became of a resource, as answers say it.
#[derive(Debug)]
pub(super) struct Altered {
    pub(super) named: Named,
    pub(super) error_code: ErrorCode,
    pub(super) error_message: Option<Str>,
}

/// Carries wishes out, and says in their order what became of each.
pub(super) async fn alter(
    edge: &Edge,
    wishes: Vec<(Named, Result<Wish, Problem>)>,
    validate_only: bool,
) -> Vec<Altered> {
    let mode = if validate_only { Mode::ValidateOnly } else { Mode::Apply };
    let mut times: HashMap<Named, usize> = HashMap::new();
    for (named, _) in &wishes {
        *times.entry(named.clone()).or_default() += 1;
    }
    let mut outcomes = Vec::new();
    let (mut places, mut resources) = (Vec::new(), Vec::new());
    for (named, wish) in wishes {
        let is_repeated = times.get(&named).is_some_and(|times| *times > 1);
        let wish = if is_repeated { Err(invalid("Each resource must appear at most once.")) } else { wish };
        let outcome = match wish {
            Ok(Wish::Log(level)) => set_level(edge, &named, level, mode),
            Ok(Wish::Alter(alteration)) => resource(edge, &named).map(|resource| {
                places.push(outcomes.len());
                resources.push((resource, alteration));
            }),
            Err(problem) => Err(problem),
        };
        outcomes.push((named, outcome));
    }
    let altered = edge.broker.alter_configs(resources, mode).await;
    for (place, altered) in places.into_iter().zip(altered) {
        if let (Some((named, outcome)), Err(error)) = (outcomes.get_mut(place), altered) {
            *outcome = Err(problem(named.resource_type, &error));
        }
    }
    outcomes.into_iter().map(|(named, outcome)| told(named, outcome)).collect()
}

fn told(named: Named, outcome: Result<(), Problem>) -> Altered {
    let (error_code, error_message) = match outcome {
        Ok(()) => (ErrorCode::NONE, None),
        Err(Problem { code, message }) => (code, Some(shortened(message).into())),
    };
    Altered { named, error_code, error_message }
}

fn resource(edge: &Edge, named: &Named) -> Result<ConfigResource, Problem> {
    let name = named.resource_name.as_str();
    match named.resource_type {
        TOPIC if name.is_empty() => Err(invalid("Default topic resources are not allowed.")),
        TOPIC => check_topic(name).map(|()| ConfigResource::Topic(name.to_owned())),
        GROUP if name.is_empty() => Err(invalid("Default group resources are not allowed.")),
        GROUP => Ok(ConfigResource::Group(name.into())),
        BROKER if name.is_empty() => Ok(ConfigResource::Cluster),
        BROKER => {
            let node_id = edge.node_id();
            let other = |id| format!("Unexpected broker id, expected {node_id}, but received {id}");
            check_number(name, node_id, "Node", other).map(|()| ConfigResource::Node)
        }
        CLIENT_METRICS => Err(invalid("Client metrics are not collected here.")),
        // Loggers are altered by single changes only.
        BROKER_LOGGER => Err(invalid(format!("Unknown resource type {BROKER_LOGGER}"))),
        other => Err(invalid(format!("Unknown resource type {other}"))),
    }
}

fn set_level(edge: &Edge, named: &Named, level: Option<LevelFilter>, mode: Mode) -> Result<(), Problem> {
    let node_id = edge.node_id();
    let other = |id| format!("Unexpected node id. Expected {node_id}, but received {id}");
    check_number(&named.resource_name, node_id, "Node", other)?;
    match (level, mode) {
        (Some(level), Mode::Apply) => logging::set_level(level).map_err(|error| invalid(error.to_string())),
        (Some(_) | None, Mode::Apply | Mode::ValidateOnly) => Ok(()),
    }
}

fn problem(resource_type: i8, error: &AlterConfigsError) -> Problem {
    let message = error.to_string();
    match error {
        AlterConfigsError::Config(ConfigError::NotAList { .. }) => Problem { code: error.code(), message },
        // Kafka has this code for all else that is wrong with a broker's settings.
        AlterConfigsError::Config(_) if resource_type == BROKER => invalid(message),
        _ => Problem { code: error.code(), message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_once_and_values_are_there() {
        let (a, b) = (Str::from_static("a"), Str::from_static("b"));
        assert_eq!(check_settings([(&a, false), (&b, false)].into_iter()), Ok(()));
        let repeated = check_settings([(&a, false), (&a, true)].into_iter());
        assert_eq!(repeated.unwrap_err().message, "Error due to duplicate config keys");
        let null = check_settings([(&a, true), (&b, true)].into_iter());
        assert_eq!(null.unwrap_err().message, "Null value not supported for : a, b");
    }
}
