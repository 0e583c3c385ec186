//! What is measured, in the order in which a broker meets it.

mod idling;
mod producing;
mod reading;
mod tools;

use crate::figures::Figures;
use crate::options::Options;
use crate::peers::{Peer, Running};
use anyhow::{Context, Result};
use callboard_benches::produce::Load;
use std::time::Duration;

pub const START: &str = "start";
pub const CREATE_10000: &str = "create-10000";
pub const PRODUCE_4: &str = "produce-1KiB-4";
pub const PRODUCE_100_4: &str = "produce-100B-4";
pub const PRODUCE_1000: &str = "produce-1KiB-1000";
pub const PRODUCE_100_1000: &str = "produce-100B-1000";
pub const PRODUCE_10000: &str = "produce-1KiB-10000";
pub const PRODUCE_100_10000: &str = "produce-100B-10000";
pub const SINGLE_1: &str = "single-1";
pub const SINGLE_16: &str = "single-16";
pub const SINGLE_256: &str = "single-256";
pub const ALONE_RAW: &str = "alone-raw";
pub const SPREAD_4: &str = "spread-4";
pub const SPREAD_10000: &str = "spread-10000";
pub const END_TO_END: &str = "end-to-end";
pub const CATCH_UP: &str = "catch-up-cold";
pub const IDLE: &str = "idle";
pub const RESTART: &str = "restart";

const KIB: usize = 1024;
/// More records than any broker takes in the time of a load.
const RECORDS_MAX: usize = 2_000_000;

/// Whom a workload can be asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    All,
    /// Those whom Kafka's clients can talk to.
    Kafka,
    /// The same, where Kafka's own programs are there.
    KafkaTools,
}

/// Something that is measured. Those of one phase meet the same broker, started for them on an empty
/// folder, so that no workload suffers from what others have left.
#[derive(Clone, Copy)]
pub struct Workload {
    pub name: &'static str,
    pub about: &'static str,
    pub phase: usize,
    pub asks: For,
    /// How long it takes, beside what it takes for each second of load.
    pub seconds: f64,
    pub loads: f64,
    run: fn(&mut Turn<'_>, &'static str) -> Result<()>,
}

/// A broker's turn.
pub struct Turn<'a> {
    pub peer: &'a dyn Peer,
    pub options: &'a Options,
    pub figures: &'a mut Figures,
    running: Option<Box<dyn Running>>,
    /// What loads have made topics, by name.
    created: Vec<String>,
}

impl Turn<'_> {
    pub fn start<'a>(peer: &'a dyn Peer, options: &'a Options, figures: &'a mut Figures) -> Result<Turn<'a>> {
        let folder = tempfile::tempdir_in(options.folder()?)?;
        Ok(Turn { peer, options, figures, running: Some(peer.start(folder)?), created: Vec::new() })
    }

    pub fn run(&mut self, workload: &Workload) -> Result<()> {
        (workload.run)(self, workload.name)
            .with_context(|| format!("{} with {}", workload.name, self.peer.name()))
    }

    pub fn can(&self, workload: &Workload) -> Result<bool> {
        Ok(match workload.asks {
            For::All => true,
            For::Kafka => self.running()?.speaks_kafka(),
            For::KafkaTools => self.options.kafka.is_some() && self.running()?.speaks_kafka(),
        })
    }

    fn running(&self) -> Result<&dyn Running> {
        self.running.as_deref().context("it was killed")
    }

    /// Creates a load's topics, unless a workload before has; tells whether it had to.
    fn create_topics(&mut self, load: &Load) -> Result<bool> {
        let is_new = !self.created.contains(&load.name);
        if is_new {
            self.created.push(load.name.clone());
            self.running()?.create_topics(load)?;
        }
        Ok(is_new)
    }

    fn time(&self) -> Duration {
        self.options.time()
    }

    /// A load that ends after the time of a load.
    fn timed(&self, load: Load) -> Load {
        Load { time_max: Some(self.time()), ..load }
    }
}

/// All of them; those of a phase together.
#[rustfmt::skip]
pub fn all() -> Vec<Workload> {
    let it = |phase, name, asks, loads, run, about| Workload { name, about, phase, asks, seconds: 0.5, loads, run };
    let mut all = vec![
        it(0, START, For::All, 0.0, idling::start, "from the start on an empty folder until it is ready, and the memory that it takes then"),
        it(0, PRODUCE_4, For::All, 1.3, producing::batched, "1 KiB records in batches over 4 partitions, one client"),
        it(0, PRODUCE_100_4, For::All, 1.3, producing::batched, "100 B records in batches over 4 partitions, one client"),
        it(1, PRODUCE_1000, For::Kafka, 1.6, producing::batched, "1 KiB records in batches over 1,000 partitions, one client"),
        it(1, PRODUCE_100_1000, For::Kafka, 1.6, producing::batched, "100 B records in batches over 1,000 partitions, one client"),
        it(2, SINGLE_1, For::All, 1.1, producing::single, "100 B records, each in a request of its own, from 1 connection with many in flight"),
        it(2, SINGLE_16, For::All, 1.1, producing::single, "the same from 16 connections"),
        it(2, SINGLE_256, For::All, 1.5, producing::single, "the same from 256 connections"),
        it(2, "alone", For::All, 1.0, producing::alone, "one 1 KiB record after the other, each sent when the one before is acknowledged"),
        it(2, ALONE_RAW, For::Kafka, 1.0, producing::alone_raw, "the same without a client library"),
        it(3, "latency", For::All, 4.0, producing::latency, "1 KiB records over 4 partitions at 10, 50 and 90 % of the rate that the same broker reached just before; times count from when a record was due, and are seen every 0.5 ms"),
        it(3, END_TO_END, For::All, 1.0, reading::end_to_end, "1,000 records of 1 KiB a second to 4 partitions, timed from when one was due until a consumer has it"),
        it(4, "read-warm", For::All, 1.5, reading::warm, "reading 1 KiB records from the beginning, out of the page cache"),
        it(4, CATCH_UP, For::Kafka, 2.0, reading::catch_up, "the same out of a cold page cache while another client writes 10 MB/s"),
        it(4, "read-tail", For::Kafka, 1.3, reading::tail, "reading what a producer at its maximum writes, at the same time; the broker's CPU is that of both"),
        it(5, "consumers-1", For::Kafka, 1.0, reading::consumers, "one consumer that reads a topic of 64 MiB from its beginning again and again; a client that only counts bytes"),
        it(5, "consumers-8", For::Kafka, 1.0, reading::consumers, "the same with 8 consumers, each of which reads all"),
        it(5, "consumers-64", For::Kafka, 1.0, reading::consumers, "the same with 64 consumers"),
        it(5, "commits", For::Kafka, 1.0, idling::commits, "512 groups that commit one offset after the other, from 4 threads"),
        it(5, "tools-producer", For::KafkaTools, 1.0, tools::produce, "Kafka's ProducerPerformance, 1 KiB records over 4 partitions"),
        it(5, "tools-consumer", For::KafkaTools, 0.5, tools::consume, "Kafka's ConsumerPerformance over what that wrote"),
        it(5, "tools-end-to-end", For::KafkaTools, 0.6, tools::end_to_end, "Kafka's EndToEndLatency, 1 KiB records one after the other"),
        it(6, CREATE_10000, For::Kafka, 0.0, idling::create, "creating 10,000 partitions in 16 topics, until each has a leader"),
        it(6, PRODUCE_10000, For::Kafka, 1.6, producing::batched, "1 KiB records in batches over 10,000 partitions (16 topics of 625, a client for each)"),
        it(6, PRODUCE_100_10000, For::Kafka, 1.6, producing::batched, "100 B records in batches over the same"),
        it(6, SPREAD_4, For::Kafka, 1.1, producing::spread, "batches of 64 KiB to 4 partitions in turn, over 4 connections with 5 requests of 4 batches under way on each; without a client library"),
        it(6, SPREAD_10000, For::Kafka, 1.1, producing::spread, "the same to 10,000 partitions in turn"),
        it(6, IDLE, For::Kafka, 1.0, idling::idle, "10,000 partitions and 1,000 open connections that have asked something, and nobody asks for anything more"),
        it(6, RESTART, For::Kafka, 0.0, idling::restart, "from the start after SIGKILL with 10,000 partitions until a record is acknowledged"),
    ];
    for workload in &mut all {
        if workload.name.starts_with("tools") || workload.phase == 6 {
            workload.seconds = 3.0;
        }
    }
    all
}
