//! The native protocol: requests to messages, the call, replies to answers.
//!
//! A request is the same whether it came by a socket ([`door`]) or from the program that the broker
//! runs in ([`in_process`]): [`start`] begins it. Each subject has a file; what a client gets as a
//! code is in [`refusals`].

mod cluster;
mod configs;
pub mod door;
mod group_admin;
pub mod in_process;
mod members;
mod offsets;
mod produce;
mod read;
mod readings;
mod refusals;
mod topics;

use bytes::Bytes;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::broker::answers::Overdraft;
use callboard_actors::broker::topics::{PartitionSlot, TopicView, Topics};
use callboard_actors::config::AdvertisedAddress;
use callboard_protocol::native::{Code, Refusal, Request, Response, TopicPartition};
use callboard_storage::TopicId;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What every operation needs.
#[derive(Debug)]
pub struct Native {
    /// The broker.
    pub broker: BrokerHandle,
    /// Tells that the broker stops: nothing is waited for any more.
    pub stopping: CancellationToken,
    /// Where clients are listened to.
    pub addresses: Addresses,
}

/// Where clients are listened to, by protocol; none where they are not.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// Where Kafka clients are sent.
    pub kafka: Option<AdvertisedAddress>,
    /// Where Kafka clients connect.
    pub kafka_bound: Option<SocketAddr>,
    /// Where native clients connect.
    pub native: Option<SocketAddr>,
}

/// Who sends requests.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the client calls itself.
    pub client_id: String,
    /// Where it is.
    pub host: String,
    /// What it may have when answers that are not read take up all their room.
    pub overdraft: Overdraft,
}

/// An answer, with its record batches beside it.
pub type Reply = Result<(Response, Vec<Bytes>), Refusal>;

/// A request that has begun.
pub enum Started {
    /// All that must happen in order has happened.
    Answering(BoxFuture<'static, Reply>),
    /// The next request must wait for this.
    Waiting(BoxFuture<'static, BoxFuture<'static, Reply>>),
    /// Something is done before the answer is made.
    Preparing(BoxFuture<'static, BoxFuture<'static, Reply>>),
}

/// Begins a request, but for those that belong to a connection: the greeting, and readings.
pub fn start(native: &Arc<Native>, caller: &Caller, request: Request, batches: Vec<Bytes>) -> Started {
    let native = Arc::clone(native);
    let answering: BoxFuture<'static, Reply> = match request {
        Request::Produce(produce) => return produce::start(&native, &produce, batches),
        Request::Fetch(fetch) => {
            let overdraft = caller.overdraft.clone();
            Box::pin(async move { read::fetch(&native, fetch, overdraft).await })
        }
        Request::ListOffsets(list) => {
            answer(Response::ListOffsets, async move { read::list_offsets(&native, &list).await })
        }
        Request::NewProducer(_) => {
            answer(Response::NewProducer, async move { produce::new_producer(&native).await })
        }
        Request::ListTopics(list) => return Started::Preparing(topics::list(native, list)),
        Request::CreateTopics(create) => {
            answer(Response::CreateTopics, async move { topics::create(&native, create).await })
        }
        Request::DeleteTopics(delete) => {
            answer(Response::DeleteTopics, async move { topics::delete(&native, delete).await })
        }
        Request::CreatePartitions(create) => {
            answer(Response::CreatePartitions, async move { topics::grow(&native, create).await })
        }
        Request::Beat(beat) => {
            let caller = caller.clone();
            answer(Response::Beat, async move { members::beat(&native, &caller, beat).await })
        }
        Request::Leave(leave) => answer(Response::Leave, async move { members::leave(&native, leave).await }),
        Request::CommitOffsets(commit) => {
            answer(Response::CommitOffsets, async move { offsets::commit(&native, commit).await })
        }
        Request::FetchOffsets(fetch) => {
            answer(Response::FetchOffsets, async move { offsets::fetch(&native, fetch).await })
        }
        Request::DeleteOffsets(delete) => {
            answer(Response::DeleteOffsets, async move { offsets::delete(&native, delete).await })
        }
        Request::ListGroups(_) => answer(Response::ListGroups, async move { Ok(group_admin::list(&native)) }),
        Request::DescribeGroup(describe) => {
            answer(
                Response::DescribeGroup,
                async move { group_admin::describe(&native, &describe.group).await },
            )
        }
        Request::DeleteGroups(delete) => {
            answer(Response::DeleteGroups, async move { group_admin::delete(&native, delete).await })
        }
        Request::DescribeConfigs(describe) => {
            answer(Response::DescribeConfigs, async move { configs::describe(&native, describe) })
        }
        Request::AlterConfigs(alter) => {
            answer(Response::AlterConfigs, async move { configs::alter(&native, alter).await })
        }
        Request::DescribeCluster(_) => {
            answer(Response::DescribeCluster, async move { Ok(cluster::describe(&native)) })
        }
        Request::Hello(_) | Request::OpenReading(_) | Request::Credit(_) | Request::CloseReading(_) => {
            Box::pin(async { Err(of_a_connection()) })
        }
    };
    Started::Answering(answering)
}

/// What a request is refused with that only a connection can serve.
fn of_a_connection() -> Refusal {
    Refusal::new(Code::INVALID_REQUEST, "this request belongs to a connection")
}

/// An answer that has no batches beside it.
fn answer<A: 'static>(
    response: fn(A) -> Response,
    handled: impl Future<Output = Result<A, Refusal>> + Send + 'static,
) -> BoxFuture<'static, Reply> {
    Box::pin(async move { handled.await.map(|answer| (response(answer), Vec::new())) })
}

impl Native {
    /// Refuses a request that names more partitions, topics or groups than one may.
    fn check_count(&self, named: usize) -> Result<(), Refusal> {
        let max = self.broker.settings().connections.partitions_per_request_max;
        if named <= max {
            return Ok(());
        }
        let message = format!("the request names {named} partitions, topics or groups, {max} are allowed");
        Err(Refusal::new(Code::LIMIT_REACHED, message))
    }
}

/// A partition that a request names.
fn find(topics: &Topics, partition: TopicPartition) -> Result<(Arc<TopicView>, Arc<PartitionSlot>), Refusal> {
    let topic = topics.get_by_id(TopicId(partition.topic)).ok_or_else(unknown_topic)?;
    let index = partition.partition;
    let slot = topic.partitions.get(index as usize).ok_or_else(|| {
        Refusal::new(Code::UNKNOWN_PARTITION, format!("topic {} has no partition {index}", topic.name))
    })?;
    Ok((Arc::clone(topic), Arc::clone(slot)))
}

fn unknown_topic() -> Refusal {
    Refusal::new(Code::UNKNOWN_TOPIC, "there is no such topic")
}
