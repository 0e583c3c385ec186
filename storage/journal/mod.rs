//! The journal: a sequence of segment files that all partitions share, in which each byte is
//! written once.
//!
//! What must hold, and where it is kept:
//! - A record's number follows the one before without a gap ([`writer`]).
//! - A segment is synced before the first record of the next; a new segment's folder entry and
//!   header are durable before a record in it counts ([`writer`], [`segment`]).
//! - Records of a segment count up to the first number of the next segment, so that what is written
//!   again after a restart replaces what was not known to be synced ([`mod@open`]).
//! - Bytes that were synced and are not whole any more are damage, never a torn tail: opening
//!   refuses ([`mod@open`]).
//! - Nothing is returned by opening that is not durable ([`mod@open`]).
//! - After a failed write or sync nothing is written until a restart; no sync is tried twice, and of a
//!   segment one sync runs at a time ([`writer`]).
//! - Segment numbers are never used again, and a segment is removed only when nothing in it may be
//!   read any more and a checkpoint past its last record is durable ([`reclaim`]).

pub mod open;
pub mod reader;
pub mod reclaim;
pub mod record;
pub mod scan;
pub mod segment;
mod syncer;
pub mod writer;

#[cfg(test)]
pub(crate) mod tests;

pub use open::{OpenOptions, Recovered, open};
pub use reader::Reader;
pub use record::{Body, Kind, Mutation, PlacedBatch};
pub use scan::{ScannedBatch, ScannedRecord};
pub use writer::{RecordPlace, Writer};
