//! The time from sending a record until a consumer at the tail has it, with librdkafka on both sides.

use anyhow::{Context, Result};
use callboard_benches::produce::{Load, Outcome, config};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::mpsc;
use std::thread::scope;
use std::time::{Duration, Instant};

/// Before the consumer has met all partitions, nothing is timed.
const WARM_UP: usize = 200;
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Sends at the load's rate for its time. Each record holds when it was due.
pub fn measure(address: &str, load: &Load) -> Result<Outcome> {
    let origin = Instant::now();
    let rate = load.rate.context("no rate")?;
    let count = (load.time_max.context("no time")?.as_secs_f64() * rate) as usize + WARM_UP;
    let (ready, is_ready) = mpsc::channel();
    scope(|scope| {
        let consumer = scope.spawn(move || receive(address, load, count, origin, &ready));
        // Without a consumer, an error is told below.
        let _ = is_ready.recv();
        send(address, load, count, rate, origin)?;
        consumer.join().ok().context("the consumer died")?
    })
}

fn send(address: &str, load: &Load, count: usize, rate: f64, origin: Instant) -> Result<()> {
    let producer: BaseProducer = config(address, &load.settings).create()?;
    let topic = load.topic(0);
    let begun = origin.elapsed();
    let mut payload = vec![7; load.record_bytes.max(8)];
    for at in 0..count {
        let due = begun + Duration::from_secs_f64(at as f64 / rate);
        while let Some(rest) = due.checked_sub(origin.elapsed()).filter(|rest| !rest.is_zero()) {
            std::thread::park_timeout(rest);
        }
        payload.splice(..8, (due.as_nanos() as u64).to_be_bytes());
        let partition = (at % load.partitions as usize) as i32;
        let record = BaseRecord::<[u8], [u8]>::to(&topic).partition(partition).payload(&payload);
        producer.send(record).map_err(|(error, _)| error)?;
        producer.poll(Duration::ZERO);
    }
    producer.flush(SILENCE_MAX)?;
    Ok(())
}

fn receive(
    address: &str,
    load: &Load,
    count: usize,
    origin: Instant,
    ready: &mpsc::Sender<()>,
) -> Result<Outcome> {
    let settings = [("group.id", "tail".to_owned()), ("enable.auto.commit", "false".into())];
    let consumer: BaseConsumer = config(address, &settings).create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..load.partitions {
        list.add_partition_offset(&load.topic(0), partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    consumer.poll(Duration::from_millis(500)).transpose()?;
    ready.send(())?;
    let mut latencies = Vec::with_capacity(count);
    for at in 0..count {
        let message = consumer.poll(SILENCE_MAX).context("nothing more comes")??;
        let now = origin.elapsed();
        let due = message.payload().and_then(|payload| payload.first_chunk()).context("no time in it")?;
        if at >= WARM_UP {
            latencies.push(now.saturating_sub(Duration::from_nanos(u64::from_be_bytes(*due))));
        }
    }
    latencies.sort_unstable();
    let took = load.time_max.unwrap_or_default();
    Ok(Outcome { took, bytes: count * load.record_bytes, records: count, latencies })
}
