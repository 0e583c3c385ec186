//! The native door beside Kafka's: the same loads over both, and in the same program.
//!
//! `cargo bench -p callboard-benches --bench native` prints a table; `-- NAME …` runs only the
//! scenarios with those names (`batched`, `single`, `alone`, `tail`, `subscribed`, `own-writes`). Over sockets the release binary
//! is driven, by librdkafka on Kafka's port and by our client on the native one, right after each
//! other; in process the broker runs in this program, whose CPU time is then that of both, and on one arbiter
//! its actors share the client's thread.

mod hops;
mod own_writes;
mod subscribed;

use anyhow::{Context, Result};
use callboard::{Broker, Client, Config, Record, StartError};
use callboard_benches::broker::{self, Ours, Target, Usage, release_folder, usage};
use callboard_benches::produce::{self, Load, Outcome};
use callboard_benches::report;
use callboard_benches::wanted::Wanted;
use callboard_client::Acks;
use callboard_client::admin::TopicSpec;
use callboard_client::consumer::Reset;
use std::time::{Duration, Instant};

/// As in the broker's own program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KIB: usize = 1024;
const PARTITIONS: u32 = 4;
/// What rows say of a broker on the arbiter of its client.
const ONE_ARBITER: &str = "one arbiter";
/// One record in so many is timed.
const SAMPLE: usize = 64;

/// How records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Many to a batch.
    Batched,
    /// A batch for each, many in flight.
    Single,
    /// One after the other, acknowledged when they are written.
    Alone,
    /// One after the other, acknowledged when they are synced.
    AloneSynced,
}

fn main() -> Result<()> {
    let wanted = Wanted::from_arguments();
    broker::build()?;
    report::head();
    for (name, way, record_bytes, records) in [
        ("batched", Way::Batched, KIB, 2_000_000),
        ("single", Way::Single, 100, 800_000),
        ("single-1-KiB", Way::Single, KIB, 800_000),
        ("alone", Way::Alone, KIB, 20_000),
    ] {
        if wanted.has(name) {
            kafka(name, way, record_bytes, records)?;
            native(name, way, record_bytes, records)?;
            in_process(name, way, record_bytes, records)?;
            if way == Way::Alone {
                on_this_arbiter(name, way, record_bytes, records)?;
                hops::run(record_bytes, records)?;
            }
        }
    }
    if wanted.has("tail") {
        in_this_program(tail)?;
    }
    if wanted.has("subscribed") {
        subscribed::run("in process", Broker::start)?;
        subscribed::run(ONE_ARBITER, here)?;
    }
    if wanted.has("own-writes") {
        own_writes::run()?;
    }
    Ok(())
}

fn kafka(name: &str, way: Way, record_bytes: usize, records: usize) -> Result<()> {
    let load = match way {
        Way::Batched => Load::batched(name, 1, PARTITIONS as i32, record_bytes, records),
        Way::Single => Load::single(name, 1, record_bytes, records),
        Way::Alone => Load::alone(name, "1", record_bytes, records),
        Way::AloneSynced => Load::alone(name, "all", record_bytes, records),
    };
    let (ours, _) = Ours::start()?;
    produce::create_topics(ours.address(), &load)?;
    let before = usage(ours.process_id())?;
    let outcome = produce::produce(ours.address(), &load)?;
    report::load(name, "kafka", &outcome, before, usage(ours.process_id())?);
    Ok(())
}

fn native(name: &str, way: Way, record_bytes: usize, records: usize) -> Result<()> {
    let (ours, _) = Ours::start()?;
    runtime()?.block_on(async {
        let client = Client::connect(ours.native_address()).await?;
        create(&client, name).await?;
        let before = usage(ours.process_id())?;
        let outcome = send(&client, name, way, record_bytes, records).await?;
        report::load(name, "native", &outcome, before, usage(ours.process_id())?);
        if way == Way::Batched {
            let before = usage(ours.process_id())?;
            let outcome = read(&client, name, records).await?;
            report::load("read", "native", &outcome, before, usage(ours.process_id())?);
        }
        Ok(())
    })
}

fn in_process(name: &str, way: Way, record_bytes: usize, records: usize) -> Result<()> {
    in_this_program(async |broker| {
        let client = Client::in_process(broker);
        send_here(&client, name, "in process", way, record_bytes, records).await?;
        if way == Way::Batched {
            let before = own_usage()?;
            let outcome = read(&client, name, records).await?;
            report::load("read", "in process", &outcome, before, own_usage()?);
        }
        Ok(())
    })
}

/// The same with broker and client on one thread.
fn on_this_arbiter(name: &str, way: Way, record_bytes: usize, records: usize) -> Result<()> {
    let folder = tempfile::tempdir_in(release_folder()?)?;
    actix::System::new().block_on(async {
        let broker = here(Config::new(folder.path()).without_ports()).await?;
        send_here(&Client::in_process(&broker), name, ONE_ARBITER, way, record_bytes, records).await?;
        broker.shutdown().await;
        Ok(())
    })
}

/// Sends to a broker in this program.
async fn send_here(
    client: &Client,
    name: &str,
    broker: &str,
    way: Way,
    record_bytes: usize,
    records: usize,
) -> Result<()> {
    create(client, name).await?;
    let before = own_usage()?;
    let outcome = send(client, name, way, record_bytes, records).await?;
    report::load(name, broker, &outcome, before, own_usage()?);
    Ok(())
}

async fn here(config: Config) -> Result<Broker, StartError> {
    Broker::start_on(config, [actix::Arbiter::current()]).await
}

fn in_this_program(run: impl AsyncFnOnce(&Broker) -> Result<()>) -> Result<()> {
    let folder = tempfile::tempdir_in(release_folder()?)?;
    runtime()?.block_on(async {
        let broker = Broker::spawn(Config::new(folder.path()).without_ports()).await?;
        run(&broker).await?;
        broker.shutdown().await;
        Ok(())
    })
}

/// One thread for the client, as librdkafka has one for a connection.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn own_usage() -> Result<Usage> {
    usage(std::process::id())
}

async fn create(client: &Client, topic: &str) -> Result<()> {
    client.admin().create_topic(TopicSpec::new(topic).partitions(PARTITIONS)).await?;
    Ok(())
}

async fn send(client: &Client, topic: &str, way: Way, bytes: usize, records: usize) -> Result<Outcome> {
    let builder = client.producer_builder();
    let producer = match way {
        Way::Batched => {
            builder.batch_bytes(1_000_000).linger(Duration::from_millis(5)).buffer_bytes(256 << 20)
        }
        Way::Single => builder.batch_records(1).idempotent(false).in_flight(4096),
        Way::Alone => builder.acks(Acks::Written),
        Way::AloneSynced => builder,
    };
    let producer = producer.build();
    let payload: Vec<u8> = (0..bytes).map(|at| (at * 31 % 251) as u8).collect();
    let payload = bytes::Bytes::from(payload);
    let topic: std::sync::Arc<str> = topic.into();
    let run = (records / PARTITIONS as usize / 4).clamp(1, 1000);
    let mut deliveries = std::collections::VecDeque::new();
    let mut latencies = Vec::new();
    let begun = Instant::now();
    for at in 0..records {
        let partition = (at / run) as u32 % PARTITIONS;
        let record = Record::to(std::sync::Arc::clone(&topic)).partition(partition).value(payload.clone());
        let sent = Instant::now();
        let mut delivery = producer.send(record);
        if matches!(way, Way::Alone | Way::AloneSynced) {
            delivery.await?;
            latencies.push(sent.elapsed());
            continue;
        }
        delivery.taken().await?;
        if at % SAMPLE == 0 {
            deliveries.push_back((sent, delivery));
        }
        if at % 256 == 0 {
            tokio::task::yield_now().await;
        }
        while let Some((sent, delivery)) = deliveries.front_mut() {
            let Some(outcome) = futures_util::FutureExt::now_or_never(delivery) else { break };
            outcome?;
            latencies.push(sent.elapsed());
            deliveries.pop_front();
        }
    }
    producer.flush().await;
    let took = begun.elapsed();
    anyhow::ensure!(producer.metrics().records_delivered == records as u64, "records were not delivered");
    latencies.sort_unstable();
    Ok(Outcome { took, bytes: records * bytes, records, latencies })
}

async fn read(client: &Client, topic: &str, records: usize) -> Result<Outcome> {
    let consumer = client.consumer().topics([topic]).auto_offset_reset(Reset::Earliest);
    let mut consumer = consumer.buffer_bytes(32 << 20).build().await?;
    let (mut bytes, mut count) = (0, 0);
    let mut begun = None;
    while count < records {
        for record in consumer.next_batch().await? {
            begun.get_or_insert_with(Instant::now);
            bytes += record?.value().map_or(0, bytes::Bytes::len);
            count += 1;
        }
    }
    let took = begun.context("nothing came")?.elapsed();
    Ok(Outcome { took, bytes, records: count, latencies: Vec::new() })
}

/// From the receipt of a record to its consumer, and from its sending.
async fn tail(broker: &Broker) -> Result<()> {
    let client = Client::in_process(broker);
    create(&client, "tail").await?;
    let mut consumer = client.consumer().topics(["tail"]).auto_offset_reset(Reset::Earliest).build().await?;
    let producer = client.producer();
    let mut latencies = Vec::new();
    let before = own_usage()?;
    let begun = Instant::now();
    for _ in 0..5_000 {
        let sent = Instant::now();
        let delivery = producer.send(Record::to("tail").value("x"));
        consumer.next().await?;
        latencies.push(sent.elapsed());
        delivery.await?;
    }
    let took = begun.elapsed();
    latencies.sort_unstable();
    let outcome = Outcome { took, bytes: 5_000, records: 5_000, latencies };
    report::load("tail", "in process", &outcome, before, own_usage()?);
    Ok(())
}
