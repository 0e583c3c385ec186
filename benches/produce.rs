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
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
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
    /// Records a second of all producers together; `None` for as many as can be. Times then count from
    /// when a record was due, so that one that waits for its turn is not flattered.
    pub rate: Option<f64>,
    /// After this time no record is sent that was not, however many were asked for.
    pub time_max: Option<Duration>,
    /// One record in so many is timed.
    pub sample: usize,
}

impl Load {
    /// Records of so many bytes in batches, to all partitions of a topic.
    pub fn batched(name: &str, topics: usize, partitions: i32, record_bytes: usize, records: usize) -> Self {
        Self {
            name: name.to_owned(),
            topics,
            partitions,
            record_bytes,
            records,
            producers: topics,
            settings: vec![
                ("acks", "all".into()),
                ("linger.ms", "5".into()),
                ("batch.size", "1000000".into()),
                ("queue.buffering.max.messages", (500_000 / topics).to_string()),
                ("queue.buffering.max.kbytes", (262_144 / topics).to_string()),
            ],
            in_flight_max: None,
            rate: None,
            time_max: None,
            sample: SAMPLE,
        }
    }

    /// One record to a request, as many requests at once as each producer may have.
    pub fn single(name: &str, producers: usize, record_bytes: usize, records: usize) -> Self {
        Self {
            producers,
            settings: vec![
                ("acks", "all".into()),
                ("linger.ms", "0".into()),
                ("batch.num.messages", "1".into()),
            ],
            ..Self::batched(name, 1, 4, record_bytes, records)
        }
    }

    /// One record after the other, each sent when the one before is acknowledged.
    pub fn alone(name: &str, acks: &str, record_bytes: usize, records: usize) -> Self {
        Self {
            settings: vec![
                ("acks", acks.into()),
                ("linger.ms", "0".into()),
                ("socket.nagle.disable", "true".into()),
            ],
            in_flight_max: Some(1),
            ..Self::batched(name, 1, 4, record_bytes, records)
        }
    }

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
    /// Sorted times from send to acknowledgement, of one record in [`Load::sample`].
    pub latencies: Vec<Duration>,
}

/// One record in so many is timed, where many are sent.
const SAMPLE: usize = 64;
/// How long a producer waits for deliveries at a time. The last millisecond of a wait is spun away
/// by the client library, so that a short one would take a core from the broker.
const DELIVERY_WAIT: Duration = Duration::from_millis(20);
/// Another broker may take a minute for thousands of partitions on a busy machine.
const CREATION_MAX: Duration = Duration::from_secs(240);
/// A paced producer looks this often for deliveries: what it tells is not finer.
const PACE: Duration = Duration::from_micros(500);

struct Deliveries {
    begun: Instant,
    latencies: Mutex<Vec<Duration>>,
    failed: OnceLock<KafkaError>,
    done: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    /// Microseconds since `begun` at which a timed record was sent, and 0 for the others.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Self::DeliveryOpaque) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if let Err((error, _)) = result {
            self.failed.get_or_init(|| error.clone());
        }
        if sent > 0
            && let Ok(mut latencies) = self.latencies.lock()
        {
            latencies.push(self.begun.elapsed().saturating_sub(Duration::from_micros(sent as u64)));
        }
    }
}

/// How a client of librdkafka finds a broker, and its other settings.
pub fn config(address: &str, settings: &[(&'static str, String)]) -> ClientConfig {
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
    for name in &names {
        while !is_ready(&admin, name, load.partitions as usize)? {
            ensure!(begun.elapsed() < CREATION_MAX, "{name} has no leaders");
            wait(Duration::from_millis(5));
        }
    }
    Ok(begun.elapsed())
}

/// Whether all partitions can be written to: another broker says that they are created before.
fn is_ready(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: usize) -> Result<bool> {
    let metadata = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(30))?;
    let ours = metadata.topics().iter().find(|it| it.name() == topic).context("another topic")?;
    Ok(ours.partitions().iter().filter(|it| it.leader() >= 0 && it.error().is_none()).count() == partitions)
}

/// Runs a load to its end: all records acknowledged.
///
/// # Errors
/// When a record is not delivered.
pub fn produce(address: &str, load: &Load) -> Result<Outcome> {
    let begun = Instant::now();
    let outcomes: Vec<Result<(usize, Vec<Duration>)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.producers)
            .map(|number| scope.spawn(move || produce_one(address, load, number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a producer died"))))
            .collect()
    });
    let took = begun.elapsed();
    let (mut records, mut latencies) = (0, Vec::new());
    for outcome in outcomes {
        let (sent, times) = outcome?;
        records += sent;
        latencies.extend(times);
    }
    latencies.sort_unstable();
    Ok(Outcome { took, bytes: records * load.record_bytes, records, latencies })
}

/// What one producer sent, and the times of what was timed.
fn produce_one(address: &str, load: &Load, number: usize) -> Result<(usize, Vec<Duration>)> {
    let producer: BaseProducer<Deliveries> =
        config(address, &load.settings).create_with_context(Deliveries {
            begun: Instant::now(),
            latencies: Mutex::default(),
            failed: OnceLock::new(),
            done: AtomicU64::new(0),
        })?;
    let payload: Vec<u8> = (0..load.record_bytes).map(|at| (at * 31 % 251) as u8).collect();
    let count = load.records / load.producers;
    let topic = load.topic(number);
    // Neighbours go to one partition, so that batches fill as they do with a sticky partitioner.
    let run = (count / load.partitions as usize / 4).clamp(1, 1000);
    let begun = producer.context().begun;
    let interval = load.rate.map(|rate| Duration::from_secs_f64(load.producers as f64 / rate));
    let mut sent = 0;
    while sent < count && load.time_max.is_none_or(|max| begun.elapsed() < max) {
        let due = interval.map(|interval| interval.mul_f64(sent as f64));
        if let Some(due) = due {
            pace(&producer, due);
        }
        let partition = ((sent / run + number) % load.partitions as usize) as i32;
        let is_timed = sent.is_multiple_of(load.sample);
        let at = if is_timed { due.unwrap_or_else(|| begun.elapsed()).as_micros() as usize + 1 } else { 0 };
        let mut record = BaseRecord::with_opaque_to(&topic, at)
            .partition(partition)
            .payload(&payload[..])
            .key(&[] as &[u8]);
        while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) =
            producer.send(record)
        {
            record = back;
            producer.poll(DELIVERY_WAIT);
        }
        sent += 1;
        if sent.is_multiple_of(256) {
            producer.poll(Duration::ZERO);
        }
        if let Some(max) = load.in_flight_max {
            while sent as u64 >= max + producer.context().done.load(Ordering::Relaxed) {
                producer.poll(Duration::from_millis(1));
            }
        }
    }
    producer.flush(Duration::from_secs(120))?;
    let context = producer.context();
    if let Some(error) = context.failed.get() {
        anyhow::bail!("records were not delivered: {error}");
    }
    let latencies = context.latencies.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
    Ok((sent, latencies.clone()))
}

/// Waits until a record is due, and takes deliveries meanwhile.
fn pace(producer: &BaseProducer<Deliveries>, due: Duration) {
    loop {
        let Some(rest) = due.checked_sub(producer.context().begun.elapsed()).filter(|it| !it.is_zero())
        else {
            return;
        };
        producer.poll(Duration::ZERO);
        std::thread::park_timeout(rest.min(PACE));
    }
}

/// Lets a time pass.
pub fn wait(time: Duration) {
    let over = Instant::now() + time;
    while Instant::now() < over {
        std::thread::park_timeout(over.saturating_duration_since(Instant::now()));
    }
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
