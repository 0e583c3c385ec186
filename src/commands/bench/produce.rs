//! `callboard bench produce`: records as fast as the broker takes them.

use super::report::{Done, Latencies};
use super::values::Values;
use super::{acks, topic, undelivered};
use crate::cli::BenchProduce;
use crate::commands::output::progress;
use crate::commands::produce::compression;
use anyhow::Result;
use callboard_client::producer::{Delivery, Producer};
use callboard_client::{Client, Error, Record};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use indicatif::ProgressBar;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Batches of a partition in flight up to which the broker knows one that comes twice.
const IN_FLIGHT_IDEMPOTENT_MAX: u64 = 5;
/// Records after which the tasks that send them get their turn: they share a thread with this one.
const TURN_RECORDS: u64 = 64;

pub(super) async fn run(client: &Client, bench: BenchProduce) -> Result<()> {
    let BenchProduce { load, records, .. } = &bench;
    topic(client, load).await?;
    let mut sending = Sending {
        producer: producer(client, &bench),
        under_way: FuturesUnordered::new(),
        latencies: Latencies::new()?,
        progress: progress(*records, "{bar:40} {pos}/{len} records, {eta}"),
    };
    let (mut values, name) = (Values::new(load.size), Arc::<str>::from(load.topic.as_str()));
    let begun = Instant::now();
    for number in 0..*records {
        let record = Record::to(Arc::clone(&name)).value(values.next());
        sending.send(record).await.map_err(|error| undelivered(error, &name))?;
        if number % TURN_RECORDS == 0 {
            tokio::task::yield_now().await;
        }
    }
    let latencies = sending.finish().await.map_err(|error| undelivered(error, &name))?;
    let done = Done { records: *records, bytes: records * u64::from(load.size), took: begun.elapsed() };
    done.tell(bench.connection.json, &name, &[("produce", Some(latencies))])
}

fn producer(client: &Client, bench: &BenchProduce) -> Producer {
    client
        .producer_builder()
        .acks(acks(bench.load.acks))
        .batch_bytes(bench.batch_bytes as usize)
        .linger(Duration::from_millis(bench.linger_ms))
        .compression(compression(bench.compression))
        .idempotent(bench.in_flight <= IN_FLIGHT_IDEMPOTENT_MAX)
        .in_flight(bench.in_flight as usize)
        .build()
}

/// The time that a record took, once its receipt is there.
type Outcome = Result<Duration, Error>;

struct Sending {
    producer: Producer,
    under_way: FuturesUnordered<BoxFuture<'static, Outcome>>,
    latencies: Latencies,
    progress: ProgressBar,
}

impl Sending {
    /// Sends a record, once there is room for it; receipts that come meanwhile are noted when they come.
    async fn send(&mut self, record: Record) -> Result<(), Error> {
        let sent = Instant::now();
        let mut delivery = self.producer.send(record);
        loop {
            tokio::select! {
                biased;
                Some(outcome) = self.under_way.next() => {
                    self.latencies.note(outcome?);
                    self.progress.inc(1);
                }
                taken = delivery.taken() => {
                    taken?;
                    break;
                }
            }
        }
        self.under_way.push(Box::pin(timed(sent, delivery)));
        Ok(())
    }

    /// Waits for the receipts that are missing.
    async fn finish(mut self) -> Result<Latencies, Error> {
        while let Some(outcome) = self.under_way.next().await {
            self.latencies.note(outcome?);
            self.progress.inc(1);
        }
        self.progress.finish_and_clear();
        Ok(self.latencies)
    }
}

async fn timed(sent: Instant, delivery: Delivery) -> Outcome {
    delivery.await?;
    Ok(sent.elapsed())
}
