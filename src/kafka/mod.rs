//! The Kafka protocol: bytes to messages, the call, replies to bytes.
//!
//! Each operation has a file, listed in one table ([`apis`]); what a client gets as an error code
//! is in [`error_code`]. Kafka's words live here and nowhere below.

mod alter_configs;
mod altering;
mod api_versions;
pub mod apis;
mod config_resource;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_topic_partitions;
mod error_code;
mod fetch;
mod find_coordinator;
mod groups;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod refusing;
mod repeated;
mod sync_group;

use crate::connection::door::{self, Answers, Door, Keeps, Order, Pushes, Size};
use crate::testing::faulty::Refusing;
use apis::Api;
use bytes::Bytes;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::config::ConnectionLimits;
use callboard_protocol::kafka::{ApiKey, ErrorCode};
use callboard_protocol::wire::{
    DecodeError, EncodeError, Message, Reader, RequestHeader, RequestPrefix, ResponseHeader, Str, Writer,
};
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What every operation needs.
#[derive(Debug)]
pub struct Edge {
    /// The broker.
    pub broker: BrokerHandle,
    /// The host that clients are told to connect to.
    pub host: Str,
    /// The port that clients are told to connect to.
    pub port: u16,
    /// Tells that the broker stops: nothing is waited for any more.
    pub stopping: CancellationToken,
    sessions: fetch::Sessions,
}

impl Edge {
    /// The edge of a broker whose clients are sent to that address.
    pub fn new(broker: BrokerHandle, host: &str, port: u16, stopping: CancellationToken) -> Self {
        let sessions = fetch::Sessions::new(broker.settings().fetch.sessions_max);
        Self { broker, host: host.into(), port, stopping, sessions }
    }

    fn node_id(&self) -> i32 {
        self.broker.identity().node_id
    }
}

/// A whole request as it came.
#[derive(Debug)]
pub struct Incoming {
    /// Its bytes, without the length in front.
    pub frame: Bytes,
    /// Where it came from.
    pub peer: IpAddr,
}

/// A request's version and who sent it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Where the client is.
    pub peer: IpAddr,
    /// The version of the operation.
    pub version: i16,
    /// The name that the client gives itself.
    pub client_id: Option<Str>,
    /// Partitions that the request may name.
    pub partitions_max: usize,
}

/// Elements that a list may have, however few partitions a request may name: some lists name none.
const ELEMENTS_MAX_MIN: usize = 1024;

type Answer = door::Answer<Refused>;
type Answering = door::Answering<Refused>;
type Started = door::Started<Refused>;

/// Why a connection is closed instead of answered.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The frame is not a request.
    #[error("malformed request: {0}")]
    Malformed(#[from] DecodeError),
    /// An operation, or a version of one, that is not served.
    #[error("{api} version {version} is not served")]
    Unsupported {
        /// The operation.
        api: ApiKey,
        /// Its version.
        version: i16,
    },
    /// The request names more partitions than it may.
    #[error("the request names {named} partitions, {max} are allowed")]
    TooManyPartitions {
        /// Partitions that it names.
        named: usize,
        /// `max.partitions.per.request`.
        max: usize,
    },
    /// A produce without an acknowledgement failed; closing is the only way to say so.
    #[error("a produce without acknowledgement failed: {0}")]
    Unacknowledged(String),
    /// The answer cannot be written in the request's version.
    #[error("the answer cannot be encoded: {0}")]
    Unencodable(#[from] EncodeError),
}

impl Door for Edge {
    /// Where the client is.
    type Session = IpAddr;
    type Operation = &'static Api;
    type Refused = Refused;

    const ANSWERS: Answers = Answers::InOrder;

    fn requests_in_flight_max(bounds: &ConnectionLimits) -> usize {
        bounds.kafka_requests_in_flight_max
    }

    fn broker(&self) -> &BrokerHandle {
        &self.broker
    }

    fn session(&self, peer: IpAddr, _pushes: Pushes<Refused>) -> IpAddr {
        peer
    }

    fn operation(frame: &Bytes) -> Result<&'static Api, Refused> {
        let prefix = RequestPrefix::peek(&Reader::new(frame.clone()))?;
        let api = apis::find(ApiKey(prefix.api_key));
        api.filter(|api| api.serves(prefix.api_version))
            .ok_or(Refused::Unsupported { api: ApiKey(prefix.api_key), version: prefix.api_version })
    }

    fn order(api: &'static Api) -> Order {
        api.order
    }

    fn keeps(api: &'static Api) -> Keeps {
        api.keeps
    }

    fn size(api: &'static Api) -> Size {
        api.size
    }

    fn start(
        self: &Arc<Self>,
        peer: &mut IpAddr,
        api: &'static Api,
        frame: Bytes,
    ) -> Result<Started, Refused> {
        (api.start)(Arc::clone(self), Incoming { frame, peer: *peer })
    }
}

impl Refusing for Edge {
    fn name(api: &'static Api) -> &'static str {
        api.key.name().unwrap_or_default()
    }

    fn refuse(
        self: &Arc<Self>,
        peer: &mut IpAddr,
        api: &'static Api,
        frame: Bytes,
        code: i16,
    ) -> Option<Result<Started, Refused>> {
        refusing::refuse(self, api, Incoming { frame, peer: *peer }, ErrorCode(code))
    }
}

/// Header and body of a request.
fn decode<M: Message>(edge: &Edge, incoming: Incoming) -> Result<(RequestHeader, Caller, M), Refused> {
    let Incoming { frame, peer } = incoming;
    let settings = edge.broker.settings();
    let partitions_max = settings.connections.partitions_per_request_max;
    let elements_max = match ApiKey(M::API_KEY) {
        // They name what a member or a group has, which is bounded elsewhere.
        ApiKey::CONSUMER_GROUP_HEARTBEAT | ApiKey::SYNC_GROUP => settings.topics.partitions_max,
        _ => partitions_max,
    };
    let mut reader = Reader::new(frame).with_elements_max(elements_max.max(ELEMENTS_MAX_MIN));
    let version = RequestPrefix::peek(&reader)?.api_version;
    let header = RequestHeader::decode(&mut reader, M::is_flexible(version))?;
    // What stands behind the body is ignored, as in Kafka.
    let body = M::decode(&mut reader, version)?;
    let caller = Caller { peer, version, client_id: header.client_id.clone(), partitions_max };
    Ok((header, caller, body))
}

/// A whole frame with an answer in it.
fn encode<M: Message>(correlation_id: i32, version: i16, message: &M) -> Answer {
    let mut writer = Writer::frame();
    let is_flexible = ResponseHeader::is_flexible(M::API_KEY, M::is_flexible(version));
    ResponseHeader { correlation_id }.encode(&mut writer, is_flexible);
    message.encode(&mut writer, version)?;
    Ok(Some(writer.finish_frame()?))
}

impl Caller {
    /// Checks how many partitions a request names.
    fn check_partitions(&self, named: usize) -> Result<(), Refused> {
        let max = self.partitions_max;
        if named > max { Err(Refused::TooManyPartitions { named, max }) } else { Ok(()) }
    }
}
