//! Other people's clients, unmodified, against a broker: what they produce and read must hold.
//!
//! Each client is set up by its own package manager at first use, below `target/clients/`.
//! `CALLBOARD_CLIENTS=python,java` narrows the set to the clients that are named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/client.rs"]
// Each test folder uses its own share of this.
#[allow(dead_code)]
mod connection;

mod aiokafka;
mod client;
mod confluent;
mod doors;
mod faults;
mod franz_go;
mod java;
mod kafka_python;
mod kafkajs;
mod kcat;
mod lines;
mod matrix;
mod recording;
mod setup;
mod soak;
mod subjects;
mod toolchain;
mod tutorial;
