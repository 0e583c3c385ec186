//! Avro, by apache-avro: one datum without a schema beside it.

use super::Codec;
use apache_avro::{Schema, from_avro_datum, from_value, to_avro_datum, to_value};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// Avro of a type that serde knows, by a schema that writer and reader agree on.
#[derive(Debug)]
pub struct Avro<T> {
    schema: Schema,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for Avro<T> {
    fn clone(&self) -> Self {
        Self::new(self.schema.clone())
    }
}

impl<T> Avro<T> {
    /// The codec of a schema.
    pub fn new(schema: Schema) -> Self {
        Self { schema, value: PhantomData }
    }

    /// The codec of a schema that is written in JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(schema: &str) -> Result<Self, apache_avro::Error> {
        Schema::parse_str(schema).map(Self::new)
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Codec for Avro<T> {
    type In = T;
    type Out = T;
    type Error = apache_avro::Error;

    fn encode(&self, value: &T) -> Result<Bytes, apache_avro::Error> {
        let value = to_value(value)?.resolve(&self.schema)?;
        to_avro_datum(&self.schema, value).map(Bytes::from)
    }

    fn decode(&self, bytes: Bytes) -> Result<T, apache_avro::Error> {
        from_value(&from_avro_datum(&self.schema, &mut bytes.as_ref(), None)?)
    }
}
