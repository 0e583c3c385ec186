//! The Kafka protocol from outside, message by message: what Apache Kafka answers, this broker answers.
//!
//! Each test states what the real one was seen to do, and runs without it. With
//! `CALLBOARD_TEST_BROKER=HOST:PORT` the tests ask a broker that runs already, and those that need
//! settings or a restart are left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

mod api_versions;
mod bad_input;
mod batch;
mod bounds;
mod client;
mod cluster;
mod configs;
mod connection_order;
mod consumer_groups;
mod damage;
mod fetch;
mod group;
mod group_admin;
mod group_kinds;
mod group_members;
mod groups;
mod idempotence;
mod initial_delay;
mod list_offsets;
mod long_poll;
mod migration;
mod mixed_group;
mod offsets;
mod produce;
mod restart;
mod sessions;
mod sick_disk;
mod slow_clients;
mod topic;
mod topics;

use support::broker::{Broker, elsewhere};

/// A broker of our own with settings, each `key=value`; none when another is to be asked.
fn own_broker(settings: &[&str]) -> Option<Broker> {
    elsewhere().is_none().then(|| Broker::start_with(settings).unwrap())
}
