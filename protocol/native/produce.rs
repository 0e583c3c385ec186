//! Producing: batches to partitions.

use super::refusal::Refusal;
use super::{TopicPartition, body};

body! {
    /// Asks for the id of a new idempotent producer.
    pub struct NewProducer {}

    /// The id of a producer that no other ever had.
    pub struct ProducerGiven {
        /// The id.
        pub producer_id: i64,
        /// Its epoch.
        pub epoch: i16,
    }

    /// Batches for partitions; their bytes stand behind the body, in this order.
    pub struct Produce {
        /// When to answer.
        pub acks: Acks,
        /// Each batch's partition.
        pub batches: Vec<ProducedBatch>,
    }

    /// A batch's partition and length.
    pub struct ProducedBatch {
        /// Its partition.
        pub partition: TopicPartition,
        /// Its bytes.
        pub bytes: u32,
    }

    /// An outcome for each batch, in their order.
    pub struct Produced {
        /// The outcomes.
        pub outcomes: Vec<Result<BatchAppended, Refusal>>,
    }

    /// A batch is in the log.
    pub struct BatchAppended {
        /// Offset of its first record.
        pub base_offset: i64,
        /// The time that the broker gave its records, in milliseconds since 1970, or -1.
        pub log_append_time: i64,
        /// Offset of the partition's first record that may be read.
        pub log_start: i64,
    }
}

/// When producing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Acks {
    /// At once, whatever becomes of it.
    None,
    /// When it is written: it survives the broker's process.
    Written,
    /// When it is synced: it survives the machine.
    #[default]
    Synced,
}
