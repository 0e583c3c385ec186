//! A broker inside a program: how it starts and how it ends.

use crate::frames::fetch;
use crate::support::{PATIENCE, Trial, create, reader, soon, values};
use actix::Arbiter;
use anyhow::{Context, Result};
use callboard::{Broker, Client, Config, Record, StartError};
use callboard_client::Error;
use callboard_client::admin::TopicSpec;
use callboard_client::consumer::Reset;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[actix::test]
async fn a_broker_starts_in_the_running_actix_system() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let broker = Broker::start(Config::new(folder.path()).without_ports()).await?;
    assert_eq!((broker.kafka_address(), broker.native_address()), (None, None));
    let client = Client::in_process(&broker);
    assert_eq!(soon(client.producer().send(Record::to("orders").value("1"))).await??.offset, 0);
    soon(broker.shutdown()).await?;
    let again = Broker::start(Config::new(folder.path()).without_ports()).await?;
    let client = Client::in_process(&again);
    assert_eq!(
        soon(client.producer().send(Record::to("orders").partition(0).value("2"))).await??.partition,
        0
    );
    soon(again.shutdown()).await?;
    Ok(())
}

#[actix::test]
async fn a_broker_on_an_arbiter_of_the_program_serves_all_its_doors_and_leaves_nothing_there() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for start in 0..2 {
        let config = Config::new(folder.path()).kafka("127.0.0.1:0").native("127.0.0.1:0");
        let broker = Broker::start_on(config, [Arbiter::current()]).await?;
        let native = broker.native_address().context("no native port")?;
        let clients = [Client::in_process(&broker), Client::connect(native.to_string()).await?];
        for client in &clients {
            let record = Record::to("orders").partition(0).value("1");
            soon(client.producer().send(record)).await??;
            let member = client.consumer().group("readers").topics(["orders"]);
            let mut member = member.auto_offset_reset(Reset::Earliest).build().await?;
            soon(member.next()).await??;
            soon(member.close()).await??;
        }
        let actors = broker.actors().clone();
        let slot = Arc::clone(&actors.topics().get("orders").context("no topic")?.partitions[0]);
        let group = Arc::clone(actors.groups().get("readers").context("no group")?);
        assert!(slot.actor().is_some() && group.actor().is_some() && actors.broker().connected());
        soon(broker.shutdown()).await?;
        let is_gone = || slot.actor().is_none() && group.actor().is_none() && !actors.broker().connected();
        soon(async {
            while !is_gone() {
                tokio::task::yield_now().await;
            }
        })
        .await?;
        drop((clients, broker));
        assert_eq!(Arc::strong_count(&slot), 2, "start {start}: the handle's topics and this");
    }
    let refused = Broker::start_on(Config::new(folder.path()), []).await.unwrap_err();
    assert!(matches!(refused, StartError::NoArbiter), "{refused}");
    Ok(())
}

#[actix::test]
async fn a_broker_on_an_arbiter_of_the_program_ends_with_connections_that_do_not_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = Config::new(folder.path()).kafka("127.0.0.1:0").native("off");
    let config = config.set("shutdown.grace.ms", 100).set("queued.max.response.bytes", 1 << 30);
    let broker = Broker::start_on(config, [Arbiter::current()]).await?;
    let client = Client::in_process(&broker);
    let record = || Record::to("large").partition(0).value(vec![0; 1_000_000]);
    client.producer().send_all((0..32).map(|_| record())).await?;
    let mut stuck = tokio::net::TcpStream::connect(broker.kafka_address().context("no port")?).await?;
    stuck.write_all(&fetch("large", 0, i32::MAX)).await?;
    stuck.read_exact(&mut [0; 4]).await?;
    soon(broker.shutdown()).await?;
    let read = soon(tokio::io::copy(&mut stuck, &mut tokio::io::sink())).await?;
    assert!(read.is_err() || read.is_ok_and(|bytes| bytes < 30_000_000), "it was not answered whole");
    Ok(())
}

#[test]
fn a_broker_that_is_dropped_with_the_arbiter_that_it_runs_on_gives_its_folder_free() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = || Config::new(folder.path()).without_ports();
    let system = actix::System::new();
    let broker = system.block_on(Broker::start_on(config(), [Arbiter::current()]))?;
    drop(broker);
    let begun = std::time::Instant::now();
    // Nothing runs on the arbiter any more.
    let again = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    again.block_on(async {
        loop {
            match Broker::spawn(config()).await {
                Ok(broker) => break broker.shutdown().await,
                Err(error) if begun.elapsed() > PATIENCE => panic!("{error}"),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    Ok(())
}

#[tokio::test]
async fn without_an_actix_system_a_broker_must_be_spawned() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let refused = Broker::start(Config::new(folder.path())).await.unwrap_err();
    assert!(matches!(refused, StartError::NoSystem), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_dropped_gives_its_folder_free() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for number in 0..3 {
        let broker = Broker::spawn(Config::new(folder.path()).without_ports().set("workers", 1)).await?;
        let client = Client::in_process(&broker);
        let record = Record::to("orders").partition(0).value("x");
        assert_eq!(soon(client.producer().send(record)).await??.offset, number);
        drop(client);
        drop(broker);
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_configured_is_refused_before_anything_is_opened() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let refused = Broker::spawn(Config::new(&data).set("num.partition", 1)).await.unwrap_err();
    assert_eq!(refused.to_string(), "unknown setting num.partition (program)");
    assert!(!data.exists());
    Ok(())
}

#[tokio::test]
async fn a_folder_in_use_is_refused() -> Result<()> {
    let trial = Trial::start().await?;
    let refused = Broker::spawn(Config::new(trial.folder.path()).without_ports()).await.unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn after_a_shutdown_requests_are_refused_and_do_not_hang() -> Result<()> {
    let trial = Trial::start().await?;
    let clients = trial.clients().await?;
    for (_, client) in &clients {
        soon(client.producer().send(Record::to("orders").value("1"))).await??;
    }
    soon(trial.broker.shutdown()).await?;
    for (name, client) in clients {
        let producer = client.producer_builder().delivery_timeout(Duration::from_millis(300)).build();
        assert!(soon(producer.send(Record::to("orders").value("2"))).await?.is_err(), "{name}");
        assert!(soon(client.admin().create_topic(TopicSpec::new("x"))).await?.is_err(), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn clients_in_the_program_are_told_that_their_broker_is_gone() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "gone", 1).await?;
    let mut consumer = reader(&client, "gone").await?;
    let producer = client.producer();
    soon(producer.send(Record::to("gone").value("1"))).await??;
    assert_eq!(values(&mut consumer, 1).await?, ["1"]);
    trial.broker.shutdown().await;
    assert!(matches!(soon(consumer.next()).await?, Err(Error::Closed)));
    assert!(matches!(soon(producer.send(Record::to("gone").value("2"))).await?, Err(Error::Closed)));
    assert!(matches!(soon(client.producer().send(Record::to("gone"))).await?, Err(Error::Closed)));
    assert!(matches!(soon(client.admin().topics()).await?, Err(Error::Closed)));
    Ok(())
}
