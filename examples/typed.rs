//! Records of the program's own types: JSON here, and what is no such value is told with its place.
//!
//!     cargo run --example typed

use callboard::client::codec::{Json, TypedError};
use callboard::client::consumer::Reset;
use callboard::{Broker, Client, Config, Record};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    what: String,
    count: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let broker = Broker::spawn(Config::new(folder.path()).without_ports()).await?;
    let client = Client::in_process(&broker);

    let orders = client.producer().typed(Json::<Order>::default());
    let teapots = Order { what: "teapots".into(), count: 2 };
    orders.send(Record::to("orders").partition(0).key("ada"), &teapots)?.await?;
    // Somebody else writes into the topic too.
    client.producer().send(Record::to("orders").partition(0).value("two cups, please")).await?;
    let cups = Order { what: "cups".into(), count: 2 };
    orders.send(Record::to("orders").partition(0).key("ada"), &cups)?.await?;

    let consumer = client.consumer().assign("orders", 0).auto_offset_reset(Reset::Earliest);
    let mut consumer = consumer.build().await?.typed(Json::<Order>::default());
    let mut left = 3;
    while left > 0 {
        left -= 1;
        match consumer.next().await {
            Ok(read) => println!("offset {}: {:?}", read.record.offset(), read.value),
            Err(error @ TypedError::Codec { .. }) => println!("left out: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    broker.shutdown().await;
    Ok(())
}
