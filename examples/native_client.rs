//! A client of a broker somewhere else, over its native port: what it writes Kafka's clients read.
//!
//!     cargo run --release                                # in another terminal
//!     cargo run --example native_client [HOST:PORT]
//!
//! Without an address it starts a broker of its own, so that it can be tried alone.

use callboard::client::admin::TopicSpec;
use callboard::client::consumer::Reset;
use callboard::client::{Acks, Compression};
use callboard::{Broker, Client, Config, Record};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (address, own) = match std::env::args().nth(1) {
        Some(address) => (address, None),
        None => {
            let config = Config::new(folder.path()).kafka("off").native("127.0.0.1:0");
            let broker = Broker::spawn(config).await?;
            let address = broker.native_address().map(|it| it.to_string());
            (address.ok_or_else(|| anyhow::anyhow!("no native port"))?, Some(broker))
        }
    };
    let client = Client::connect(&address).await?;

    let topic = format!("readings-{}", std::process::id());
    let created = client.admin().create_topic(TopicSpec::new(&topic).partitions(3)).await?;
    println!("created {topic} with {} partitions", created.partitions);

    // Batches grow for 5 ms, and are packed.
    let producer = client
        .producer_builder()
        .acks(Acks::Synced)
        .compression(Compression::Lz4)
        .linger(Duration::from_millis(5))
        .build();
    let record = |number: u32| {
        Record::to(topic.as_str()).key(format!("sensor-{}", number % 10)).value(format!("{number} degrees"))
    };
    let receipts = producer.send_all((0..1000).map(record)).await?;
    println!("{} records delivered: {:?}", receipts.len(), producer.metrics());

    // Two members of a group share the partitions.
    let member = || {
        client
            .consumer()
            .group("display")
            .topics([topic.as_str()])
            .auto_offset_reset(Reset::Earliest)
            .on_assigned(|partitions| println!("one member got {} partitions", partitions.len()))
            .build()
    };
    let (mut first, mut second) = (member().await?, member().await?);
    let mut count = 0;
    while count < 1000 {
        tokio::select! {
            record = first.next() => drop(record?),
            record = second.next() => drop(record?),
        }
        count += 1;
    }
    println!("{count} records read");
    first.close().await?;
    second.close().await?;
    client.admin().delete_topic(&topic).await?;
    if let Some(broker) = own {
        broker.shutdown().await;
    }
    Ok(())
}
