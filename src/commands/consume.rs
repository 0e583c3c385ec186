//! `callboard consume`.

use super::hints::{AboutTopic, chosen};
use super::json_lines;
use crate::cli::{ConsumeArgs, Format, From, Isolation, Piece};
use anyhow::{Context, Result};
use callboard_client::consumer::{Consumer, IsolationLevel, Reset};
use callboard_client::{Client, Received};
use callboard_protocol::native::read::Position;
use std::collections::HashMap;
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::interval;

/// How often it is looked whether a partition's end was reached by offsets that no record has.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn run(client: &Client, consume: ConsumeArgs) -> Result<()> {
    let mut consumer = build(client, &consume).await?;
    // From here on the consumer is closed when it is to stop, so that a group's member commits and leaves.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut ends = if consume.follow || consume.group.is_some() {
        None
    } else {
        Some(ends(client, &consume, &consumer).await?)
    };
    let outcome = copy(&mut consumer, &consume, ends.as_mut(), [&mut terminate, &mut interrupt]).await;
    // Also when something went wrong: its group need not wait for it.
    let closed = consumer.close().await;
    outcome?;
    Ok(closed?)
}

/// Writes what is read, until all of it was, a signal comes, or nobody reads what is written.
async fn copy(
    consumer: &mut Consumer,
    consume: &ConsumeArgs,
    mut ends: Option<&mut HashMap<u32, i64>>,
    [terminate, interrupt]: [&mut Signal; 2],
) -> Result<()> {
    let mut out = BufWriter::new(io::stdout());
    let is_over =
        |consumer: &Consumer, partition, end| consumer.position(&consume.topic, partition) >= Some(end);
    let mut left = consume.count.unwrap_or(u64::MAX);
    let mut looks = interval(LOOK);
    while left > 0 && ends.as_ref().is_none_or(|ends| !ends.is_empty()) {
        let record = tokio::select! {
            // Also while there is always another record.
            biased;
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            record = consumer.next() => record?,
            _ = looks.tick(), if ends.is_some() => {
                ends.iter_mut().for_each(|ends| ends.retain(|id, end| !is_over(consumer, *id, *end)));
                continue;
            }
        };
        let written = write(&mut out, consume, &record);
        if !matches!(written, Ok(true)) {
            // Nobody has it, so it is not committed.
            consumer.seek(&record.topic, record.partition, record.offset())?;
            return written.map(drop);
        }
        left -= 1;
        if let Some(ends) = &mut ends
            && ends.get(&record.partition).is_some_and(|end| is_over(consumer, record.partition, *end))
        {
            ends.remove(&record.partition);
        }
    }
    is_read(out.flush()).map(drop)
}

async fn build(client: &Client, consume: &ConsumeArgs) -> Result<Consumer> {
    let topic = consume.topic.as_str();
    let partitions = client.admin().topic(topic).await.about_topic(topic)?.partitions;
    let reset = match (consume.from, &consume.group) {
        (From::End, _) => Reset::Latest,
        (From::Beginning, _) | (From::Offset(_) | From::Time(_), None) => Reset::Earliest,
        (From::Offset(_) | From::Time(_), Some(group)) => anyhow::bail!(
            "a group goes on where it has committed; `callboard group reset {group} --topic {topic} --to …` \
             lets it go on from elsewhere"
        ),
    };
    let isolation = isolation(consume.isolation);
    let builder = client.consumer().auto_offset_reset(reset).isolation_level(isolation);
    if let Some(group) = &consume.group {
        return Ok(builder.group(group).topics([topic]).build().await?);
    }
    let all = chosen(topic, partitions, consume.partition)?;
    let builder = all.clone().fold(builder, |builder, partition| builder.assign(topic, partition));
    let mut consumer = builder.build().await?;
    for partition in all {
        match consume.from {
            From::Offset(offset) => consumer.seek(topic, partition, offset)?,
            From::Time(time) => consumer.seek_to_time(topic, partition, time).await?,
            From::Beginning | From::End => {}
        }
    }
    Ok(consumer)
}

fn isolation(isolation: Isolation) -> IsolationLevel {
    match isolation {
        Isolation::ReadUncommitted => IsolationLevel::ReadUncommitted,
        Isolation::ReadCommitted => IsolationLevel::ReadCommitted,
    }
}

/// Where the partitions end now that have something to read before that.
async fn ends(client: &Client, consume: &ConsumeArgs, consumer: &Consumer) -> Result<HashMap<u32, i64>> {
    let admin = client.admin().isolation_level(isolation(consume.isolation));
    let topic = consume.topic.as_str();
    let mut ends = HashMap::new();
    for assigned in consumer.assignment() {
        let partition = assigned.partition;
        let end = admin.offset(topic, partition, Position::Latest).await?.map_or(0, |it| it.offset);
        let begin = match consumer.position(topic, partition) {
            Some(position) => position,
            None if consume.from == From::End => end,
            None => admin.offset(topic, partition, Position::Earliest).await?.map_or(0, |it| it.offset),
        };
        if begin < end {
            ends.insert(partition, end);
        }
    }
    Ok(ends)
}

/// Writes a record; answers whether anybody still reads what is written.
fn write(out: &mut BufWriter<Stdout>, consume: &ConsumeArgs, record: &Received) -> Result<bool> {
    let written = if consume.connection.json {
        writeln!(out, "{}", json_lines::written(record))
    } else {
        out.write_all(&as_format(&consume.format, record))
    };
    // What is read while records are awaited is to be seen at once.
    is_read(
        written.and_then(|()| if consume.follow || consume.group.is_some() { out.flush() } else { Ok(()) }),
    )
}

/// Whether what was written will be read by somebody.
fn is_read(written: io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("writing to standard output"),
    }
}

fn as_format(format: &Format, record: &Received) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in format.pieces() {
        put(&mut out, piece, record);
    }
    out
}

fn put(out: &mut Vec<u8>, piece: &Piece, record: &Received) {
    match piece {
        Piece::Text(text) => out.extend(text.bytes()),
        Piece::Topic => out.extend(record.topic.bytes()),
        Piece::Partition => out.extend(record.partition.to_string().bytes()),
        Piece::Offset => out.extend(record.offset().to_string().bytes()),
        Piece::Timestamp => out.extend(record.timestamp().to_string().bytes()),
        Piece::Key => out.extend(record.key().into_iter().flatten()),
        Piece::Value => out.extend(record.value().into_iter().flatten()),
        Piece::Headers => {
            for (number, header) in record.headers().enumerate() {
                out.extend(if number > 0 { &b","[..] } else { b"" });
                out.extend(&header.name[..]);
                out.push(b'=');
                out.extend(header.value.into_iter().flatten());
            }
        }
    }
}
