//! The actors of Callboard: all state that changes, and nothing of sockets, wire bytes or files.
//!
//! - [`broker`]: the registry of topics and partitions, and the operations over many partitions
//! - [`partition`]: one partition's log: validation, idempotence, waiting readers
//! - [`committer`]: the one writer: gives offsets, writes, syncs and applies what all others send
//! - [`coordinator`]: the registry of groups
//! - [`group`]: one group of consumers of the classic protocol: its members and their rebalances
//! - [`consumer_group`]: one that the broker assigns to (KIP-848)
//! - [`offsets`]: the offsets that a group commits
//! - [`deadlines`], [`durable`]: timers and late answers, for actors that have many
//! - [`readers`]: plain threads for all that reads from the disk
//! - [`courtesy`]: how long work gives way to short
//! - [`placement`]: which actor runs on which thread
//! - [`end`]: how all of them end
//! - [`held`]: bytes that count against a bound until they are written
//! - [`config`]: the tables of settings
//!
//! Messages are plain data. A late answer is a oneshot that travels with the message, so that a
//! message once sent takes effect whether or not its sender still waits.

pub mod broker;
pub mod chance;
pub mod clock;
pub mod committer;
pub mod config;
pub mod consumer_group;
pub mod coordinator;
pub mod courtesy;
pub mod deadlines;
pub mod durable;
pub mod end;
mod fnv;
pub mod group;
mod group_store;
pub mod held;
pub mod mail;
pub mod names;
pub mod offsets;
pub mod partition;
pub mod placement;
pub mod readers;

pub use mail::Unavailable;
