//! `CreatePartitions`, versions 0 to 3: topics get more partitions.

use super::error_code::Code;
use super::{Caller, Edge, Refused, repeated};
use callboard_actors::broker::create_partitions::{CreatePartitionsError, Growth};
use callboard_actors::broker::create_topics::Mode;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use callboard_protocol::wire::Str;
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: CreatePartitionsRequest,
) -> Result<CreatePartitionsResponse, Refused> {
    let assigned: usize =
        request.topics.iter().filter_map(|topic| topic.assignments.as_ref()).map(Vec::len).sum();
    caller.check_partitions(request.topics.len().saturating_add(assigned))?;
    let mode = if request.validate_only { Mode::ValidateOnly } else { Mode::Apply };
    let results = if request.timeout_ms > 0 {
        grow(&edge, request.topics, mode).await
    } else {
        // There is no time to do anything in, so nothing is done.
        request
            .topics
            .into_iter()
            .map(|topic| result(topic.name, ErrorCode::REQUEST_TIMED_OUT, None))
            .collect()
    };
    Ok(CreatePartitionsResponse { results, ..Default::default() })
}

async fn grow(
    edge: &Edge,
    topics: Vec<CreatePartitionsTopic>,
    mode: Mode,
) -> Vec<CreatePartitionsTopicResult> {
    let parts = repeated::split(topics, |topic| topic.name.clone());
    let names: Vec<Str> = parts.once.iter().map(|topic| topic.name.clone()).collect();
    let topics: Vec<_> = parts.once.into_iter().map(growth).collect();
    let outcomes = edge.broker.create_partitions(topics, mode).await;
    let twice = |name| result(name, ErrorCode::INVALID_REQUEST, Some("Duplicate topic name.".into()));
    let answers = names.into_iter().zip(outcomes).map(|(name, outcome)| answer(name, outcome));
    answers.chain(parts.repeated.into_iter().map(twice)).collect()
}

fn growth(topic: CreatePartitionsTopic) -> Growth {
    let assignments =
        topic.assignments.map(|all| all.into_iter().map(|assignment| assignment.broker_ids).collect());
    Growth { topic: topic.name.into(), count: topic.count, assignments }
}

fn answer(name: Str, outcome: Result<(), CreatePartitionsError>) -> CreatePartitionsTopicResult {
    match outcome {
        Ok(()) => result(name, ErrorCode::NONE, None),
        Err(error) => result(name, error.code(), Some(error.to_string().into())),
    }
}

fn result(name: Str, error_code: ErrorCode, error_message: Option<Str>) -> CreatePartitionsTopicResult {
    CreatePartitionsTopicResult { name, error_code, error_message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_protocol::kafka::create_partitions::CreatePartitionsAssignment;

    #[test]
    fn no_assignments_and_none_at_all_are_different() {
        let assignments =
            |assignments| growth(CreatePartitionsTopic { assignments, ..Default::default() }).assignments;
        assert_eq!(assignments(None), None);
        assert_eq!(assignments(Some(Vec::new())), Some(Vec::new()));
        let one = CreatePartitionsAssignment { broker_ids: vec![1] };
        assert_eq!(assignments(Some(vec![one])), Some(vec![vec![1]]));
    }
}
