//! The commands that measure a running broker.

use super::client::{Connection, Packing};
use clap::{Args, Subcommand, ValueEnum};

/// What is measured.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum BenchCommand {
    /// Send records as fast as the broker takes them, or at a rate.
    Produce(BenchProduce),
    /// Read the records of a topic from their beginning.
    Consume(BenchConsume),
    /// Send one record after the other, and wait until it is read.
    Latency(BenchLatency),
}

/// A load of records.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct BenchProduce {
    /// Which broker, and how to answer.
    #[command(flatten)]
    pub connection: Connection,
    /// Where records go, and what they are.
    #[command(flatten)]
    pub load: Load,
    /// How many records.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 100_000, value_parser = positive())]
    pub records: u64,
    /// Records that are sent in a second, evenly; as many as the broker takes without. A record that has to
    /// wait for those before it is late, and its time counts from when it was due.
    #[arg(long, value_name = "RECORDS", value_parser = positive())]
    pub rate: Option<u64>,
    /// Bytes at which a batch is full.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 18, value_parser = positive())]
    pub batch_bytes: u64,
    /// Milliseconds that a record may wait for company in its batch.
    #[arg(long, value_name = "MS", default_value_t = 5)]
    pub linger_ms: u64,
    /// How batches are packed.
    #[arg(long, short = 'z', value_enum, default_value_t)]
    pub compression: Packing,
    /// Batches of a partition that are on their way at once. With more than 5 the broker does not know
    /// a batch that comes twice.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = positive())]
    pub in_flight: u64,
}

/// A reading of records.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct BenchConsume {
    /// Which broker, and how to answer.
    #[command(flatten)]
    pub connection: Connection,
    /// The topic.
    #[arg(long, value_name = "NAME", default_value = "bench")]
    pub topic: String,
    /// How many records; all that are there without.
    #[arg(long, short = 'n', value_name = "COUNT", value_parser = positive())]
    pub records: Option<u64>,
    /// Bytes of batches that may wait to be taken.
    #[arg(long, value_name = "BYTES", default_value_t = 32 << 20)]
    pub buffer_bytes: u32,
}

/// Records one by one.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct BenchLatency {
    /// Which broker, and how to answer.
    #[command(flatten)]
    pub connection: Connection,
    /// Where records go, and what they are.
    #[command(flatten)]
    pub load: Load,
    /// How many records.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 5_000, value_parser = positive())]
    pub records: u64,
}

/// Where records go, and what they are.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct Load {
    /// The topic; it is created when it is not there, and stays.
    #[arg(long, value_name = "NAME", default_value = "bench")]
    pub topic: String,
    /// Partitions of the topic when it is created; the broker's default without.
    #[arg(long, value_name = "COUNT")]
    pub partitions: Option<u32>,
    /// Bytes of a record's value.
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub size: u32,
    /// When a record counts as delivered.
    #[arg(long, value_enum, default_value_t)]
    pub acks: When,
}

/// When a record counts as delivered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum When {
    /// When it is sent.
    None,
    /// When the broker has written it.
    Written,
    /// When it is synced to the disk.
    #[default]
    Synced,
}

impl BenchCommand {
    /// Which broker is asked, and how it is told.
    pub fn connection(&self) -> &Connection {
        match self {
            Self::Produce(BenchProduce { connection, .. })
            | Self::Consume(BenchConsume { connection, .. })
            | Self::Latency(BenchLatency { connection, .. }) => connection,
        }
    }
}

fn positive() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..)
}
