//! The storage of Callboard: a journal in which every batch is written once, and an index of it.
//!
//! - [`disk`]: the one way to files, real or simulated
//! - [`journal`]: segment files of records, shared by all partitions; the heart of the product
//! - [`index`]: the LSM that knows where each batch lies and holds all other state
//! - [`log`]: partitions' logs over the two: append, sync, apply, read
//! - [`checkpoint`]: up to where the index holds what the journal says
//! - [`folder`]: the data folder: its lock, its format and its identity
//! - [`crash_points`]: where a test lets the process die
//! - [`mod@check`]: what is wrong with a data folder that no broker runs on
//! - [`mod@salvage`]: copying out of a damaged one what can be read
//!
//! Nothing here knows an actor, a socket or a wire protocol, and every call may block.

pub mod check;
pub mod checkpoint;
pub mod crash_points;
pub mod disk;
pub mod error;
pub mod folder;
pub mod ids;
pub mod index;
pub mod journal;
pub mod keys;
mod lock;
pub mod log;
pub mod salvage;
pub mod values;

pub use error::{Error, Result};
pub use ids::{Offset, PartitionId, ProducerId, SegmentId, Sequence, TopicId};
