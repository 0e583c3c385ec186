//! Protobuf, by prost.

use super::Codec;
use bytes::Bytes;
use prost::{DecodeError, Message};
use std::marker::PhantomData;

/// Protobuf of a message that prost made.
#[derive(Debug)]
pub struct Protobuf<T>(PhantomData<fn() -> T>);

impl<T> Clone for Protobuf<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Protobuf<T> {}

impl<T> Default for Protobuf<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Message + Default + 'static> Codec for Protobuf<T> {
    type In = T;
    type Out = T;
    type Error = DecodeError;

    fn encode(&self, value: &T) -> Result<Bytes, DecodeError> {
        Ok(value.encode_to_vec().into())
    }

    /// Fields of the type [`Bytes`] share the record's memory.
    fn decode(&self, bytes: Bytes) -> Result<T, DecodeError> {
        T::decode(bytes)
    }
}
