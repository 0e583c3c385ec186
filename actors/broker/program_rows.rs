//! Reading rows of the program around the broker: as they are now, or all as of one moment.

use super::BrokerHandle;
use crate::committer::unit::{Version, read_row};
use crate::mail::Unavailable;
use crate::readers::Readers;
use bytes::Bytes;
use callboard_storage::Error;
use callboard_storage::index::{Continue, Index, Snapshot};
use callboard_storage::keys::{self, Table};

/// A row of a keyspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRow {
    /// The program's key.
    pub key: Vec<u8>,
    /// The row's version.
    pub version: Version,
    /// The program's value.
    pub value: Bytes,
}

/// The program's rows as they are at one moment.
///
/// It does not keep the data folder open: after the broker has stopped, reading it is answered
/// [`Unavailable`].
#[derive(Debug, Clone)]
pub struct ProgramSnapshot {
    readers: Readers,
    moment: Snapshot,
}

impl BrokerHandle {
    /// The program's rows as they are now: all that units have done whose commit was answered, and of
    /// no unit a part.
    ///
    /// # Errors
    /// [`Unavailable`] when the broker stops.
    pub async fn program_snapshot(&self) -> Result<ProgramSnapshot, Unavailable> {
        let moment = self.readers().read(|reader| reader.index().snapshot()).await?;
        Ok(ProgramSnapshot { readers: self.readers().clone(), moment })
    }

    /// A row of a keyspace.
    ///
    /// # Errors
    /// [`Unavailable`] when the disk cannot be read, or the broker stops.
    pub async fn program_row(
        &self,
        keyspace: &str,
        key: &[u8],
    ) -> Result<Option<(Version, Bytes)>, Unavailable> {
        let full = keys::program(keyspace, key);
        let row = self.readers().read(move |reader| reader.index().get(Table::Program, &full)).await?;
        version_and_value(row)
    }

    /// The rows of a keyspace from a key on, in order, as of one moment, at most so many.
    ///
    /// # Errors
    /// As for [`BrokerHandle::program_row`].
    pub async fn program_rows(
        &self,
        keyspace: &str,
        from: &[u8],
        count_max: usize,
    ) -> Result<Vec<ProgramRow>, Unavailable> {
        let range = Range::new(keyspace, from, count_max);
        let read = self.readers().read(move |reader| range.read(reader.index(), &reader.index().snapshot()));
        read.await?.map_err(|error| unreadable(&error))
    }
}

impl ProgramSnapshot {
    /// A row of a keyspace.
    ///
    /// # Errors
    /// [`Unavailable`] when the disk cannot be read, or the broker stops.
    pub async fn row(&self, keyspace: &str, key: &[u8]) -> Result<Option<(Version, Bytes)>, Unavailable> {
        let (full, moment) = (keys::program(keyspace, key), self.moment.clone());
        let row = self.readers.read(move |reader| moment.get(reader.index(), Table::Program, &full)).await?;
        version_and_value(row)
    }

    /// The rows of a keyspace from a key on, in order, at most so many.
    ///
    /// # Errors
    /// As for [`ProgramSnapshot::row`].
    pub async fn rows(
        &self,
        keyspace: &str,
        from: &[u8],
        count_max: usize,
    ) -> Result<Vec<ProgramRow>, Unavailable> {
        let (range, moment) = (Range::new(keyspace, from, count_max), self.moment.clone());
        let read = self.readers.read(move |reader| range.read(reader.index(), &moment));
        read.await?.map_err(|error| unreadable(&error))
    }
}

/// Rows of a keyspace that somebody wants.
struct Range {
    prefix: Vec<u8>,
    from: Vec<u8>,
    count_max: usize,
}

impl Range {
    fn new(keyspace: &str, from: &[u8], count_max: usize) -> Self {
        Self { prefix: keys::program(keyspace, &[]), from: keys::program(keyspace, from), count_max }
    }

    fn read(&self, index: &Index, moment: &Snapshot) -> Result<Vec<ProgramRow>, Error> {
        let mut rows = Vec::new();
        moment.each_from(index, Table::Program, &self.prefix, &self.from, |key, row| {
            if rows.len() >= self.count_max {
                return Ok(Continue::No);
            }
            if let Some((version, value)) = read_row(row) {
                let key = key.get(self.prefix.len()..).unwrap_or_default().to_vec();
                rows.push(ProgramRow { key, version, value: Bytes::copy_from_slice(value) });
            }
            Ok(Continue::Yes)
        })?;
        Ok(rows)
    }
}

fn version_and_value(row: Result<Option<Vec<u8>>, Error>) -> Result<Option<(Version, Bytes)>, Unavailable> {
    let row = row.map_err(|error| unreadable(&error))?;
    Ok(row.and_then(|row| read_row(&row).map(|(version, value)| (version, Bytes::copy_from_slice(value)))))
}

fn unreadable(error: &callboard_storage::Error) -> Unavailable {
    tracing::error!(%error, "rows of the program cannot be read");
    Unavailable
}
