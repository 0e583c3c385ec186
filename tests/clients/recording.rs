//! Records what real clients send, for fuzzing to begin with: `cargo test --test clients record_the_corpus -- --ignored`
//! writes `fuzz/recorded` anew, from the clients that are set up here.
//!
//! Between them and a broker stand two doors that pass everything on and keep frames: of each operation, version
//! and size, by powers of two, the shortest.

use crate::client::Client as Foreign;
use crate::subjects::QUICK_GROUPS;
use crate::support::process::output_of;
use anyhow::{Context, Result};
use bytes::Bytes;
use callboard::client::admin::TopicSpec;
use callboard::client::consumer::Reset;
use callboard::client::{Acks, Compression};
use callboard::{Broker, Client, Config, Record};
use callboard_protocol::kafka::decode_request_any;
use callboard_protocol::native::frame::{Frame, LENGTH_BYTES};
use callboard_protocol::wire::{Reader, RequestHeader};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::time::timeout;

/// Longer frames tell a fuzzer nothing that shorter ones do not.
const INPUT_BYTES_MAX: usize = 2048;
const WITHIN: Duration = Duration::from_secs(60);
/// All tests of all clients, where they are set up already.
const SUITE_WITHIN: Duration = Duration::from_mins(15);

/// Inputs of a target by the names of their files.
type Inputs = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// What a frame is called, and what of it is an input; nothing when it is none.
type Shape = fn(Bytes) -> Option<(String, Vec<u8>)>;

/// A request to Kafka's door behind the four bytes that say which.
fn kafka(frame: Bytes) -> Option<(String, Vec<u8>)> {
    [true, false].into_iter().find_map(|is_flexible| {
        let mut reader = Reader::new(frame.clone());
        let header = RequestHeader::decode(&mut reader, is_flexible).ok()?;
        let body = reader.take_bytes(reader.remaining()).ok()?;
        decode_request_any(header.api_key, header.api_version, body.clone()).ok()?;
        let bytes = [&header.api_key.to_be_bytes()[..], &header.api_version.to_be_bytes(), &body].concat();
        Some((format!("{}-{}", header.api_key, header.api_version), bytes))
    })
}

fn native(frame: Bytes) -> Option<(String, Vec<u8>)> {
    let header = Frame::split(frame.clone()).ok()?.header;
    Some((format!("{}-{}-{}", header.operation, header.version, header.flags.0), frame.to_vec()))
}

fn keep(inputs: &Inputs, shape: Shape, frame: Vec<u8>) {
    let Some((name, bytes)) = shape(frame.into()).filter(|(_, bytes)| bytes.len() <= INPUT_BYTES_MAX) else {
        return;
    };
    let name = format!("{name}-{}", usize::BITS - bytes.len().leading_zeros());
    let mut inputs = inputs.lock().unwrap();
    let shortest = inputs.entry(name).or_insert_with(|| bytes.clone());
    if bytes.len() < shortest.len() {
        *shortest = bytes;
    }
}

/// Passes frames on, and keeps them.
fn pass(mut from: TcpStream, mut to: TcpStream, inputs: &Inputs, shape: Shape) -> io::Result<()> {
    let mut length = [0; LENGTH_BYTES];
    loop {
        from.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        from.read_exact(&mut frame)?;
        to.write_all(&length)?;
        to.write_all(&frame)?;
        keep(inputs, shape, frame);
    }
}

/// Lets everybody who connects speak to somebody else. What is sent there is kept, and for `both` the answers too.
fn stand_between(door: TcpListener, behind: SocketAddr, inputs: &Inputs, ways: &'static [Way], shape: Shape) {
    let inputs = Arc::clone(inputs);
    thread::spawn(move || {
        for client in door.incoming().flatten() {
            let Ok(broker) = TcpStream::connect(behind) else { continue };
            for way in [Way::There, Way::Back] {
                let (mut from, mut to) = (client.try_clone().unwrap(), broker.try_clone().unwrap());
                if way == Way::Back {
                    std::mem::swap(&mut from, &mut to);
                }
                let inputs = Arc::clone(&inputs);
                thread::spawn(move || {
                    let (ends, end) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    // It ends when one of both is gone, and then for both.
                    let _ = if ways.contains(&way) {
                        pass(from, to, &inputs, shape)
                    } else {
                        io::copy(&mut from, &mut to).map(drop)
                    };
                    [ends, end].iter().for_each(|it| drop(it.shutdown(std::net::Shutdown::Both)));
                });
            }
        }
    });
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// What a program does with the native client.
async fn use_natively(address: &str) -> Result<()> {
    let client = Client::connect(address).await?;
    client.admin().create_topic(TopicSpec::new("recorded").partitions(2)).await?;
    for compression in
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
    {
        for acks in [Acks::Synced, Acks::Written] {
            let producer = client.producer_builder().compression(compression).acks(acks).build();
            let record = |number: usize| Record::to("recorded").key(format!("{number}")).value("one teapot");
            producer.send_all((0..3).map(record)).await?;
        }
    }
    let group = client.consumer().group("recorders").topics(["recorded"]);
    let mut consumer = group.auto_offset_reset(Reset::Earliest).build().await?;
    for _ in 0..30 {
        timeout(WITHIN, consumer.next()).await??;
    }
    consumer.commit().await?;
    client.admin().group_offsets("recorders").await?;
    Ok(())
}

fn write(target: &str, inputs: &Inputs) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/recorded").join(target);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    for (name, bytes) in inputs.lock().unwrap().iter() {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "writes into the repository"]
async fn record_the_corpus() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (requests, natives) = (Inputs::default(), Inputs::default());
    let (door, native_door) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    let (address, native_address) = (door.local_addr()?.to_string(), native_door.local_addr()?.to_string());
    let mut config = Config::new(folder.path()).kafka("127.0.0.1:0").native("127.0.0.1:0");
    for (name, value) in QUICK_GROUPS.iter().filter_map(|setting| setting.split_once('=')) {
        config = config.set(name, value);
    }
    let broker = Broker::spawn(config.set("advertised.address", address.as_str())).await?;
    let (behind, native_behind) = (broker.kafka_address(), broker.native_address());
    stand_between(door, behind.context("a port")?, &requests, &[Way::There], kafka);
    stand_between(native_door, native_behind.context("a port")?, &natives, &[Way::There, Way::Back], native);
    use_natively(&native_address).await?;
    for client in [Foreign::Confluent, Foreign::Java, Foreign::Go] {
        let arguments = ["consumer_groups".to_owned(), address.clone(), format!("recorded-{client}")];
        tokio::task::spawn_blocking(move || client.run(&arguments.each_ref().map(String::as_str))).await??;
    }
    let mut tests = Command::new(std::env::current_exe()?);
    tests.args(["--test-threads=2"]).env("CALLBOARD_TEST_BROKER", &address);
    // Some of them want a broker of their own; what they sent until then is kept all the same.
    let outcome = tokio::task::spawn_blocking(move || output_of(tests, SUITE_WITHIN)).await?;
    eprintln!(
        "{}",
        outcome.map_or_else(|error| error.to_string(), |said| String::from_utf8_lossy(&said).into())
    );
    write("request", &requests)?;
    write("native", &natives)?;
    broker.shutdown().await;
    Ok(())
}
