//! Keyspaces: tables of the program around the broker, in the broker's own database.
//!
//! They are read whenever the program likes, several of them as of one moment by a
//! [snapshot](crate::snapshot), and written only by units ([`crate::unit`]): so that what
//! a crash leaves is what units did, together with their events and offsets.

use crate::broker::Broker;
use bytes::Bytes;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::broker::program_rows::ProgramRow;
use callboard_client::codec::Codec;
use callboard_storage::keys;
use std::ops::RangeFrom;
use std::sync::Arc;

pub use callboard_actors::Unavailable;
pub use callboard_actors::committer::unit::Version;

/// Bytes of a keyspace's name.
const NAME_BYTES_MAX: usize = 255;
/// Bytes of a key.
const KEY_BYTES_MAX: usize = 32 << 10;

/// A table of the program's, whose values are of one type. Keys are bytes, in whose order it is read.
/// Clones are the same table.
#[derive(Debug, Clone)]
pub struct Keyspace<C> {
    name: Arc<str>,
    codec: C,
    broker: BrokerHandle,
}

/// A value as it was read, with the version by which a unit can tell whether it changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its version.
    pub version: Version,
}

/// A key with its value.
pub type Entry<C> = (Vec<u8>, Versioned<<C as Codec>::Out>);

/// Why a keyspace is not read, or a value not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyspaceError<E: std::error::Error + 'static> {
    /// The name is empty or longer than 255 bytes.
    #[error("a keyspace's name has 1 to {NAME_BYTES_MAX} bytes")]
    Name,
    /// The key is longer than 32 KiB.
    #[error("a key has at most {KEY_BYTES_MAX} bytes")]
    Key,
    /// A value cannot be turned into bytes, or bytes are no value.
    #[error("a value of the keyspace: {0}")]
    Codec(#[source] E),
    /// Storage has failed, or the broker stops.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Broker {
    /// The keyspace of that name, whose values are turned by that codec. It is there once something is
    /// in it.
    ///
    /// # Errors
    /// [`KeyspaceError::Name`].
    pub fn keyspace<C: Codec>(&self, name: &str, codec: C) -> Result<Keyspace<C>, KeyspaceError<C::Error>> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(KeyspaceError::Name);
        }
        Ok(Keyspace { name: name.into(), codec, broker: self.actors().clone() })
    }
}

impl<C: Codec> Keyspace<C> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of a key; none when there is none. It is as of the last unit that was committed. Cancel
    /// safe.
    ///
    /// # Errors
    /// [`KeyspaceError`].
    pub async fn get(
        &self,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<Versioned<C::Out>>, KeyspaceError<C::Error>> {
        let row = self.broker.program_row(&self.name, key.as_ref()).await?;
        row.map(|row| self.value(row)).transpose()
    }

    /// At most so many values from a key on, in the order of the keys, all as of one moment. Cancel safe.
    ///
    /// # Errors
    /// [`KeyspaceError`].
    pub async fn range(
        &self,
        from: RangeFrom<impl AsRef<[u8]>>,
        count_max: usize,
    ) -> Result<Vec<Entry<C>>, KeyspaceError<C::Error>> {
        let rows = self.broker.program_rows(&self.name, from.start.as_ref(), count_max).await?;
        self.values(rows)
    }

    /// A value out of what is stored.
    pub(crate) fn value(
        &self,
        (version, bytes): (Version, Bytes),
    ) -> Result<Versioned<C::Out>, KeyspaceError<C::Error>> {
        let value = self.codec.decode(bytes).map_err(KeyspaceError::Codec)?;
        Ok(Versioned { value, version })
    }

    /// Values out of what is stored, with their keys.
    pub(crate) fn values(&self, rows: Vec<ProgramRow>) -> Result<Vec<Entry<C>>, KeyspaceError<C::Error>> {
        let entry = |row: ProgramRow| Ok((row.key, self.value((row.version, row.value))?));
        rows.into_iter().map(entry).collect()
    }

    pub(crate) fn row_key(&self, key: &[u8]) -> Result<Vec<u8>, KeyspaceError<C::Error>> {
        if key.len() > KEY_BYTES_MAX {
            return Err(KeyspaceError::Key);
        }
        Ok(keys::program(&self.name, key))
    }

    pub(crate) fn encode(&self, value: &C::In) -> Result<Vec<u8>, KeyspaceError<C::Error>> {
        self.codec.encode(value).map(Into::into).map_err(KeyspaceError::Codec)
    }
}
