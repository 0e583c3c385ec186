//! Kafka's messages: one file per operation with its request, its response and their parts.
//!
//! Structs and fields carry the names of Kafka's own message definitions, so that Kafka's
//! documentation is theirs too; comments say what a name does not. Numbers that a version lacks
//! have the default that Kafka gives them. An `Option` is `None` by default.

#![allow(missing_docs, reason = "the fields are Kafka's, and named as there")]

mod api_key;
mod error_code;
mod request;
#[cfg(test)]
mod tests;

/// All settings of topics, brokers and groups anew.
pub mod alter_configs;
/// Which operations in which versions the broker offers.
pub mod api_versions;
/// Groups that the broker assigns to, and their members.
pub mod consumer_group_describe;
/// Sign of life of a member of a group that the broker assigns to.
pub mod consumer_group_heartbeat;
/// More partitions for existing topics.
pub mod create_partitions;
/// New topics.
pub mod create_topics;
/// Deletion of consumer groups.
pub mod delete_groups;
/// Deletion of topics.
pub mod delete_topics;
/// The brokers of the cluster.
pub mod describe_cluster;
/// The configuration of topics and brokers.
pub mod describe_configs;
/// State and members of consumer groups.
pub mod describe_groups;
/// Partitions of topics, page by page.
pub mod describe_topic_partitions;
/// Reading records.
pub mod fetch;
/// The broker that coordinates a group or a transactional id.
pub mod find_coordinator;
/// Sign of life of a group member.
pub mod heartbeat;
/// Single settings of topics, brokers and groups anew.
pub mod incremental_alter_configs;
/// An identity for an idempotent or transactional producer.
pub mod init_producer_id;
/// Entering a consumer group.
pub mod join_group;
/// Leaving a consumer group.
pub mod leave_group;
/// The resources that have settings.
pub mod list_config_resources;
/// The consumer groups of a broker.
pub mod list_groups;
/// Offsets by time.
pub mod list_offsets;
/// Topics, their partitions, and who leads them.
pub mod metadata;
/// Storing how far a group has read.
pub mod offset_commit;
/// Forgetting how far a group has read.
pub mod offset_delete;
/// Asking how far a group has read.
pub mod offset_fetch;
/// The end of a leader epoch.
pub mod offset_for_leader_epoch;
/// Writing records.
pub mod produce;
/// Handing out a group's assignment.
pub mod sync_group;

pub use self::api_key::ApiKey;
pub use self::error_code::ErrorCode;
pub use self::request::decode_request_any;
