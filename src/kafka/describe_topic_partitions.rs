//! DescribeTopicPartitions, version 0: the partitions of topics, page by page, in the order of the names.

use super::{Caller, Edge, Refused};
use callboard_actors::broker::topic_name;
use callboard_actors::broker::topics::{TopicView, Topics};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic, TopicRequest,
};
use callboard_protocol::wire::Str;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Partitions on a page, however many a client wants.
const PARTITIONS_MAX: i32 = 2000;
/// One bit for each operation on a topic that Kafka knows: a client may do all of them.
const ALL_OPERATIONS: i32 = 3576;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: DescribeTopicPartitionsRequest,
) -> Result<DescribeTopicPartitionsResponse, Refused> {
    caller.check_partitions(request.topics.len())?;
    if !is_in_range(&request) {
        return Ok(refuse(&request.topics));
    }
    let topics = edge.broker.topics();
    let leader = Leader { node_id: edge.node_id(), epoch: edge.broker.leader_epoch() };
    Ok(page(select(&topics, &request), leader, &request))
}

/// Who leads all partitions.
#[derive(Clone, Copy)]
struct Leader {
    node_id: i32,
    epoch: i32,
}

/// A name that is asked for, and the topic that has it.
type Selected = (Str, Option<Arc<TopicView>>);

/// A cursor names a topic that is asked for, and a partition that there could be.
fn is_in_range(request: &DescribeTopicPartitionsRequest) -> bool {
    request.cursor.as_ref().is_none_or(|cursor| {
        let is_asked = request.topics.iter().any(|topic| topic.name == cursor.topic_name);
        cursor.partition_index >= 0 && (request.topics.is_empty() || is_asked)
    })
}

fn refuse(topics: &[TopicRequest]) -> DescribeTopicPartitionsResponse {
    let refuse = |name: Str| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST,
        name: Some(name),
        ..Default::default()
    };
    let names: BTreeSet<_> = topics.iter().map(|topic| topic.name.clone()).collect();
    DescribeTopicPartitionsResponse { topics: names.into_iter().map(refuse).collect(), ..Default::default() }
}

/// The topics that the request is about, from its cursor on.
fn select(topics: &Topics, request: &DescribeTopicPartitionsRequest) -> Vec<Selected> {
    let from = request.cursor.as_ref().map_or("", |cursor| &cursor.topic_name);
    if request.topics.is_empty() {
        let named = |topic: &Arc<TopicView>| (Str::from(&*topic.name), Some(Arc::clone(topic)));
        return topics.iter_from(from).take(PARTITIONS_MAX as usize + 1).map(named).collect();
    }
    let names: BTreeSet<_> = request.topics.iter().map(|topic| &topic.name).collect();
    let names = names.into_iter().filter(|name| name.as_str() >= from);
    names.map(|name| (name.clone(), topics.get(name).cloned())).collect()
}

fn page(
    selected: Vec<Selected>,
    leader: Leader,
    request: &DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let mut left = request.response_partition_limit.clamp(1, PARTITIONS_MAX) as usize;
    let mut page = DescribeTopicPartitionsResponse::default();
    let mut selected = selected.into_iter().peekable();
    while let Some((name, topic)) = selected.next() {
        let cursor = request.cursor.as_ref().filter(|cursor| cursor.topic_name == name);
        let first = cursor.map_or(0, |cursor| cursor.partition_index) as usize;
        let described = match &topic {
            Some(topic) => describe(topic, leader, first, left),
            None => unknown(&name),
        };
        let count = described.partitions.len();
        page.topics.push(described);
        left -= count;
        if left == 0 {
            let is_cut = topic.is_some_and(|topic| first + count < topic.partitions.len());
            page.next_cursor = if is_cut {
                Some(Cursor { topic_name: name, partition_index: (first + count) as i32 })
            } else {
                let next = selected.peek();
                next.map(|(name, _)| Cursor { topic_name: name.clone(), partition_index: 0 })
            };
            break;
        }
    }
    page
}

fn describe(
    topic: &TopicView,
    leader: Leader,
    first: usize,
    count_max: usize,
) -> DescribeTopicPartitionsResponseTopic {
    let partition = |index: u32| DescribeTopicPartitionsResponsePartition {
        partition_index: index as i32,
        leader_id: leader.node_id,
        leader_epoch: leader.epoch,
        replica_nodes: vec![leader.node_id],
        isr_nodes: vec![leader.node_id],
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        ..Default::default()
    };
    let slots = topic.partitions.iter().skip(first).take(count_max);
    DescribeTopicPartitionsResponseTopic {
        name: Some(Str::from(&*topic.name)),
        topic_id: topic.id.0,
        is_internal: topic_name::INTERNAL.contains(&&*topic.name),
        partitions: slots.map(|slot| partition(slot.index)).collect(),
        topic_authorized_operations: ALL_OPERATIONS,
        ..Default::default()
    }
}

fn unknown(name: &Str) -> DescribeTopicPartitionsResponseTopic {
    let is_name = topic_name::check(name).is_ok();
    DescribeTopicPartitionsResponseTopic {
        error_code: if is_name {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        } else {
            ErrorCode::INVALID_TOPIC_EXCEPTION
        },
        name: Some(name.clone()),
        topic_authorized_operations: ALL_OPERATIONS,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callboard_actors::broker::topics::PartitionSlot;
    use callboard_actors::config::{TopicConfig, TopicDefaults, Values};
    use callboard_storage::{PartitionId, TopicId};

    const LEADER: Leader = Leader { node_id: 1, epoch: 4 };

    fn topic(name: &str, partitions: u32) -> Selected {
        let defaults = TopicDefaults::from_values(&Values::default()).unwrap();
        let slots = (0..partitions).map(|index| PartitionSlot::new(PartitionId(index), index));
        let config = TopicConfig::inherited(&defaults);
        let topic = TopicView::new(TopicId::default(), name.into(), config, slots);
        (name.into(), Some(Arc::new(topic)))
    }

    fn request(limit: i32, cursor: Option<(&str, i32)>) -> DescribeTopicPartitionsRequest {
        let cursor =
            cursor.map(|(name, partition_index)| Cursor { topic_name: name.into(), partition_index });
        DescribeTopicPartitionsRequest { response_partition_limit: limit, cursor, ..Default::default() }
    }

    /// Names with their partitions on the page, and where the next one begins.
    type Shape<'a> = (Vec<(&'a str, Vec<i32>)>, Option<(&'a str, i32)>);

    fn shape(page: &DescribeTopicPartitionsResponse) -> Shape<'_> {
        let partitions = |topic: &DescribeTopicPartitionsResponseTopic| {
            topic.partitions.iter().map(|partition| partition.partition_index).collect()
        };
        let topics = page.topics.iter().map(|topic| (topic.name.as_deref().unwrap(), partitions(topic)));
        let next = page.next_cursor.as_ref().map(|next| (next.topic_name.as_str(), next.partition_index));
        (topics.collect(), next)
    }

    #[test]
    fn a_page_ends_inside_a_topic_and_goes_on_there() {
        let topics = || vec![topic("a", 3), topic("b", 2)];
        let first = page(topics(), LEADER, &request(4, None));
        assert_eq!(shape(&first), (vec![("a", vec![0, 1, 2]), ("b", vec![0])], Some(("b", 1))));
        let second = page(vec![topic("b", 2)], LEADER, &request(4, Some(("b", 1))));
        assert_eq!(shape(&second), (vec![("b", vec![1])], None));
    }

    #[test]
    fn a_page_that_ends_with_a_topic_goes_on_with_the_next() {
        let ended = page(vec![topic("a", 3), topic("b", 2)], LEADER, &request(3, None));
        assert_eq!(shape(&ended), (vec![("a", vec![0, 1, 2])], Some(("b", 0))));
        let whole = page(vec![topic("a", 3)], LEADER, &request(3, None));
        assert_eq!(shape(&whole).1, None);
    }

    #[test]
    fn a_limit_below_one_is_one_and_unknown_topics_do_not_count() {
        let topics = vec![("aaa".into(), None), topic("b", 2)];
        let found = page(topics, LEADER, &request(0, None));
        assert_eq!(shape(&found), (vec![("aaa", vec![]), ("b", vec![0])], Some(("b", 1))));
        assert_eq!(found.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(unknown(&"a b".into()).error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
    }

    #[test]
    fn a_cursor_behind_the_last_partition_goes_on_with_the_next_topic() {
        let found = page(vec![topic("a", 3), topic("b", 1)], LEADER, &request(9, Some(("a", 77))));
        assert_eq!(shape(&found), (vec![("a", vec![]), ("b", vec![0])], None));
    }

    #[test]
    fn a_cursor_must_be_at_a_topic_that_is_asked_for() {
        let asking = |names: &[&str], cursor| DescribeTopicPartitionsRequest {
            topics: names.iter().map(|name| TopicRequest { name: (*name).into() }).collect(),
            ..request(9, Some(cursor))
        };
        assert!(is_in_range(&asking(&["a"], ("a", 0))));
        assert!(is_in_range(&asking(&[], ("a", 0))));
        assert!(!is_in_range(&asking(&["a"], ("b", 0))));
        assert!(!is_in_range(&asking(&["a"], ("a", -1))));
    }
}
