//! Members of groups: one lives, and says what it wants and has, or goes.

use super::refusals::Refused;
use super::{Caller, Native};
use actix::{Handler, Message};
use callboard_actors::consumer_group::ConsumerGroup;
use callboard_actors::consumer_group::heartbeat::{
    self, ConsumerHeartbeat, NAMES_BYTES_MAX, TOPICS_BYTES_MAX, TopicPartitions, check_assignor,
};
use callboard_actors::consumer_group::leave::{Absence, ConsumerLeave};
use callboard_actors::coordinator::groups::Kind;
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::group::Group;
use callboard_actors::names::{GroupId, InstanceId, MemberId};
use callboard_protocol::native::groups::{Beat, Beaten, Leave};
use callboard_protocol::native::read::Done;
use callboard_protocol::native::{Code, Refusal, TopicPartition};
use callboard_storage::TopicId;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The epoch of a member that enters.
const ENTERS: i32 = 0;

pub(super) async fn beat(native: &Native, caller: &Caller, beat: Beat) -> Result<Beaten, Refusal> {
    native.check_count(beat.topics.as_ref().map_or(0, Vec::len))?;
    let owned = beat.owned.as_ref().map_or(0, Vec::len);
    if owned > native.broker.settings().topics.partitions_max {
        return Err(Refusal::new(Code::LIMIT_REACHED, "the member has more partitions than there may be"));
    }
    check(&beat).map_err(|problem| Refusal::new(Code::INVALID_REQUEST, problem))?;
    check_assignor(beat.assignor.as_deref()).map_err(|error| error.refusal())?;
    let enters = beat.epoch == ENTERS;
    if !enters && !native.broker.groups().exists(&beat.group) {
        return Err(LocateGroupError::Unknown.refusal());
    }
    let missing = if enters { Missing::Create(Kind::Consumer) } else { Missing::Refuse };
    let group = GroupId::from(beat.group.as_str());
    let beat = Arc::new(said(caller, beat));
    let told =
        ask(native, &group, missing, |reply| ConsumerHeartbeat { beat: Arc::clone(&beat), reply }).await?;
    let told = told.map_err(|error| error.refusal())?;
    Ok(Beaten {
        epoch: told.epoch,
        interval_ms: u32::try_from(told.interval.as_millis()).unwrap_or(u32::MAX),
        assignment: told.assignment.map(flat),
    })
}

pub(super) async fn leave(native: &Native, leave: Leave) -> Result<Done, Refusal> {
    if !native.broker.groups().exists(&leave.group) {
        return Err(LocateGroupError::Unknown.refusal());
    }
    if leave.for_a_while && leave.instance.is_none() {
        return Err(Refusal::new(Code::INVALID_REQUEST, "only a static member leaves for a while"));
    }
    let message = |reply| ConsumerLeave {
        member: MemberId::from(leave.member.as_str()),
        instance: leave.instance.as_deref().map(InstanceId::from),
        absence: if leave.for_a_while { Absence::ForAWhile } else { Absence::ForGood },
        reply,
    };
    let left = ask(native, &leave.group.as_str().into(), Missing::Refuse, message).await?;
    left.map(|()| Done {}).map_err(|error| error.refusal())
}

/// Sends a message to a group and waits for the answer, or until the broker stops.
pub(super) async fn ask<M, T, E>(
    native: &Native,
    group: &GroupId,
    missing: Missing,
    message: impl Fn(oneshot::Sender<Result<T, E>>) -> M,
) -> Result<Result<T, E>, Refusal>
where
    Group: Handler<M>,
    ConsumerGroup: Handler<M>,
    M: Message<Result = ()> + Send + 'static,
    T: 'static,
    E: 'static,
{
    tokio::select! {
        biased;
        answer = native.broker.ask_group(group, missing, message) => answer.map_err(|error| error.refusal()),
        () = native.stopping.cancelled() => Err(Refusal::new(Code::STOPPING, "the broker stops")),
    }
}

/// What a request must hold.
fn check(beat: &Beat) -> Result<(), &'static str> {
    let enters = beat.epoch == ENTERS;
    let is_blank = |text: &str| text.trim().is_empty();
    let is_given = |text: &Option<String>| text.as_deref().is_none_or(|text| !is_blank(text));
    let topics_bytes: usize = beat.topics.iter().flatten().map(String::len).sum();
    let rules = [
        (!is_blank(&beat.group), "the group has no name"),
        (!is_blank(&beat.member), "the member has no id"),
        (beat.epoch >= ENTERS, "the epoch is negative"),
        (is_given(&beat.instance), "the instance has no name"),
        (is_given(&beat.rack), "the rack has no name"),
        (!enters || beat.rebalance_timeout_ms.is_some(), "who enters says its rebalance timeout"),
        (!enters || beat.owned.as_ref().is_some_and(Vec::is_empty), "who enters has no partitions"),
        (!enters || beat.topics.is_some() || beat.pattern.is_some(), "who enters subscribes to something"),
        (
            beat.group.len() + beat.member.len() <= NAMES_BYTES_MAX,
            "the group's and member's names are too long",
        ),
        (topics_bytes <= TOPICS_BYTES_MAX, "the names of the topics are too long"),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, problem)| Err(problem))
}

fn said(caller: &Caller, beat: Beat) -> heartbeat::Beat {
    heartbeat::Beat {
        member: Some(MemberId::from(beat.member.as_str())),
        epoch: beat.epoch,
        instance: beat.instance.as_deref().map(InstanceId::from),
        client_id: caller.client_id.clone(),
        client_host: caller.host.clone(),
        rack: beat.rack,
        rebalance_timeout_ms: beat.rebalance_timeout_ms,
        topics: beat.topics,
        pattern: beat.pattern,
        assignor: beat.assignor,
        owned: beat.owned.map(by_topic),
    }
}

fn by_topic(partitions: Vec<TopicPartition>) -> TopicPartitions {
    let mut topics = TopicPartitions::new();
    for TopicPartition { topic, partition } in partitions {
        topics.entry(TopicId(topic)).or_default().push(partition as i32);
    }
    topics
}

fn flat(topics: TopicPartitions) -> Vec<TopicPartition> {
    let all = topics.into_iter().flat_map(|(topic, partitions)| {
        partitions.into_iter().map(move |index| TopicPartition { topic: topic.0, partition: index as u32 })
    });
    all.collect()
}
