//! Offsets that groups commit: writing, reading and forgetting them.

use super::members::ask;
use super::read::check_once;
use super::refusals::Refused;
use super::{Native, find};
use callboard_actors::coordinator::groups::Kind;
use callboard_actors::coordinator::locate::{LocateGroupError, Missing};
use callboard_actors::names::{InstanceId, MemberId};
use callboard_actors::offsets::commit::{self, Committing, Epochs, MetadataTooLarge};
use callboard_actors::offsets::delete::{self, DeletedTopic, Subscribed};
use callboard_actors::offsets::fetch::{self, FetchedOffset, Fetching};
use callboard_protocol::native::groups::{
    CommitOffsets, CommittedOffset, DeleteOffsets, FetchOffsets, OffsetsCommitted, OffsetsFetched,
};
use callboard_protocol::native::topics::Outcomes;
use callboard_protocol::native::{Code, Refusal, TopicPartition};
use callboard_storage::TopicId;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) async fn commit(native: &Native, commit: CommitOffsets) -> Result<OffsetsCommitted, Refusal> {
    native.check_count(commit.offsets.len())?;
    let topics = native.broker.topics();
    let found: Vec<_> = commit.offsets.iter().map(|new| find(&topics, new.partition).map(|_| ())).collect();
    drop(topics);
    let offsets = commit.offsets.into_iter().zip(&found).filter(|(_, found)| found.is_ok());
    let offsets = offsets.map(|(new, _)| commit::NewOffset {
        partition: (TopicId(new.partition.topic), new.partition.partition as i32),
        offset: new.offset,
        leader_epoch: -1,
        metadata: new.metadata,
    });
    let offsets: Arc<Vec<_>> = Arc::new(offsets.collect());
    if offsets.is_empty() {
        return Ok(OffsetsCommitted { outcomes: found });
    }
    let from = Committing {
        member: commit.member.as_deref().map(MemberId::from),
        instance: commit.instance.as_deref().map(InstanceId::from),
        generation: commit.epoch,
        epochs: Epochs::Known,
    };
    let missing = if from.generation < 0 { Missing::Create(Kind::Classic) } else { Missing::Refuse };
    if missing == Missing::Refuse && !native.broker.groups().exists(&commit.group) {
        return Err(LocateGroupError::Unknown.refusal());
    }
    let message = |reply| commit::CommitOffsets {
        from: from.clone(),
        offsets: Arc::clone(&offsets),
        retention: None,
        reply,
    };
    let committed = ask(native, &commit.group.as_str().into(), missing, message).await?;
    let mut committed = committed.map_err(|error| error.refusal())?.into_iter();
    let outcomes = found.into_iter().map(|found| {
        found.and_then(|()| match committed.next() {
            Some(Err(MetadataTooLarge)) => {
                Err(Refusal::new(Code::METADATA_TOO_LARGE, "what stands beside the offset is too long"))
            }
            Some(Ok(())) | None => Ok(()),
        })
    });
    Ok(OffsetsCommitted { outcomes: outcomes.collect() })
}

pub(super) async fn fetch(native: &Native, fetch: FetchOffsets) -> Result<OffsetsFetched, Refusal> {
    native.check_count(fetch.partitions.as_ref().map_or(0, Vec::len))?;
    check_once(fetch.partitions.iter().flatten().copied())?;
    if !native.broker.groups().exists(&fetch.group) {
        // A group that is not there has committed nothing, unless it is asked by a member.
        if fetch.epoch >= 0 {
            return Err(LocateGroupError::Unknown.refusal());
        }
        let nothing = |partition| CommittedOffset { partition, offset: None, metadata: String::new() };
        let offsets = fetch.partitions.into_iter().flatten().map(nothing).collect();
        return Ok(OffsetsFetched { offsets });
    }
    let from = Fetching { member: fetch.member.as_deref().map(MemberId::from), epoch: fetch.epoch };
    let partition = |it: &TopicPartition| (TopicId(it.topic), it.partition as i32);
    let partitions = fetch.partitions.map(|all| Arc::new(all.iter().map(partition).collect()));
    let message = |reply| fetch::FetchOffsets { from: from.clone(), partitions: partitions.clone(), reply };
    let fetched = ask(native, &fetch.group.as_str().into(), Missing::Refuse, message).await?;
    let fetched = fetched.map_err(|error| error.refusal())?;
    Ok(OffsetsFetched { offsets: fetched.into_iter().map(committed).collect() })
}

fn committed(fetched: FetchedOffset) -> CommittedOffset {
    let (topic, partition) = fetched.partition;
    CommittedOffset {
        partition: TopicPartition { topic: topic.0, partition: partition as u32 },
        offset: fetched.committed.as_ref().map(|row| row.offset),
        metadata: fetched.committed.map(|row| row.metadata).unwrap_or_default(),
    }
}

pub(super) async fn delete(native: &Native, delete: DeleteOffsets) -> Result<Outcomes, Refusal> {
    native.check_count(delete.partitions.len())?;
    if !native.broker.groups().exists(&delete.group) {
        return Err(LocateGroupError::Unknown.refusal());
    }
    let topics = native.broker.topics();
    let found: Vec<_> = delete.partitions.iter().map(|partition| find(&topics, *partition)).collect();
    drop(topics);
    // The group is asked topic by topic, because it says of a topic whether it subscribes to it.
    let mut by_topic: BTreeMap<TopicId, DeletedTopic> = BTreeMap::new();
    for (topic, slot) in found.iter().filter_map(|found| found.as_ref().ok()) {
        let new = || DeletedTopic { name: topic.name.to_string(), partitions: Vec::new() };
        by_topic.entry(topic.id).or_insert_with(new).partitions.push((topic.id, slot.index as i32));
    }
    let (ids, deleted): (Vec<_>, Vec<_>) = by_topic.into_iter().unzip();
    let deleted = Arc::new(deleted);
    let message = |reply| delete::DeleteOffsets { topics: Arc::clone(&deleted), reply };
    let outcomes = ask(native, &delete.group.as_str().into(), Missing::Refuse, message).await?;
    let outcomes = outcomes.map_err(|error| error.refusal())?;
    let outcomes: BTreeMap<_, _> = ids.into_iter().zip(outcomes).collect();
    let outcome = |found: Result<(Arc<_>, _), Refusal>| {
        let (topic, _): (Arc<callboard_actors::broker::topics::TopicView>, _) = found?;
        match outcomes.get(&topic.id) {
            Some(Err(Subscribed)) => {
                Err(Refusal::new(Code::SUBSCRIBED, format!("the group subscribes to topic {}", topic.name)))
            }
            Some(Ok(())) | None => Ok(()),
        }
    };
    Ok(Outcomes { outcomes: found.into_iter().map(outcome).collect() })
}
