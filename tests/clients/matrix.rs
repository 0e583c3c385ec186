//! What one client writes in any codec, the others read byte for byte, also after a crash.

use crate::client::Client;
use crate::lines::{LogFile, log_files};
use crate::support::broker::{Broker, elsewhere};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

pub(crate) const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];
const CLIENTS: [Client; 3] = [Client::Kcat, Client::Confluent, Client::Java];

#[test]
fn the_others_read_what_kcat_writes_also_after_a_crash() {
    others_read_what_is_written_by(Client::Kcat).unwrap();
}

#[test]
fn the_others_read_what_confluent_kafka_writes_also_after_a_crash() {
    others_read_what_is_written_by(Client::Confluent).unwrap();
}

#[test]
fn the_others_read_what_java_writes_also_after_a_crash() {
    others_read_what_is_written_by(Client::Java).unwrap();
}

fn others_read_what_is_written_by(writer: Client) -> Result<()> {
    if !writer.is_chosen() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let files = log_files(folder.path())?;
    ensure!(!files.is_empty(), "there is no file to send");
    let mut broker = Broker::start()?;
    for file in &files {
        write(writer, broker.address(), file)?;
    }
    read_by_others(writer, &broker, &files)?;
    if elsewhere().is_some() {
        eprintln!("left out: the crash of a broker that is not ours");
        return Ok(());
    }
    broker.kill()?;
    broker.restart()?;
    read_by_others(writer, &broker, &files).context("after the crash")?;
    broker.stop()
}

pub(crate) fn prefix(writer: Client, file: &LogFile) -> String {
    format!("matrix-{writer}-{}-{}", file.name, std::process::id())
}

/// Every line to partition 0 of one topic for each codec.
pub(crate) fn write(writer: Client, address: &str, file: &LogFile) -> Result<()> {
    let (prefix, path) = (prefix(writer, file), file.path.to_str().context("a strange path")?);
    if writer != Client::Kcat {
        writer.run(&["produce", address, path, &prefix, &CODECS.join(",")])?;
        return Ok(());
    }
    for codec in CODECS {
        let topic = format!("{prefix}-{codec}");
        writer.run(&[
            "-P", "-b", address, "-t", &topic, "-p", "0", "-z", codec, "-X", "acks=all", "-l", path,
        ])?;
    }
    Ok(())
}

fn read_by_others(writer: Client, broker: &Broker, files: &[LogFile]) -> Result<()> {
    for reader in CLIENTS {
        if reader == writer || !reader.is_chosen() {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let topics: Vec<String> = files
            .iter()
            .flat_map(|file| CODECS.map(|codec| format!("{}-{codec}", prefix(writer, file))))
            .collect();
        read(reader, broker.address(), folder.path(), &topics)?;
        for file in files {
            for codec in CODECS {
                let name = format!("{}-{codec}.out", prefix(writer, file));
                same(&fs::read(folder.path().join(&name))?, &file.lines()?)
                    .with_context(|| format!("{name} read by {reader}"))?;
            }
        }
    }
    Ok(())
}

/// The values of each topic, one a line, to `folder/TOPIC.out`.
pub(crate) fn read(reader: Client, address: &str, folder: &Path, topics: &[String]) -> Result<()> {
    if reader != Client::Kcat {
        reader.run(&["consume", address, folder.to_str().context("a strange path")?, &topics.join(",")])?;
        return Ok(());
    }
    for topic in topics {
        let position = ["-p", "0", "-o", "beginning", "-e", "-q", "-X", "fetch.wait.max.ms=50"];
        let mut words = vec!["-C", "-b", address, "-t", topic];
        words.extend(position);
        fs::write(folder.join(format!("{topic}.out")), reader.run(&words)?)?;
    }
    Ok(())
}

pub(crate) fn same(seen: &[u8], sent: &[u8]) -> Result<()> {
    let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count() - 1;
    let at = seen.iter().zip(sent).position(|(one, other)| one != other);
    let at = at.unwrap_or(seen.len().min(sent.len()));
    ensure!(
        seen == sent,
        "{} bytes in {} lines came back of {} bytes in {} lines; the first difference is at byte {at}, line {}",
        seen.len(),
        lines(seen),
        sent.len(),
        lines(sent),
        lines(&sent[..at.min(sent.len())]) + 1,
    );
    Ok(())
}

#[test]
fn a_difference_of_one_byte_is_found() {
    assert!(same(b"one\ntwo\n", b"one\ntwo\n").is_ok());
    assert!(same(b"one\ntwo\n", b"one\ntoo\n").unwrap_err().to_string().contains("byte 5, line 2"));
    assert!(same(b"one\n", b"one\ntwo\n").is_err());
}
