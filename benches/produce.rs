//! Producing and consuming with librdkafka, measured.

use anyhow::{Context, Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::Offset;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One load.
#[derive(Debug, Clone)]
pub struct Load {
    /// What the topics' names begin with.
    pub name: String,
    /// How many topics.
    pub topics: usize,
    /// Of each topic.
    pub partitions: i32,
    /// Bytes of each record's value.
    pub record_bytes: usize,
    /// Records of all producers together.
    pub records: usize,
    /// Producers, each with a connection and a thread of its own.
    pub producers: usize,
    /// Settings of librdkafka beside the address.
    pub settings: Vec<(&'static str, String)>,
    /// Records that may wait for their acknowledgement; `None` for as many as librdkafka takes.
    pub in_flight_max: Option<u64>,
}

impl Load {
    /// The topic that a producer writes to.
    pub fn topic(&self, producer: usize) -> String {
        format!("{}-{}", self.name, producer % self.topics)
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How long it took.
    pub took: Duration,
    /// Bytes of all values.
    pub bytes: usize,
    /// How many records.
    pub records: usize,
    /// Sorted times from send to acknowledgement, of one record in [`SAMPLE`].
    pub latencies: Vec<Duration>,
}

/// One record in so many is timed.
const SAMPLE: usize = 64;
/// How long a producer waits for deliveries at a time. The last millisecond of a wait is spun away
/// by the client library, so that a short one would take a core from the broker.
const DELIVERY_WAIT: Duration = Duration::from_millis(20);

struct Deliveries {
    begun: Instant,
    latencies: Mutex<Vec<Duration>>,
    failed: AtomicU64,
    done: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    /// Microseconds since `begun` at which a timed record was sent, and 0 for the others.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Self::DeliveryOpaque) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if result.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        if sent > 0
            && let Ok(mut latencies) = self.latencies.lock()
        {
            latencies.push(self.begun.elapsed().saturating_sub(Duration::from_micros(sent as u64)));
        }
    }
}

fn config(address: &str, settings: &[(&'static str, String)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address);
    for (key, value) in settings {
        config.set(*key, value);
    }
    config
}

/// Creates a load's topics, and tells how long that took.
///
/// # Errors
/// When the broker does not create one.
pub fn create_topics(address: &str, load: &Load) -> Result<Duration> {
    let admin: AdminClient<DefaultClientContext> = config(address, &[]).create()?;
    let names: Vec<String> = (0..load.topics).map(|number| load.topic(number)).collect();
    let new = |name| NewTopic::new(name, load.partitions, TopicReplication::Fixed(1));
    let begun = Instant::now();
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(60)));
    // One request each: another broker has a bound on the partitions of one.
    for name in &names {
        let created = futures_executor::block_on(admin.create_topics([&new(name)], &options))?;
        for outcome in created {
            outcome.map_err(|(topic, code)| anyhow::anyhow!("{topic}: {code}"))?;
        }
    }
    Ok(begun.elapsed())
}

/// Runs a load to its end: all records acknowledged.
///
/// # Errors
/// When a record is not delivered.
pub fn produce(address: &str, load: &Load) -> Result<Outcome> {
    let begun = Instant::now();
    let outcomes: Vec<Result<Vec<Duration>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.producers)
            .map(|number| scope.spawn(move || produce_one(address, load, number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a producer died"))))
            .collect()
    });
    let took = begun.elapsed();
    let mut latencies = Vec::new();
    for outcome in outcomes {
        latencies.extend(outcome?);
    }
    latencies.sort_unstable();
    Ok(Outcome { took, bytes: load.records * load.record_bytes, records: load.records, latencies })
}

fn produce_one(address: &str, load: &Load, number: usize) -> Result<Vec<Duration>> {
    let producer: BaseProducer<Deliveries> =
        config(address, &load.settings).create_with_context(Deliveries {
            begun: Instant::now(),
            latencies: Mutex::default(),
            failed: AtomicU64::new(0),
            done: AtomicU64::new(0),
        })?;
    let payload: Vec<u8> = (0..load.record_bytes).map(|at| (at * 31 % 251) as u8).collect();
    let count = load.records / load.producers;
    let topic = load.topic(number);
    // Neighbours go to one partition, so that batches fill as they do with a sticky partitioner.
    let run = (count / load.partitions as usize / 4).clamp(1, 1000);
    for at in 0..count {
        let partition = ((at / run + number) % load.partitions as usize) as i32;
        let is_timed = at % SAMPLE == 0;
        let sent = if is_timed { producer.context().begun.elapsed().as_micros() as usize + 1 } else { 0 };
        let mut record = BaseRecord::with_opaque_to(&topic, sent)
            .partition(partition)
            .payload(&payload[..])
            .key(&[] as &[u8]);
        while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) =
            producer.send(record)
        {
            record = back;
            producer.poll(DELIVERY_WAIT);
        }
        if at % 256 == 0 {
            producer.poll(Duration::ZERO);
        }
        if let Some(max) = load.in_flight_max {
            while at as u64 + 1 >= max + producer.context().done.load(Ordering::Relaxed) {
                producer.poll(Duration::from_millis(1));
            }
        }
    }
    producer.flush(Duration::from_secs(120))?;
    let context = producer.context();
    ensure!(context.failed.load(Ordering::Relaxed) == 0, "records were not delivered");
    let latencies = context.latencies.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
    Ok(latencies.clone())
}

/// Reads a topic from its beginning, and tells how long that took and how many bytes came.
///
/// # Errors
/// When nothing more comes, or something that cannot be read.
pub fn consume(address: &str, load: &Load) -> Result<Outcome> {
    let settings = [
        ("group.id", "bench".to_owned()),
        ("enable.auto.commit", "false".into()),
        ("fetch.message.max.bytes", "4194304".into()),
        ("fetch.wait.max.ms", "10".into()),
    ];
    let consumer: BaseConsumer = config(address, &settings).create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..load.partitions {
        list.add_partition_offset(&load.topic(0), partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let mut begun = None;
    let (mut bytes, mut records) = (0, 0);
    while records < load.records {
        let message = consumer.poll(Duration::from_secs(20)).context("nothing more comes")??;
        begun.get_or_insert_with(Instant::now);
        bytes += message.payload_len();
        records += 1;
    }
    let took = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
    Ok(Outcome { took, bytes, records, latencies: Vec::new() })
}
