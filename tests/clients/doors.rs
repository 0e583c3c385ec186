//! One log behind all doors: what comes in by one goes out by the others, with all that belongs to it.

use crate::client::Client as Program;
use crate::lines::{LogFile, log_files};
use crate::matrix::{CODECS, prefix, read, same, write};
use anyhow::{Context, Result};
use callboard::client::admin::TopicSpec;
use callboard::client::consumer::{Consumer, Reset};
use callboard::client::{Acks, Compression};
use callboard::{Broker, Client, Config, Record};
use std::collections::HashMap;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

const WITHIN: Duration = Duration::from_secs(60);

/// A broker in this process with both ports open, and native clients of it: by socket and without.
struct Trial {
    broker: Broker,
    kafka: String,
    folder: TempDir,
}

impl Trial {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = Config::new(folder.path().join("data")).kafka("127.0.0.1:0").native("127.0.0.1:0");
        let broker = Broker::spawn(config).await?;
        let kafka = broker.kafka_address().context("no port for Kafka clients")?.to_string();
        Ok(Self { broker, kafka, folder })
    }

    async fn clients(&self) -> Result<[(&'static str, Client); 2]> {
        let address = self.broker.native_address().context("no native port")?.to_string();
        Ok([("socket", Client::connect(address).await?), ("inside", Client::in_process(&self.broker))])
    }
}

async fn reader(client: &Client, topic: &str) -> Result<Consumer> {
    Ok(client.consumer().assign(topic, 0).auto_offset_reset(Reset::Earliest).build().await?)
}

fn compression(codec: &str) -> Compression {
    match codec {
        "gzip" => Compression::Gzip,
        "snappy" => Compression::Snappy,
        "lz4" => Compression::Lz4,
        "zstd" => Compression::Zstd,
        _ => Compression::None,
    }
}

/// Every line as a record, as it is read back one a line.
async fn send_lines(client: &Client, topic: &str, codec: &str, file: &LogFile) -> Result<()> {
    let producer = client.producer_builder().compression(compression(codec)).build();
    let lines = file.lines()?;
    let record = |line: &[u8]| Record::to(topic).partition(0).value(line.to_vec());
    let lines = lines.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]);
    producer.send_all(lines.map(record)).await?;
    Ok(())
}

async fn read_lines(client: &Client, topic: &str, bytes: usize) -> Result<Vec<u8>> {
    let mut consumer = reader(client, topic).await?;
    let mut lines = Vec::with_capacity(bytes);
    while lines.len() < bytes {
        let record = timeout(WITHIN, consumer.next()).await??;
        lines.extend_from_slice(record.value().context("no value")?);
        lines.push(b'\n');
    }
    Ok(lines)
}

#[tokio::test]
async fn kafkas_clients_read_what_native_ones_write() -> Result<()> {
    let trial = Trial::start().await?;
    let files = log_files(trial.folder.path())?;
    let mut topics = Vec::new();
    for (door, client) in trial.clients().await? {
        for (file, codec) in files.iter().flat_map(|file| CODECS.map(|codec| (file, codec))) {
            let topic = format!("{door}-{}-{codec}", file.name);
            client.admin().create_topic(TopicSpec::new(&topic).partitions(1)).await?;
            send_lines(&client, &topic, codec, file).await?;
            topics.push((topic, file));
        }
    }
    for program in [Program::Kcat, Program::Confluent, Program::Java] {
        if !program.is_chosen() {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let names: Vec<String> = topics.iter().map(|(topic, _)| topic.clone()).collect();
        read(program, &trial.kafka, folder.path(), &names)?;
        for (topic, file) in &topics {
            let seen = fs::read(folder.path().join(format!("{topic}.out")))?;
            same(&seen, &file.lines()?).with_context(|| format!("{topic} read by {program}"))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn native_clients_read_what_kafkas_write() -> Result<()> {
    let trial = Trial::start().await?;
    let files = log_files(trial.folder.path())?;
    for program in [Program::Kcat, Program::Confluent, Program::Java] {
        if !program.is_chosen() {
            continue;
        }
        for file in &files {
            write(program, &trial.kafka, file)?;
            let lines = file.lines()?;
            for (door, client) in trial.clients().await? {
                for codec in CODECS {
                    let topic = format!("{}-{codec}", prefix(program, file));
                    let seen = read_lines(&client, &topic, lines.len()).await?;
                    same(&seen, &lines).with_context(|| format!("{topic} read by the {door}"))?;
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn keys_headers_and_timestamps_pass_through_all_doors() -> Result<()> {
    if !Program::Kcat.is_chosen() {
        return Ok(());
    }
    let trial = Trial::start().await?;
    for (door, client) in trial.clients().await? {
        let record = Record::to(door).partition(0).key("k").value("v").timestamp(1234).header("h", "1");
        client.producer_builder().acks(Acks::Synced).build().send(record).await?;
        let words = ["-C", "-b", &trial.kafka, "-t", door, "-p", "0", "-o", "beginning", "-e", "-q"];
        let seen = Program::Kcat.run(&[&words[..], &["-f", "%k %T %h %s\n"]].concat())?;
        assert_eq!(String::from_utf8(seen)?, "k 1234 h=1 v\n", "{door}");

        let topic = format!("from-kcat-{door}");
        let file = trial.folder.path().join("line");
        fs::write(&file, "k:v\n")?;
        let (file, words) =
            (file.to_str().context("a strange path")?, ["-P", "-b", &trial.kafka, "-t", &topic]);
        Program::Kcat.run(&[&words[..], &["-p", "0", "-K", ":", "-H", "h=1", "-l", file]].concat())?;
        let received = timeout(WITHIN, reader(&client, &topic).await?.next()).await??;
        let headers: Vec<_> = received.headers().map(|it| (it.name, it.value)).collect();
        assert_eq!(headers, [("h".into(), Some("1".into()))], "{door}");
        assert_eq!(received.key().map(AsRef::as_ref), Some(b"k".as_slice()), "{door}");
        assert!(received.timestamp() > 1_600_000_000_000, "{door}");
    }
    Ok(())
}

#[tokio::test]
async fn each_writer_keeps_its_order_while_all_doors_are_used_at_once() -> Result<()> {
    let count = 2000;
    let trial = Trial::start().await?;
    let [(_, socket), (_, inside)] = trial.clients().await?;
    inside.admin().create_topic(TopicSpec::new("busy").partitions(1)).await?;
    let mut writing = Vec::new();
    for (door, client) in trial.clients().await? {
        writing.push(tokio::spawn(async move {
            let producer = client.producer_builder().batch_records(3).build();
            let record = |number| Record::to("busy").partition(0).value(format!("{door} {number}"));
            producer.send_all((0..count).map(record)).await.map(drop)
        }));
    }
    let mut writers = 2;
    if Program::Kcat.is_chosen() {
        let lines: String = (0..count).map(|number| format!("kcat {number}\n")).collect();
        let file = trial.folder.path().join("lines");
        fs::write(&file, lines)?;
        let kafka = trial.kafka.clone();
        let sent = tokio::task::spawn_blocking(move || {
            let file = file.to_str().context("a strange path")?;
            Program::Kcat.run(&["-P", "-b", &kafka, "-t", "busy", "-p", "0", "-X", "linger.ms=1", "-l", file])
        });
        sent.await??;
        writers += 1;
    }
    for writer in writing {
        writer.await??;
    }
    for client in [socket, inside] {
        let mut consumer = reader(&client, "busy").await?;
        let mut last: HashMap<String, i32> = HashMap::new();
        for _ in 0..writers * count {
            let record = timeout(WITHIN, consumer.next()).await??;
            let text = String::from_utf8(record.value().context("no value")?.to_vec())?;
            let (door, number) = text.split_once(' ').context("not ours")?;
            let (number, before) = (number.parse()?, last.get(door).copied().unwrap_or(-1));
            assert_eq!(number, before + 1, "{door}");
            last.insert(door.to_owned(), number);
        }
    }
    Ok(())
}
