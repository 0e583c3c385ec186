//! Codecs: values of the program's own types as the bytes of records.
//!
//! - [`Text`] and [`Raw`] are always there
//! - `Json` needs the feature `json`, `Rkyv` the feature `rkyv`, `Protobuf` the feature
//!   `protobuf`, `Avro` the feature `avro`
//! - [`typed`]: producers and consumers of such values

#[cfg(feature = "avro")]
mod avro;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "protobuf")]
mod protobuf;
#[cfg(feature = "rkyv")]
mod rkyv;
pub mod typed;

#[cfg(feature = "avro")]
pub use avro::Avro;
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "protobuf")]
pub use protobuf::Protobuf;
#[cfg(feature = "rkyv")]
pub use rkyv::{Rkyv, View};
pub use typed::{TypedConsumer, TypedError, TypedProducer, TypedRecord};

use bytes::Bytes;
use std::convert::Infallible;
use std::string::FromUtf8Error;

/// Turns values into the bytes of records, and back.
pub trait Codec: Send + Sync + 'static {
    /// What is sent.
    type In: ?Sized;
    /// What is read: the same, or something that reads the same out of the record's own bytes.
    type Out;
    /// Why a value or a record cannot be turned.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The bytes of a value.
    ///
    /// # Errors
    /// When it has none.
    fn encode(&self, value: &Self::In) -> Result<Bytes, Self::Error>;

    /// The value of bytes. They share the memory of their record's batch.
    ///
    /// # Errors
    /// When they are none.
    fn decode(&self, bytes: Bytes) -> Result<Self::Out, Self::Error>;
}

/// Text in UTF-8.
#[derive(Debug, Clone, Copy, Default)]
pub struct Text;

impl Codec for Text {
    type In = str;
    type Out = String;
    type Error = FromUtf8Error;

    fn encode(&self, value: &str) -> Result<Bytes, FromUtf8Error> {
        Ok(Bytes::copy_from_slice(value.as_bytes()))
    }

    fn decode(&self, bytes: Bytes) -> Result<String, FromUtf8Error> {
        String::from_utf8(bytes.into())
    }
}

/// Bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Raw;

impl Codec for Raw {
    type In = Bytes;
    type Out = Bytes;
    type Error = Infallible;

    fn encode(&self, value: &Bytes) -> Result<Bytes, Infallible> {
        Ok(value.clone())
    }

    fn decode(&self, bytes: Bytes) -> Result<Bytes, Infallible> {
        Ok(bytes)
    }
}
