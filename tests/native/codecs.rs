//! Values of the program's own types, by every codec.

use crate::support::{Trial, create, reader, soon};
use anyhow::Result;
use callboard::{Client, Record};
use callboard_client::codec::{Avro, Codec, Json, Protobuf, Raw, Rkyv, Text, TypedError};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Serialize, Deserialize, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    what: String,
    #[prost(int64, tag = "2")]
    count: i64,
}

#[derive(Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct Archive {
    what: String,
    count: i64,
}

fn order() -> Order {
    Order { what: "teapots".into(), count: 2 }
}

/// Sends a value and reads it back, and reads a record that is no value in between.
async fn round<C: Codec + Clone>(client: &Client, topic: &str, codec: C, value: &C::In) -> Result<C::Out> {
    create(client, topic, 1).await?;
    let producer = client.producer().typed(codec.clone());
    producer.producer().send(Record::to(topic).value(vec![0xff, 0xfe])).await?;
    producer.send(Record::to(topic), value)?.await?;
    let mut consumer = reader(client, topic).await?.typed(codec);
    match soon(consumer.next()).await? {
        Err(error @ TypedError::Codec { .. }) => {
            let place = format!("offset 0 of {topic}-0");
            assert!(error.to_string().contains(&place), "{error}");
        }
        Err(error) => return Err(error.into()),
        // Any bytes are a value of the codec that takes them as they are.
        Ok(_) => assert_eq!(topic, "raw"),
    }
    let read = soon(consumer.next()).await??;
    assert_eq!(read.record.offset(), 1);
    Ok(read.value.unwrap())
}

#[tokio::test]
async fn every_codec_brings_a_value_back_and_goes_on_behind_what_is_none() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    assert_eq!(round(&client, "text", Text, "two teapots").await?, "two teapots");
    assert_eq!(round(&client, "raw", Raw, &"two teapots".into()).await?, "two teapots");
    assert_eq!(round(&client, "json", Json::<Order>::default(), &order()).await?, order());
    assert_eq!(round(&client, "protobuf", Protobuf::<Order>::default(), &order()).await?, order());
    let schema = r#"{"type": "record", "name": "Order", "fields": [
        {"name": "what", "type": "string"}, {"name": "count", "type": "long"}]}"#;
    assert_eq!(round(&client, "avro", Avro::<Order>::parse(schema)?, &order()).await?, order());
    let archive = Archive { what: "teapots".into(), count: 2 };
    let view = round(&client, "rkyv", Rkyv::<Archive>::default(), &archive).await?;
    assert_eq!((view.what.as_str(), view.count.to_native()), ("teapots", 2));
    Ok(())
}
