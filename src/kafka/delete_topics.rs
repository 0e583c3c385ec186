//! `DeleteTopics`, versions 1 to 6: topics are deleted, by name or, from version 6, by id.

use super::error_code::Code;
use super::{Caller, Edge, Refused, repeated};
use callboard_actors::broker::delete_topics::DeleteTopicError;
use callboard_actors::broker::topics::Topics;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use callboard_protocol::wire::Str;
use callboard_storage::TopicId;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const UNKNOWN_NAME: &str = "This server does not host this topic-partition.";
const UNKNOWN_ID: &str = "This server does not host this topic ID.";

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: DeleteTopicsRequest,
) -> Result<DeleteTopicsResponse, Refused> {
    let timeout_ms = request.timeout_ms;
    let topics = topics(request);
    caller.check_partitions(topics.len())?;
    let responses = if !edge.broker.settings().topics.delete {
        let code =
            if caller.version < 3 { ErrorCode::INVALID_REQUEST } else { ErrorCode::TOPIC_DELETION_DISABLED };
        topics.into_iter().map(|topic| result(topic, code, None)).collect()
    } else if timeout_ms <= 0 {
        topics.into_iter().map(|topic| result(topic, ErrorCode::REQUEST_TIMED_OUT, None)).collect()
    } else {
        delete(&edge, plan(topics, &edge.broker.topics())).await
    };
    Ok(DeleteTopicsResponse { responses, ..Default::default() })
}

/// The topics of a request of any version.
fn topics(request: DeleteTopicsRequest) -> Vec<DeleteTopicState> {
    let by_name = |name| DeleteTopicState { name: Some(name), topic_id: Uuid::nil() };
    request.topic_names.into_iter().map(by_name).chain(request.topics).collect()
}

/// What is to be done about the topics of a request.
#[derive(Debug, Default)]
struct Plan {
    /// The topics to delete.
    found: BTreeMap<Uuid, Found>,
    /// Answers for the others.
    refused: Vec<DeletableTopicResult>,
}

/// A topic that is there.
#[derive(Debug)]
struct Found {
    name: Str,
    /// What its client is told should it be gone meanwhile.
    gone: (ErrorCode, &'static str),
}

fn plan(topics: Vec<DeleteTopicState>, known: &Topics) -> Plan {
    let mut plan = Plan::default();
    let (mut names, mut ids) = (Vec::new(), Vec::new());
    for topic in topics {
        let problem = match (&topic.name, topic.topic_id.is_nil()) {
            (Some(name), true) => {
                names.push(name.clone());
                continue;
            }
            (None, false) => {
                ids.push(topic.topic_id);
                continue;
            }
            (None, true) => "Neither topic name nor id were specified.",
            (Some(_), false) => "You may not specify both topic name and topic id.",
        };
        plan.refuse(topic, ErrorCode::INVALID_REQUEST, problem);
    }
    plan.by_id_and_name(ids, names, known);
    plan
}

impl Plan {
    fn refuse(&mut self, topic: DeleteTopicState, code: ErrorCode, message: &str) {
        self.refused.push(result(topic, code, Some(message)));
    }

    fn by_id_and_name(&mut self, ids: Vec<Uuid>, names: Vec<Str>, known: &Topics) {
        let mut ids = repeated::split(ids, |id| *id);
        for id in &ids.repeated {
            self.refuse(by_id(*id), ErrorCode::INVALID_REQUEST, "Duplicate topic id.");
        }
        for id in ids.once {
            let gone = (ErrorCode::UNKNOWN_TOPIC_ID, UNKNOWN_ID);
            match known.get_by_id(TopicId(id)) {
                Some(topic) => drop(self.found.insert(id, Found { name: (&*topic.name).into(), gone })),
                None => self.refuse(by_id(id), gone.0, gone.1),
            }
        }
        let names = repeated::split(names, Str::clone);
        for name in names.repeated {
            self.refuse(by_name(name), ErrorCode::INVALID_REQUEST, "Duplicate topic name.");
        }
        for name in names.once {
            let gone = (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_NAME);
            let Some(topic_id) = known.get(&name).map(|topic| topic.id.0) else {
                self.refuse(by_name(name), gone.0, gone.1);
                continue;
            };
            // A topic that is named both ways is not deleted at all.
            if self.found.remove(&topic_id).is_some() || ids.repeated.contains(&topic_id) {
                ids.repeated.insert(topic_id);
                let both = DeleteTopicState { name: Some(name), topic_id };
                let problem = "The provided topic name maps to an ID that was already supplied.";
                self.refuse(both, ErrorCode::INVALID_REQUEST, problem);
            } else {
                self.found.insert(topic_id, Found { name, gone });
            }
        }
    }
}

async fn delete(edge: &Edge, plan: Plan) -> Vec<DeletableTopicResult> {
    let Plan { found, mut refused } = plan;
    if found.is_empty() {
        return refused;
    }
    let topics: Vec<_> = found.keys().copied().map(TopicId).collect();
    let outcomes = edge.broker.delete_topics(topics).await;
    refused.extend(found.into_iter().zip(outcomes).map(|((id, found), outcome)| answer(id, found, outcome)));
    refused
}

fn answer(topic_id: Uuid, found: Found, outcome: Result<(), DeleteTopicError>) -> DeletableTopicResult {
    let topic = DeleteTopicState { name: Some(found.name), topic_id };
    match outcome {
        Ok(()) => result(topic, ErrorCode::NONE, None),
        Err(DeleteTopicError::UnknownTopic) => result(topic, found.gone.0, Some(found.gone.1)),
        Err(error) => result(topic, error.code(), Some(&error.to_string())),
    }
}

fn by_name(name: Str) -> DeleteTopicState {
    DeleteTopicState { name: Some(name), topic_id: Uuid::nil() }
}

fn by_id(topic_id: Uuid) -> DeleteTopicState {
    DeleteTopicState { name: None, topic_id }
}

fn result(topic: DeleteTopicState, error_code: ErrorCode, message: Option<&str>) -> DeletableTopicResult {
    DeletableTopicResult {
        name: topic.name,
        topic_id: topic.topic_id,
        error_code,
        error_message: message.map(Str::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(topics: Vec<DeleteTopicState>) -> Vec<(Option<Str>, Uuid, i16)> {
        let plan = plan(topics, &Topics::default());
        assert!(plan.found.is_empty());
        plan.refused.into_iter().map(|topic| (topic.name, topic.topic_id, topic.error_code.0)).collect()
    }

    #[test]
    fn a_topic_is_named_in_one_way() {
        let (id, nil, name) = (Uuid::from_u128(1), Uuid::nil(), Some(Str::from("t")));
        let both = DeleteTopicState { name: name.clone(), topic_id: id };
        assert_eq!(refused(vec![by_id(nil), both]), [(None, nil, 42), (name, id, 42)]);
    }

    #[test]
    fn what_is_repeated_is_refused_once_and_what_is_unknown_has_its_code() {
        let (twice, once, nil) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::nil());
        let topics = vec![by_id(twice), by_id(once), by_id(twice), by_name("t".into())];
        let expected = [(None, twice, 42), (None, once, 100), (Some("t".into()), nil, 3)];
        assert_eq!(refused(topics), expected);
        let topics = vec![by_name("t".into()), by_name("t".into())];
        assert_eq!(refused(topics), [(Some("t".into()), nil, 42)]);
    }

    #[test]
    fn names_of_old_versions_are_read_like_those_of_new_ones() {
        let old = DeleteTopicsRequest { topic_names: vec!["t".into()], ..Default::default() };
        let new = DeleteTopicsRequest { topics: vec![by_name("t".into())], ..Default::default() };
        assert_eq!(topics(old), topics(new));
    }
}
