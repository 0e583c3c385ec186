//! What can go wrong below the actors.

use crate::ids::{Offset, PartitionId, SegmentId, Sequence};
use std::io;
use std::path::{Path, PathBuf};

/// Result of a storage call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fault of storage. Faults are not a client's fault; callers see that storage is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The index failed.
    #[error("the index failed: {0}")]
    Index(#[from] fjall::Error),
    /// The folder is in use.
    #[error("the data folder {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A folder that must be empty is not.
    #[error("the folder {} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The folder was written by another version.
    #[error("the data folder {} has format {found}, this version reads format {expected}", path.display())]
    Format {
        /// The data folder.
        path: PathBuf,
        /// The format that it states.
        found: String,
        /// The format that this version writes.
        expected: u32,
    },
    /// The folder belongs to another node.
    #[error("the data folder {} belongs to node {found}, not to node {configured}", path.display())]
    OtherNode {
        /// The data folder.
        path: PathBuf,
        /// The node id in the folder.
        found: i32,
        /// The node id of the configuration.
        configured: i32,
    },
    /// The index does not hold what the last checkpoint says.
    #[error(
        "the index holds the journal's records up to {found} and not up to {expected}: \
         it was removed, or put back from a copy"
    )]
    IndexBehind {
        /// The last record that the index is known to hold.
        found: Sequence,
        /// The last record that the checkpoint says it holds.
        expected: Sequence,
    },
    /// A file of the index is damaged.
    #[error("the index is damaged: {}: {what}; `callboard check` tells more", path.display())]
    IndexDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A segment that must be there is not.
    #[error("journal segment {0} is missing from {path}", path = .1.display())]
    MissingSegment(SegmentId, PathBuf),
    /// Synced bytes of the journal are damaged.
    #[error(
        "the journal is damaged: segment {segment}, position {position}, before record {sequence}: {reason}; \
         nothing was changed"
    )]
    Corrupt {
        /// The damaged segment.
        segment: SegmentId,
        /// Where in it, in bytes.
        position: u64,
        /// The record that should be there.
        sequence: Sequence,
        /// What is wrong.
        reason: &'static str,
    },
    /// What lies where a batch should lie is not that batch, whole.
    #[error(
        "the batch at offset {offset} of partition number {partition} is damaged: segment {segment}, \
         position {position}; `callboard check` tells what else is"
    )]
    DamagedBatch {
        /// The partition.
        partition: PartitionId,
        /// The batch's base offset.
        offset: Offset,
        /// The segment that it should lie in.
        segment: SegmentId,
        /// Where in it, in bytes.
        position: u64,
    },
    /// A stored value cannot be read.
    #[error("a value of table {table} is damaged")]
    Value {
        /// The table's name.
        table: &'static str,
    },
    /// A write or sync failed before; nothing is written until a restart.
    #[error("writing has stopped until a restart: {0}")]
    Stopped(String),
    /// A record, or a key in it, larger than the journal takes.
    #[error("a record or key of {bytes} bytes is larger than {max}")]
    RecordTooLarge {
        /// Its bytes.
        bytes: usize,
        /// The bound.
        max: usize,
    },
}

impl Error {
    /// Wraps an I/O error with what was tried on which path.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { action, path, source }
    }
}
