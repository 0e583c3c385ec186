//! Metadata, versions 0 to 13: the one broker, and the topics with their partitions, which it leads all.
//!
//! A topic that is asked for by name and is not there may be created on the way. Kafka then answers
//! that it is unknown and has it a moment later; here it is there at once.

use super::{Caller, Edge, Refused};
use callboard_actors::broker::create_topics::{CreateTopicError, Mode, NewTopic, PARTITIONS_PER_REQUEST_MAX};
use callboard_actors::broker::topic_name;
use callboard_actors::broker::topics::{PartitionSlot, TopicView, Topics};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use callboard_protocol::wire::Str;
use callboard_storage::TopicId;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// The first version in which a topic can be asked for by its id.
const IDS_SINCE: i16 = 12;

/// One bit for each operation on the cluster that Kafka knows: a client may do all of them.
const CLUSTER_OPERATIONS: i32 = 8096;
/// One bit for each operation on a topic that Kafka knows: a client may do all of them.
const TOPIC_OPERATIONS: i32 = 3576;

/// Creates what may be created, which waits for the disk, and gives what makes the answer.
pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: MetadataRequest,
) -> Result<impl FnOnce() -> MetadataResponse, Refused> {
    caller.check_partitions(request.topics.as_ref().map_or(0, Vec::len))?;
    let asked = Asked::read(&request, caller.version);
    let being_created = match &asked {
        Ok(Asked::Names(names)) => create_missing(&edge, names, &request).await,
        Ok(Asked::All | Asked::Ids(_)) | Err(_) => HashSet::new(),
    };
    Ok(move || match asked {
        Ok(asked) => answer(&edge, asked, &request, &being_created),
        Err(code) => refuse(request, code),
    })
}

fn answer(
    edge: &Edge,
    asked: Asked,
    request: &MetadataRequest,
    being_created: &HashSet<Str>,
) -> MetadataResponse {
    let cluster_operations = request.include_cluster_authorized_operations;
    MetadataResponse {
        brokers: vec![broker(edge)],
        cluster_id: Some(edge.broker.identity().cluster_id.as_str().into()),
        controller_id: edge.node_id(),
        topics: asked.answer(edge, request, being_created),
        cluster_authorized_operations: if cluster_operations { CLUSTER_OPERATIONS } else { i32::MIN },
        ..Default::default()
    }
}

/// The topics that a request is about.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    All,
    /// Each once.
    Names(Vec<Str>),
    /// Each once.
    Ids(Vec<Uuid>),
}

impl Asked {
    /// Reads a request of that version; the error is for all of it. Where one topic has an id, those
    /// without are not looked at.
    fn read(request: &MetadataRequest, version: i16) -> Result<Self, ErrorCode> {
        let Some(topics) = request.topics.as_ref().filter(|topics| version > 0 || !topics.is_empty()) else {
            return Ok(Self::All);
        };
        let is_plain = |topic: &MetadataRequestTopic| topic.name.is_some() && topic.topic_id.is_nil();
        if version < IDS_SINCE && !topics.iter().all(is_plain) {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        let mut seen = HashSet::new();
        let ids = topics.iter().map(|topic| topic.topic_id).filter(|id| !id.is_nil());
        let ids: Vec<_> = ids.filter(|id| seen.insert(*id)).collect();
        if !ids.is_empty() {
            return Ok(Self::Ids(ids));
        }
        let mut seen = HashSet::new();
        let names: Option<Vec<_>> = topics.iter().map(|topic| topic.name.clone()).collect();
        let names = names.ok_or(ErrorCode::UNKNOWN_SERVER_ERROR)?;
        Ok(Self::Names(names.into_iter().filter(|name| seen.insert(name.clone())).collect()))
    }

    fn answer(
        self,
        edge: &Edge,
        request: &MetadataRequest,
        being_created: &HashSet<Str>,
    ) -> Vec<MetadataResponseTopic> {
        let asked_operations = request.include_topic_authorized_operations;
        let writer = TopicWriter {
            node_id: edge.node_id(),
            leader_epoch: edge.broker.leader_epoch(),
            operations: if asked_operations { TOPIC_OPERATIONS } else { i32::MIN },
        };
        let topics = edge.broker.topics();
        match self {
            Self::All => topics.iter().map(|topic| writer.found(topic)).collect(),
            Self::Ids(ids) => ids.into_iter().map(|id| writer.by_id(id, &topics)).collect(),
            Self::Names(names) => {
                names.into_iter().map(|name| writer.by_name(name, &topics, being_created)).collect()
            }
        }
    }
}

/// Creates those topics that may be, and says which will only be there later.
async fn create_missing(edge: &Edge, names: &[Str], request: &MetadataRequest) -> HashSet<Str> {
    let settings = edge.broker.settings();
    let rules = &settings.topics;
    if !(request.allow_auto_topic_creation && rules.auto_create) {
        return HashSet::new();
    }
    let topics = edge.broker.topics();
    let is_creatable = |name: &&Str| {
        topics.get(name).is_none() && topic_name::check(name).is_ok() && !topic_name::is_reserved(name)
    };
    let mut missing: Vec<Str> = names.iter().filter(is_creatable).cloned().collect();
    drop(topics);
    // More than one request may create is refused altogether; the client asks for the rest again.
    let at_once = PARTITIONS_PER_REQUEST_MAX / usize::try_from(rules.partitions).unwrap_or(1).max(1);
    let later = missing.split_off(missing.len().min(at_once));
    let new = |name: &Str| NewTopic { name: name.into(), ..NewTopic::default() };
    let outcomes = edge.broker.create_topics(missing.iter().map(new).collect(), Mode::Apply).await;
    let being_created = missing.into_iter().zip(outcomes).filter_map(|(name, outcome)| match outcome {
        Ok(_) => None,
        // Another client was faster, and its topic may not be there yet.
        Err(CreateTopicError::Exists(_)) => Some(name),
        Err(error) => {
            tracing::debug!(topic = %name, %error, "a topic that was asked for is not created");
            None
        }
    });
    being_created.chain(later).collect()
}

fn is_internal(name: &str) -> bool {
    topic_name::INTERNAL.contains(&name)
}

/// Writes topics into an answer.
#[derive(Debug, Clone, Copy)]
struct TopicWriter {
    node_id: i32,
    leader_epoch: i32,
    operations: i32,
}

impl TopicWriter {
    fn by_name(self, name: Str, topics: &Topics, being_created: &HashSet<Str>) -> MetadataResponseTopic {
        if let Some(topic) = topics.get(&name) {
            return self.found(topic);
        }
        let error_code = if topic_name::check(&name).is_err() {
            ErrorCode::INVALID_TOPIC_EXCEPTION
        } else if being_created.contains(&name) {
            ErrorCode::LEADER_NOT_AVAILABLE
        } else {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        };
        MetadataResponseTopic {
            error_code,
            is_internal: is_internal(&name),
            name: Some(name),
            topic_authorized_operations: self.operations,
            ..Default::default()
        }
    }

    fn by_id(self, topic_id: Uuid, topics: &Topics) -> MetadataResponseTopic {
        match topics.get_by_id(TopicId(topic_id)) {
            Some(topic) => self.found(topic),
            None => MetadataResponseTopic {
                error_code: ErrorCode::UNKNOWN_TOPIC_ID,
                name: None,
                topic_id,
                ..Default::default()
            },
        }
    }

    fn found(self, topic: &Arc<TopicView>) -> MetadataResponseTopic {
        MetadataResponseTopic {
            error_code: ErrorCode::NONE,
            name: Some((&*topic.name).into()),
            topic_id: topic.id.0,
            is_internal: is_internal(&topic.name),
            partitions: topic.partitions.iter().map(|slot| self.partition(slot)).collect(),
            topic_authorized_operations: self.operations,
        }
    }

    fn partition(self, slot: &PartitionSlot) -> MetadataResponsePartition {
        MetadataResponsePartition {
            error_code: ErrorCode::NONE,
            partition_index: slot.index as i32,
            leader_id: self.node_id,
            leader_epoch: self.leader_epoch,
            replica_nodes: vec![self.node_id],
            isr_nodes: vec![self.node_id],
            offline_replicas: Vec::new(),
        }
    }
}

fn broker(edge: &Edge) -> MetadataResponseBroker {
    MetadataResponseBroker {
        node_id: edge.node_id(),
        host: edge.host.clone(),
        port: edge.port.into(),
        rack: edge.broker.settings().rack.as_deref().map(Str::from),
    }
}

/// The same error for the answer and for each of its topics.
fn refuse(request: MetadataRequest, error_code: ErrorCode) -> MetadataResponse {
    let refuse = |topic: MetadataRequestTopic| MetadataResponseTopic {
        error_code,
        // Versions that have this error cannot say that there is no name.
        name: Some(topic.name.unwrap_or_default()),
        topic_id: topic.topic_id,
        ..Default::default()
    };
    let topics = request.topics.unwrap_or_default().into_iter().map(refuse).collect();
    MetadataResponse { topics, error_code, ..Default::default() }
}

#[cfg(test)]
mod tests;
