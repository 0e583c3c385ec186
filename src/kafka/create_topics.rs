//! `CreateTopics`, versions 2 to 7: topics are created, or it is only checked whether they could be.

use super::error_code::Code;
use super::{Caller, Edge, Refused, describe_configs, repeated};
use callboard_actors::broker::create_topics::{Mode, NewTopic};
use callboard_actors::broker::topics::TopicView;
use callboard_actors::config::describe_topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};
use callboard_protocol::wire::Str;
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: CreateTopicsRequest,
) -> Result<CreateTopicsResponse, Refused> {
    let assigned: usize = request.topics.iter().map(|topic| topic.assignments.len()).sum();
    caller.check_partitions(request.topics.len().saturating_add(assigned))?;
    let mode = if request.validate_only { Mode::ValidateOnly } else { Mode::Apply };
    let topics = if request.timeout_ms > 0 {
        create(&edge, request.topics, mode).await
    } else {
        // There is no time to do anything in, so nothing is done.
        request
            .topics
            .into_iter()
            .map(|topic| refused(topic.name, ErrorCode::REQUEST_TIMED_OUT, None))
            .collect()
    };
    Ok(CreateTopicsResponse { topics, ..Default::default() })
}

async fn create(edge: &Edge, topics: Vec<CreatableTopic>, mode: Mode) -> Vec<CreatableTopicResult> {
    let parts = repeated::split(topics, |topic| topic.name.clone());
    let names: Vec<Str> = parts.once.iter().map(|topic| topic.name.clone()).collect();
    let outcomes = edge.broker.create_topics(parts.once.into_iter().map(new_topic).collect(), mode).await;
    let answers = names.into_iter().zip(outcomes).map(|(name, outcome)| match outcome {
        Ok(topic) => created(edge, name, &topic),
        Err(error) => refused(name, error.code(), Some(error.to_string().into())),
    });
    let twice = |name| refused(name, ErrorCode::INVALID_REQUEST, Some("Duplicate topic name.".into()));
    answers.chain(parts.repeated.into_iter().map(twice)).collect()
}

fn new_topic(topic: CreatableTopic) -> NewTopic {
    let config = |config: CreatableTopicConfig| (config.name.into(), config.value.map(String::from));
    NewTopic {
        name: topic.name.into(),
        partitions: (topic.num_partitions != -1).then_some(topic.num_partitions),
        replication_factor: (topic.replication_factor != -1).then_some(topic.replication_factor),
        assignments: topic
            .assignments
            .into_iter()
            .map(|assignment| (assignment.partition_index, assignment.broker_ids))
            .collect(),
        configs: topic.configs.into_iter().map(config).collect(),
    }
}

fn created(edge: &Edge, name: Str, topic: &TopicView) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        topic_id: topic.id.0,
        num_partitions: topic.partitions.len() as i32,
        replication_factor: 1,
        configs: Some(configs(edge, topic)),
        ..Default::default()
    }
}

fn configs(edge: &Edge, topic: &TopicView) -> Vec<CreatableTopicConfigs> {
    let settings = edge.broker.settings();
    describe_topic(&topic.config.load(), &settings.topics.defaults, &settings.values)
        .into_iter()
        .map(|described| CreatableTopicConfigs {
            name: Str::from_static(described.definition.name),
            value: described.value.map(Str::from),
            read_only: described.definition.read_only,
            config_source: describe_configs::source(described.origin),
            is_sensitive: described.definition.sensitive,
        })
        .collect()
}

fn refused(name: Str, error_code: ErrorCode, error_message: Option<Str>) -> CreatableTopicResult {
    CreatableTopicResult { name, error_code, error_message, configs: Some(Vec::new()), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_one_leaves_the_number_to_the_broker_and_nothing_else_does() {
        let numbers = |num_partitions, replication_factor| {
            let topic = CreatableTopic { num_partitions, replication_factor, ..Default::default() };
            let topic = new_topic(topic);
            (topic.partitions, topic.replication_factor)
        };
        assert_eq!(numbers(-1, -1), (None, None));
        assert_eq!(numbers(-2, 0), (Some(-2), Some(0)));
        assert_eq!(numbers(7, 1), (Some(7), Some(1)));
    }

    #[test]
    fn a_config_without_a_value_stays_without() {
        let config = |name: &str, value: Option<&str>| CreatableTopicConfig {
            name: name.into(),
            value: value.map(Str::from),
        };
        let configs = vec![config("retention.ms", Some("5")), config("segment.ms", None)];
        let topic = new_topic(CreatableTopic { configs, ..Default::default() });
        let expected = [("retention.ms".to_owned(), Some("5".to_owned())), ("segment.ms".to_owned(), None)];
        assert_eq!(topic.configs, expected);
    }

    #[test]
    fn a_refused_topic_has_an_empty_configuration() {
        let answer = refused("t".into(), ErrorCode::INVALID_PARTITIONS, Some("why".into()));
        assert_eq!((answer.num_partitions, answer.replication_factor), (-1, -1));
        assert_eq!(answer.configs, Some(Vec::new()));
    }
}
