//! `callboard bench produce`: records as fast as the broker takes them, or at a rate.

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
use tokio::time::sleep_until;

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
    let mut pace = bench.rate.map(|rate| Pace { begun, rate, woken: begun });
    for number in 0..*records {
        let record = Record::to(Arc::clone(&name)).value(values.next());
        let sent = match &mut pace {
            Some(pace) => sending.wait(pace, number).await,
            None => Ok(Instant::now()),
        };
        let sent = sent.map_err(|error| undelivered(error, &name))?;
        sending.send(record, sent).await.map_err(|error| undelivered(error, &name))?;
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

/// When records are sent.
struct Pace {
    begun: Instant,
    /// Records in a second.
    rate: u64,
    /// When a record was waited for last.
    woken: Instant,
}

impl Pace {
    /// When a record is to be sent. It does not depend on how long those before it took.
    fn due(&self, number: u64) -> Instant {
        let nanos = u128::from(number) * 1_000_000_000 / u128::from(self.rate.max(1));
        self.begun + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
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
    async fn send(&mut self, record: Record, sent: Instant) -> Result<(), Error> {
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

    /// Waits until a record is due, and says from when its time counts.
    async fn wait(&mut self, pace: &mut Pace, number: u64) -> Result<Instant, Error> {
        let due = pace.due(number);
        while due > Instant::now() {
            tokio::select! {
                biased;
                Some(outcome) = self.under_way.next() => {
                    self.latencies.note(outcome?);
                    self.progress.inc(1);
                }
                () = sleep_until(due.into()) => pace.woken = Instant::now(),
            }
        }
        // That a timer wakes late is nobody's latency.
        Ok(due.max(pace.woken))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_due_evenly_from_the_beginning_on() {
        let begun = Instant::now();
        let due = |rate, number| Pace { begun, rate, woken: begun }.due(number) - begun;
        assert_eq!([0, 1, 250].map(|number| due(250, number).as_millis()), [0, 4, 1000]);
        assert_eq!(due(3, 3), Duration::from_secs(1));
        assert_eq!(due(1_000_000, 1), Duration::from_micros(1));
    }
}
