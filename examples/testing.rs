//! A broker for a test, at whose doors things go wrong as the test likes: what a program does then is seen.
//!
//!     cargo run --example testing

use callboard::client::consumer::Reset;
use callboard::testing::{Effect, Fault, TestBroker};
use callboard::{Client, Record};
use std::time::Duration;

/// `UNAVAILABLE` of the native protocol: the same may succeed later.
const UNAVAILABLE: i16 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // With settings of its own: `TestBroker::start()` has none.
    let mut broker = TestBroker::start_with([("num.partitions", 1)]).await?;
    println!("Kafka's clients are given {}", broker.bootstrap_servers());
    let address = broker.broker().native_address().map(|address| address.to_string()).unwrap_or_default();
    let client = Client::connect(address).await?;
    let orders = client.producer();

    let late = Duration::from_millis(20);
    for effect in [Effect::Refuse(UNAVAILABLE), Effect::Delay(late), Effect::Close, Effect::LoseAnswer] {
        broker.inject(Fault::new(effect).on("Produce"));
        let receipt = orders.send(Record::to("orders").value(format!("{effect:?}"))).await?;
        println!("{effect:?}: stored once, at offset {}", receipt.offset);
    }
    broker.crash_and_restart().await?;
    let receipt = orders.send(Record::to("orders").value("a crash")).await?;
    println!("after a crash: offset {}", receipt.offset);

    let consumer = client.consumer().assign("orders", 0).auto_offset_reset(Reset::Earliest);
    let mut consumer = consumer.build().await?;
    for offset in 0..=receipt.offset {
        anyhow::ensure!(consumer.next().await?.offset() == offset, "a record is missing, or there twice");
    }
    println!("{} faults, and {} records", broker.faults_happened(), receipt.offset + 1);
    broker.shutdown().await;
    Ok(())
}
