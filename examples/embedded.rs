//! A broker inside a program: no port, no process, records by reference.
//!
//!     cargo run --example embedded

use callboard::client::consumer::Reset;
use callboard::{Broker, Client, Config, Record};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let broker = Broker::spawn(Config::new(folder.path()).without_ports()).await?;
    let client = Client::in_process(&broker);

    let producer = client.producer();
    for (key, value) in [("ada", "one teapot"), ("blaise", "two teapots"), ("ada", "a cup")] {
        let receipt = producer.send(Record::to("orders").key(key).value(value)).await?;
        println!("{key}: partition {}, offset {}", receipt.partition, receipt.offset);
    }

    let consumer = client.consumer().group("kitchen").topics(["orders"]);
    let mut consumer = consumer.auto_offset_reset(Reset::Earliest).build().await?;
    for _ in 0..3 {
        let record = consumer.next().await?;
        println!("read: {}", String::from_utf8_lossy(record.value().map_or(&[], |value| value)));
    }
    consumer.close().await?;
    broker.shutdown().await;
    Ok(())
}
