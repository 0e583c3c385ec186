//! IncrementalAlterConfigs, versions 0 to 1: single settings of resources change.

use super::altering::{Altered, Named, Wish, alter, check_settings};
use super::config_resource::{BROKER, BROKER_LOGGER, Problem, ROOT_LOGGER, invalid};
use super::{Caller, Edge, Refused};
use callboard_actors::config::{Alteration, Edit};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: IncrementalAlterConfigsRequest,
) -> Result<IncrementalAlterConfigsResponse, Refused> {
    caller.check_partitions(request.resources.len())?;
    let wishes = request.resources.into_iter().map(|resource| {
        let AlterConfigsResource { resource_type, resource_name, configs } = resource;
        (Named { resource_type, resource_name }, wish(resource_type, &configs))
    });
    let outcomes = alter(&edge, wishes.collect(), request.validate_only).await;
    let response = |Altered { named, error_code, error_message }| {
        let Named { resource_type, resource_name } = named;
        AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
    };
    let responses = outcomes.into_iter().map(response).collect();
    Ok(IncrementalAlterConfigsResponse { responses, ..Default::default() })
}

fn wish(resource_type: i8, configs: &[AlterableConfig]) -> Result<Wish, Problem> {
    let is_lacking = |config: &AlterableConfig| config.config_operation != DELETE && config.value.is_none();
    check_settings(configs.iter().map(|config| (&config.name, is_lacking(config))))?;
    if resource_type == BROKER_LOGGER {
        let mut level = None;
        for config in configs {
            level = Some(read_level(config)?);
        }
        return Ok(Wish::Log(level));
    }
    let edits =
        configs.iter().map(|config| Ok((config.name.as_str().to_owned(), edit(resource_type, config)?)));
    edits.collect::<Result<_, _>>().map(|edits| Wish::Alter(Alteration::Edit(edits)))
}

fn edit(resource_type: i8, config: &AlterableConfig) -> Result<Edit, Problem> {
    let value = config.value.as_ref().map(|value| value.as_str().to_owned()).unwrap_or_default();
    match config.config_operation {
        SET => Ok(Edit::Set(value)),
        DELETE => Ok(Edit::Delete),
        APPEND => Ok(Edit::Append(value)),
        SUBTRACT => Ok(Edit::Subtract(value)),
        other => {
            let message = format!("Unknown operations type {other}");
            // Kafka looks at operations before it asks its controller for brokers only.
            let code = if resource_type == BROKER {
                ErrorCode::INVALID_REQUEST
            } else {
                ErrorCode::UNKNOWN_SERVER_ERROR
            };
            Err(Problem { code, message })
        }
    }
}

fn read_level(config: &AlterableConfig) -> Result<LevelFilter, Problem> {
    let name = config.name.as_str();
    let refuse = |operation| {
        Err(invalid(format!("{operation} operation is not allowed for the BROKER_LOGGER resource")))
    };
    let known = || {
        let message = format!("Logger {name} does not exist!");
        if name == ROOT_LOGGER { Ok(()) } else { Err(Problem { code: ErrorCode::INVALID_CONFIG, message }) }
    };
    match config.config_operation {
        SET => {
            known()?;
            let level = config.value.as_deref().unwrap_or_default();
            match level {
                "TRACE" => Ok(LevelFilter::TRACE),
                "DEBUG" => Ok(LevelFilter::DEBUG),
                "INFO" => Ok(LevelFilter::INFO),
                "WARN" => Ok(LevelFilter::WARN),
                "ERROR" | "FATAL" => Ok(LevelFilter::ERROR),
                _ => {
                    let message = format!(
                        "Cannot set the log level of {name} to {level} as it is not a supported log level. \
                         Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"
                    );
                    Err(Problem { code: ErrorCode::INVALID_CONFIG, message })
                }
            }
        }
        DELETE => {
            known()?;
            Err(invalid(format!("Removing the log level of the {ROOT_LOGGER} logger is not allowed")))
        }
        APPEND => refuse("APPEND"),
        SUBTRACT => refuse("SUBTRACT"),
        other => refuse(&format!("Unknown operation type {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_protocol::wire::Str;

    fn config(name: &str, config_operation: i8, value: Option<&str>) -> AlterableConfig {
        AlterableConfig { name: name.into(), config_operation, value: value.map(Str::from) }
    }

    fn level(name: &str, operation: i8, value: Option<&str>) -> Result<LevelFilter, (i16, String)> {
        read_level(&config(name, operation, value)).map_err(|problem| (problem.code.0, problem.message))
    }

    #[test]
    fn the_one_logger_has_a_level_that_can_be_set_and_not_taken_away() {
        assert_eq!(level("root", SET, Some("DEBUG")), Ok(LevelFilter::DEBUG));
        assert_eq!(level("other", SET, Some("DEBUG")), Err((40, "Logger other does not exist!".into())));
        assert_eq!(level("root", SET, Some("loud")).unwrap_err().0, 40);
        assert_eq!(level("root", DELETE, None).unwrap_err().0, 42);
        let refused = level("root", APPEND, Some("x")).unwrap_err().1;
        assert_eq!(refused, "APPEND operation is not allowed for the BROKER_LOGGER resource");
    }

    #[test]
    fn operations_that_are_none_have_kafkas_codes() {
        let code = |resource_type| edit(resource_type, &config("a", 9, Some("b"))).unwrap_err().code;
        assert_eq!(code(BROKER), ErrorCode::INVALID_REQUEST);
        assert_eq!(code(super::super::config_resource::TOPIC), ErrorCode::UNKNOWN_SERVER_ERROR);
    }
}
