//! Decodes any request from outside and drops it: what the fuzz target and the tests of bad input call.

use bytes::Bytes;

use super::alter_configs::AlterConfigsRequest;
use super::api_versions::ApiVersionsRequest;
use super::consumer_group_describe::ConsumerGroupDescribeRequest;
use super::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use super::create_partitions::CreatePartitionsRequest;
use super::create_topics::CreateTopicsRequest;
use super::delete_groups::DeleteGroupsRequest;
use super::delete_topics::DeleteTopicsRequest;
use super::describe_cluster::DescribeClusterRequest;
use super::describe_configs::DescribeConfigsRequest;
use super::describe_groups::DescribeGroupsRequest;
use super::describe_topic_partitions::DescribeTopicPartitionsRequest;
use super::fetch::FetchRequest;
use super::find_coordinator::FindCoordinatorRequest;
use super::heartbeat::HeartbeatRequest;
use super::incremental_alter_configs::IncrementalAlterConfigsRequest;
use super::init_producer_id::InitProducerIdRequest;
use super::join_group::JoinGroupRequest;
use super::leave_group::LeaveGroupRequest;
use super::list_config_resources::ListConfigResourcesRequest;
use super::list_groups::ListGroupsRequest;
use super::list_offsets::ListOffsetsRequest;
use super::metadata::MetadataRequest;
use super::offset_commit::OffsetCommitRequest;
use super::offset_delete::OffsetDeleteRequest;
use super::offset_fetch::OffsetFetchRequest;
use super::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
use super::produce::ProduceRequest;
use super::sync_group::SyncGroupRequest;
use crate::wire::{DecodeError, DecodeErrorKind, Message, Reader};

macro_rules! requests {
    ($($request:ty),* $(,)?) => {
        /// Decodes the body of a request (all behind its header) of any operation, to its last byte.
        ///
        /// # Errors
        /// The key or the version is not known, or the bytes are no such request.
        pub fn decode_request_any(api_key: i16, version: i16, body: Bytes) -> Result<(), DecodeError> {
            let mut reader = Reader::new(body);
            match api_key {
                $(<$request as Message>::API_KEY => <$request>::decode_whole(&mut reader, version).map(drop),)*
                unknown => Err(reader.error(DecodeErrorKind::ApiKey(unknown))),
            }
        }
    };
}

requests! {
    AlterConfigsRequest,
    ApiVersionsRequest,
    ConsumerGroupDescribeRequest,
    ConsumerGroupHeartbeatRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteTopicsRequest,
    DescribeClusterRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
    DescribeTopicPartitionsRequest,
    FetchRequest,
    FindCoordinatorRequest,
    HeartbeatRequest,
    IncrementalAlterConfigsRequest,
    InitProducerIdRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    ListConfigResourcesRequest,
    ListGroupsRequest,
    ListOffsetsRequest,
    MetadataRequest,
    OffsetCommitRequest,
    OffsetDeleteRequest,
    OffsetFetchRequest,
    OffsetForLeaderEpochRequest,
    ProduceRequest,
    SyncGroupRequest,
}
