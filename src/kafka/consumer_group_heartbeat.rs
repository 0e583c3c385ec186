//! ConsumerGroupHeartbeat, versions 0 to 1: a member of a group that the broker assigns to (KIP-848) enters,
//! lives or leaves.

use super::error_code::Code;
use super::groups;
use super::{Caller, Edge, Refused};
use callboard_actors::consumer_group::heartbeat::{
    Beat, BeatError, Beaten, ConsumerHeartbeat, NAMES_BYTES_MAX, TOPICS_BYTES_MAX, TopicPartitions,
    check_assignor,
};
use callboard_actors::consumer_group::leave::{Absence, ConsumerLeave};
use callboard_actors::coordinator::groups::Kind;
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::names::MemberId;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions as Partitions,
};
use callboard_protocol::wire::Str;
use callboard_storage::TopicId;
use std::sync::Arc;

/// Bytes of an answer's message.
const MESSAGE_BYTES_MAX: usize = 1024;

const ENTERS: i32 = 0;
const LEAVES: i32 = -1;
const LEAVES_FOR_A_WHILE: i32 = -2;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: ConsumerGroupHeartbeatRequest,
) -> Result<ConsumerGroupHeartbeatResponse, Refused> {
    caller.check_partitions(request.subscribed_topic_names.as_ref().map_or(0, Vec::len))?;
    // A member says what it has; that may be all that there is.
    let owned = request.topic_partitions.iter().flatten().map(|topic| topic.partitions.len());
    let (owned, max) = (owned.sum::<usize>(), edge.broker.settings().topics.partitions_max);
    if owned > max {
        return Err(Refused::TooManyPartitions { named: owned, max });
    }
    if let Err(problem) = check(&request, caller.version) {
        return Ok(refusal(ErrorCode::INVALID_REQUEST, Some(problem.into())));
    }
    if let Err(error) = check_assignor(request.server_assignor.as_deref()) {
        return Ok(refusal(error.code(), Some(error.to_string())));
    }
    // A group that somebody tried to enter in vain is not there.
    if request.member_epoch != ENTERS && !edge.broker.groups().exists(&request.group_id) {
        let code = LocateGroupError::Unknown.code();
        return Ok(refusal(code, missing_group(code, &request.group_id)));
    }
    Ok(match request.member_epoch {
        LEAVES => leave(&edge, &request, Absence::ForGood).await,
        LEAVES_FOR_A_WHILE => leave(&edge, &request, Absence::ForAWhile).await,
        _ => beat(&edge, request, &caller).await,
    })
}

/// What a request must hold, in Kafka's order.
fn check(request: &ConsumerGroupHeartbeatRequest, version: i16) -> Result<(), &'static str> {
    let is_blank = |text: &str| text.trim().is_empty();
    let is_given = |text: &Option<Str>| text.as_deref().is_none_or(|text| !is_blank(text));
    let epoch = request.member_epoch;
    let rules = [
        (
            !is_blank(&request.member_id) || !(version >= 1 || epoch > ENTERS || epoch == LEAVES),
            "MemberId can't be empty.",
        ),
        (!is_blank(&request.group_id), "GroupId can't be empty."),
        (is_given(&request.instance_id), "InstanceId can't be empty."),
        (is_given(&request.rack_id), "RackId can't be empty."),
        (
            epoch != ENTERS || request.rebalance_timeout_ms != -1,
            "RebalanceTimeoutMs must be provided in first request.",
        ),
        (
            epoch != ENTERS || request.topic_partitions.as_ref().is_some_and(Vec::is_empty),
            "TopicPartitions must be empty when (re-)joining.",
        ),
        (
            epoch != ENTERS
                || request.subscribed_topic_names.is_some()
                || request.subscribed_topic_regex.is_some(),
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
        ),
        (
            epoch != LEAVES_FOR_A_WHILE || request.instance_id.is_some(),
            "InstanceId can't be null when leaving for a while.",
        ),
        (epoch >= LEAVES_FOR_A_WHILE, "MemberEpoch is invalid."),
        (names_bytes(request) <= NAMES_BYTES_MAX, "GroupId and MemberId are too long."),
        (topics_bytes(request) <= TOPICS_BYTES_MAX, "SubscribedTopicNames are too long."),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, problem)| Err(problem))
}

fn names_bytes(request: &ConsumerGroupHeartbeatRequest) -> usize {
    request.group_id.len() + request.member_id.len()
}

fn topics_bytes(request: &ConsumerGroupHeartbeatRequest) -> usize {
    request.subscribed_topic_names.iter().flatten().map(|name| name.len()).sum()
}

async fn beat(
    edge: &Edge,
    request: ConsumerGroupHeartbeatRequest,
    caller: &Caller,
) -> ConsumerGroupHeartbeatResponse {
    let text = |text: &Option<Str>| text.as_ref().map(String::from);
    let owned = |topics: &Vec<Partitions>| {
        let mut owned = TopicPartitions::new();
        for topic in topics {
            owned.entry(TopicId(topic.topic_id)).or_default().extend(&topic.partitions);
        }
        owned
    };
    let beat = Arc::new(Beat {
        member: groups::member(&request.member_id),
        epoch: request.member_epoch,
        instance: groups::instance(request.instance_id.as_ref()),
        client_id: caller.client_id.as_ref().map(String::from).unwrap_or_default(),
        client_host: groups::host(caller.peer),
        rack: text(&request.rack_id),
        rebalance_timeout_ms: Some(request.rebalance_timeout_ms).filter(|ms| *ms != -1),
        topics: request.subscribed_topic_names.as_ref().map(|it| it.iter().map(String::from).collect()),
        pattern: text(&request.subscribed_topic_regex),
        assignor: text(&request.server_assignor),
        owned: request.topic_partitions.as_ref().map(owned),
    });
    let enters = request.member_epoch == ENTERS;
    let missing = if enters { Missing::Create(Kind::Consumer) } else { Missing::Refuse };
    let message = |reply| ConsumerHeartbeat { beat: Arc::clone(&beat), reply };
    let unknown = LocateGroupError::Unknown.code();
    match groups::ask(edge, &request.group_id, missing, unknown, message).await {
        Ok(Ok(beaten)) => answer(beaten),
        Ok(Err(error)) => refused(&error),
        Err(code) => refusal(code, missing_group(code, &request.group_id)),
    }
}

async fn leave(
    edge: &Edge,
    request: &ConsumerGroupHeartbeatRequest,
    absence: Absence,
) -> ConsumerGroupHeartbeatResponse {
    let message = |reply| ConsumerLeave {
        member: MemberId::from(request.member_id.as_str()),
        instance: groups::instance(request.instance_id.as_ref()),
        absence,
        reply,
    };
    let unknown = LocateGroupError::Unknown.code();
    match groups::ask(edge, &request.group_id, Missing::Refuse, unknown, message).await {
        Ok(Ok(())) => ConsumerGroupHeartbeatResponse {
            member_id: Some(request.member_id.clone()),
            member_epoch: request.member_epoch,
            ..Default::default()
        },
        Ok(Err(error)) => refused(&error),
        Err(code) => refusal(code, missing_group(code, &request.group_id)),
    }
}

fn missing_group(code: ErrorCode, group: &str) -> Option<String> {
    (code == ErrorCode::GROUP_ID_NOT_FOUND).then(|| format!("Group {group} not found."))
}

fn answer(beaten: Beaten) -> ConsumerGroupHeartbeatResponse {
    let Beaten { member, epoch, interval, assignment } = beaten;
    let topic = |(topic, partitions): (TopicId, Vec<i32>)| Partitions { topic_id: topic.0, partitions };
    ConsumerGroupHeartbeatResponse {
        member_id: Some((&*member).into()),
        member_epoch: epoch,
        heartbeat_interval_ms: i32::try_from(interval.as_millis()).unwrap_or(i32::MAX),
        assignment: assignment
            .map(|all| Assignment { topic_partitions: all.into_iter().map(topic).collect() }),
        ..Default::default()
    }
}

fn refused(error: &BeatError) -> ConsumerGroupHeartbeatResponse {
    refusal(error.code(), Some(error.to_string()))
}

fn refusal(error_code: ErrorCode, message: Option<String>) -> ConsumerGroupHeartbeatResponse {
    let error_message = message.map(|mut message| {
        // It may repeat what the client said.
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        Str::from(message)
    });
    ConsumerGroupHeartbeatResponse { error_code, error_message, ..Default::default() }
}
