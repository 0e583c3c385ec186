//! Producers, consumers and administration for the Callboard message broker.
//!
//! A [`Client`] is connected to a broker's native port, or to a broker in the same program; the same
//! [`producer`] and [`consumer`] and [`admin`] run over both.
//!
//! - [`codec`]: values of the program's own types
//! - [`record`]: records as they are sent and as they are read
//! - [`transport`]: the way to a broker
//! - [`error`]: what can go wrong

pub mod admin;
mod client;
pub mod codec;
pub mod consumer;
pub mod error;
pub mod producer;
pub mod record;
mod topics;
pub mod transport;

pub use client::Client;
pub use consumer::Consumer;
pub use error::Error;
pub use producer::{Acks, Compression, Producer};
pub use record::{Received, Record};
