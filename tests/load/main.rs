//! Hostile clients, many at once: the broker slows them down or refuses them, keeps its memory within the
//! budget that docs/OPERATIONS.md states, answers the others, and has everything back when they are gone.
//!
//! Each test has a broker process of its own and reads from the system what it takes. The sizes are such
//! that a build without optimization passes them in seconds; how long the others wait is for
//! `cargo bench -p callboard-benches --bench hostile`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// Of what is borrowed from the tests of Kafka's door, this needs a part.
#![allow(dead_code)]

#[path = "../kafka/batch.rs"]
mod batch;
#[path = "../kafka/client.rs"]
mod client;
#[path = "../support/mod.rs"]
mod support;
#[path = "../kafka/topic.rs"]
mod topic;

mod bystander;
mod connections;
mod connects;
mod largest;
mod limit;
mod native;
mod pipelined;
mod slow;
mod victim;
