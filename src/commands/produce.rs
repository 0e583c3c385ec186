//! `callboard produce`.

use super::json_lines;
use super::outcome::{Outcome, Place};
use super::output::{self, done};
use crate::cli::{Packing, ProduceArgs};
use anyhow::{Context, Result};
use callboard_client::producer::{Delivery, Producer};
use callboard_client::{Client, Compression, Record};
use futures_util::FutureExt;
use indicatif::ProgressBar;
use serde_json::json;
use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};

/// Records whose receipts are awaited together.
const WAITING_MAX: usize = 10_000;

pub(super) async fn run(client: &Client, produce: ProduceArgs) -> Result<()> {
    let producer = client.producer_builder().linger(Duration::from_millis(5)).batch_bytes(1 << 20);
    let producer = producer.compression(compression(produce.compression)).build();
    let progress = progress(&produce.files).await;
    let mut sender = Sender { producer, waiting: VecDeque::new(), outcome: Outcome::default(), progress };
    let stopped = sender.send_all(&produce).await;
    let outcome = sender.finish().await;
    let count = outcome.delivered;
    match outcome.problem(stopped.err()) {
        Some(problem) => Err(problem),
        None => done(
            produce.connection.json,
            &format!("sent {count} record(s) to {}", produce.topic),
            json!({"sent": count}),
        ),
    }
}

struct Sender {
    producer: Producer,
    /// Records without a receipt, in the order in which they were sent.
    waiting: VecDeque<(Place, Delivery)>,
    outcome: Outcome,
    progress: ProgressBar,
}

impl Sender {
    /// Sends all lines, up to one that is no record or until a record is known not to be delivered.
    async fn send_all(&mut self, produce: &ProduceArgs) -> Result<()> {
        if produce.files.is_empty() {
            let input = BufReader::new(tokio::io::stdin());
            self.send_lines(produce, "standard input".into(), input).await?;
        }
        for file in &produce.files {
            let name: Rc<str> = file.display().to_string().into();
            let opened = File::open(file).await;
            let input = BufReader::new(opened.with_context(|| name.to_string())?);
            self.send_lines(produce, name, input).await?;
        }
        Ok(())
    }

    async fn send_lines(
        &mut self,
        produce: &ProduceArgs,
        input: Rc<str>,
        mut lines: impl AsyncBufRead + Unpin,
    ) -> Result<()> {
        let mut line = Vec::new();
        let mut place = Place { input, line: 0 };
        while self.outcome.failures.is_empty() {
            let length = lines.read_until(b'\n', &mut line).await.with_context(|| place.input.to_string())?;
            if length == 0 {
                break;
            }
            place.line += 1;
            self.progress.inc(length as u64);
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            let record = record(produce, std::mem::take(&mut line)).with_context(|| place.to_string())?;
            let mut delivery = self.producer.send(record);
            // What fails here fails again when its receipt is asked for.
            let _ = delivery.taken().await;
            self.waiting.push_back((place.clone(), delivery));
            if self.waiting.len() >= WAITING_MAX {
                self.settle(WAITING_MAX / 2).await;
            }
            self.note_receipts();
        }
        Ok(())
    }

    /// Takes the receipts that are there.
    fn note_receipts(&mut self) {
        while let Some((_, delivery)) = self.waiting.front_mut() {
            let Some(receipt) = delivery.now_or_never() else { break };
            let Some((place, _)) = self.waiting.pop_front() else { break };
            self.outcome.note(place, receipt.map(|_| ()));
        }
    }

    /// Waits for receipts until no more than so many are missing.
    async fn settle(&mut self, most: usize) {
        while self.waiting.len() > most {
            let Some((place, delivery)) = self.waiting.pop_front() else { break };
            let receipt = delivery.await;
            self.outcome.note(place, receipt.map(|_| ()));
        }
    }

    async fn finish(mut self) -> Outcome {
        self.settle(0).await;
        self.progress.finish_and_clear();
        self.outcome
    }
}

fn record(produce: &ProduceArgs, line: Vec<u8>) -> Result<Record> {
    let mut record = if produce.json_lines {
        json_lines::read(&produce.topic, &line)?
    } else {
        from_line(&produce.topic, produce.key_separator.as_deref(), line)
    };
    record.partition = record.partition.or(produce.partition);
    for (name, value) in &produce.header {
        record = record.header(name.clone(), value.clone());
    }
    Ok(record)
}

fn from_line(topic: &str, separator: Option<&str>, line: Vec<u8>) -> Record {
    let separator = separator.filter(|separator| !separator.is_empty());
    let found = separator.and_then(|it| {
        let at = line.windows(it.len()).position(|window| window == it.as_bytes())?;
        Some((at, at + it.len()))
    });
    let line = bytes::Bytes::from(line);
    match found {
        Some((end, begin)) => Record::to(topic).key(line.slice(..end)).value(line.slice(begin..)),
        None => Record::to(topic).value(line),
    }
}

pub(super) fn compression(packing: Packing) -> Compression {
    match packing {
        Packing::None => Compression::None,
        Packing::Gzip => Compression::Gzip,
        Packing::Snappy => Compression::Snappy,
        Packing::Lz4 => Compression::Lz4,
        Packing::Zstd => Compression::Zstd,
    }
}

/// A bar for files.
async fn progress(files: &[impl AsRef<Path>]) -> ProgressBar {
    if files.is_empty() {
        return ProgressBar::hidden();
    }
    let mut bytes = 0;
    for file in files {
        bytes += tokio::fs::metadata(file).await.map_or(0, |it| it.len());
    }
    output::progress(bytes, "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_key_where_it_has_the_separator() {
        let record = from_line("t", Some(":"), b"k:v:w".to_vec());
        assert_eq!((record.key.as_deref(), record.value.as_deref()), (Some(&b"k"[..]), Some(&b"v:w"[..])));
        for separator in [None, Some(";"), Some("")] {
            let record = from_line("t", separator, b"k:v".to_vec());
            assert_eq!((record.key, record.value.as_deref()), (None, Some(&b"k:v"[..])));
        }
    }
}
