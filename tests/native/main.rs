//! The native door, by its own client: over a socket, and in the same program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod admin;
mod asking;
mod codecs;
mod consumer;
mod embedding;
mod faults;
#[path = "../support/frames.rs"]
mod frames;
mod groups;
mod idle;
mod isolation;
mod producer;
mod recreated;
mod settings;
mod snapshots;
mod subscribe;
mod support;
mod units;
