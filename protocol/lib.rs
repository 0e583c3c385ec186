//! What Callboard and its clients say to each other: record batches, Kafka's messages, and the bytes of both.

// The derive names this crate by its full path, also inside of it.
extern crate self as callboard_protocol;

pub mod assignment;
pub mod batch;
pub mod kafka;
pub mod native;
pub mod subscription;
pub mod wire;
