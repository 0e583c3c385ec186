//! Record batches: the unit that producers send, the journal keeps and consumers read.
//!
//! A batch is opaque to the broker: it reads the fixed header of 61 bytes, checks it, and passes
//! the records behind it by reference. The layout is Kafka's message format 2.
//!
//! - [`header`]: the fields of the fixed header and how to read and write them
//! - [`mod@validate`]: what a batch from a producer must satisfy
//! - [`gap`]: what stands where records were lost
//! - [`seal`]: putting a header in front of records
//! - [`stamp`]: giving a batch its place in a log
//! - [`records`]: looking inside, for searches by time
//! - [`build`], [`unpack`]: what clients do: records into a batch, and out of one
//! - [`codec`]: the compression of both

pub mod build;
pub mod codec;
mod gap;
pub mod header;
pub mod records;
pub mod seal;
pub mod stamp;
pub mod unpack;
pub mod validate;

pub use build::{BatchBuilder, NewRecord, Producing};
pub use header::{Attributes, BATCH_HEADER_BYTES, BatchHeader, Compression, TimestampType};
pub use stamp::{Placement, StampedBatch};
pub use unpack::{Header, Record, Records, Unpacked};
pub use validate::{BatchError, Rules, validate};

use bytes::Bytes;

/// A checked record batch: its header, and the whole of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The header, as the bytes say it.
    pub header: BatchHeader,
    /// The whole batch, header included.
    pub bytes: Bytes,
}
