//! Producers and consumers of values.

use super::Codec;
use crate::consumer::Consumer;
use crate::error::Error;
use crate::producer::{Delivery, Producer};
use crate::record::{Received, Record};
use std::fmt;

/// Sends values of one type.
#[derive(Debug, Clone)]
pub struct TypedProducer<C> {
    producer: Producer,
    codec: C,
}

/// Reads values of one type.
#[derive(Debug)]
pub struct TypedConsumer<C> {
    consumer: Consumer,
    codec: C,
}

/// A value that was read, with the record that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedRecord<T> {
    /// The value; none of a record that has none.
    pub value: Option<T>,
    /// The record.
    pub record: Received,
}

/// Why there is no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum TypedError<E> {
    /// The record cannot be turned into a value. It counts as read, and the next can be.
    Codec {
        /// The record as it came.
        record: Received,
        /// What is wrong with it.
        source: E,
    },
    /// There is no record; see [`Consumer::next`].
    Consumer(Error),
}

impl Producer {
    /// Sends values by a codec.
    pub fn typed<C: Codec>(self, codec: C) -> TypedProducer<C> {
        TypedProducer { producer: self, codec }
    }
}

impl Consumer {
    /// Reads values by a codec.
    pub fn typed<C: Codec>(self, codec: C) -> TypedConsumer<C> {
        TypedConsumer { consumer: self, codec }
    }
}

impl<C: Codec> TypedProducer<C> {
    /// Sends a value in a record that says where to, as [`Producer::send`] does. A value that the
    /// record has is replaced.
    ///
    /// # Errors
    /// When the codec has no bytes for the value; nothing is sent then.
    pub fn send(&self, record: Record, value: &C::In) -> Result<Delivery, C::Error> {
        let bytes = self.codec.encode(value)?;
        Ok(self.producer.send(record.value(bytes)))
    }

    /// The producer behind it.
    pub fn producer(&self) -> &Producer {
        &self.producer
    }
}

impl<C: Codec> TypedConsumer<C> {
    /// Waits for the next record and its value. Cancel safe.
    ///
    /// # Errors
    /// [`TypedError`]; after a record that is no value consuming goes on with the next.
    pub async fn next(&mut self) -> Result<TypedRecord<C::Out>, TypedError<C::Error>> {
        let record = self.consumer.next().await.map_err(TypedError::Consumer)?;
        let Some(bytes) = record.value().cloned() else { return Ok(TypedRecord { value: None, record }) };
        match self.codec.decode(bytes) {
            Ok(value) => Ok(TypedRecord { value: Some(value), record }),
            Err(source) => Err(TypedError::Codec { record, source }),
        }
    }

    /// The consumer behind it: positions, commits.
    pub fn consumer(&mut self) -> &mut Consumer {
        &mut self.consumer
    }

    /// Closes the consumer. Dropping the future is as for [`Consumer::close`].
    ///
    /// # Errors
    /// As for [`Consumer::close`].
    pub async fn close(self) -> Result<(), Error> {
        self.consumer.close().await
    }
}

impl<E: fmt::Display> fmt::Display for TypedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Codec { record, source } => {
                let (topic, partition, offset) = (&record.topic, record.partition, record.offset());
                write!(f, "the record at offset {offset} of {topic}-{partition} is no such value: {source}")
            }
            Self::Consumer(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for TypedError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Codec { source, .. } => Some(source),
            Self::Consumer(error) => Some(error),
        }
    }
}
