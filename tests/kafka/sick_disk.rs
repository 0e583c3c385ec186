//! Disks that are full, or fail, or let files grow no more: writes are refused with the reason in the
//! log, reads go on, and what was acknowledged is there.

use crate::batch::{Batch, batch};
use crate::client::{Client, WITHIN};
use crate::own_broker;
use crate::support::broker::elsewhere;
use crate::topic::{Topic, only_partition};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse};
use rlimit::{INFINITY, Resource, prlimit};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// Clock ticks that a process used so far, of which there are 100 in a second.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// While a fetch waits for records that do not come, the process does next to nothing.
fn assert_idle(client: &mut Client, topic: &Topic, end: i64, process: u32) {
    let before = ticks(process);
    let request = topic.fetch_request(&[(0, end)]);
    let request = FetchRequest { max_wait_ms: 2000, min_bytes: 1, ..request };
    let answer: FetchResponse = client.call(12, &request);
    assert_eq!(only_partition(answer).error_code, ErrorCode::NONE);
    let used = ticks(process) - before;
    assert!(used < 60, "{used} ticks of 200 while nothing is to be done");
}

fn values(topic: &Topic, client: &mut Client) -> Vec<bytes::Bytes> {
    let mut values = Vec::new();
    loop {
        let data = topic.fetch(client, 0, values.len() as i64);
        assert_eq!(data.error_code, ErrorCode::NONE);
        let batches = crate::batch::stored(data.records.as_ref());
        if batches.is_empty() {
            return values;
        }
        values.extend(batches.into_iter().map(|batch| batch.records));
    }
}

/// Produces until it is refused. Answers the bytes of what was acknowledged, in order.
fn fill(topic: &Topic, client: &mut Client, value_bytes: usize) -> Vec<bytes::Bytes> {
    let begun = Instant::now();
    let mut acknowledged = Vec::new();
    loop {
        let batch = batch(&[&format!("{} {}", acknowledged.len(), "x".repeat(value_bytes))]);
        let told = topic.produce(client, 0, &batch);
        if told.error_code != ErrorCode::NONE {
            assert_eq!(told.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
            return acknowledged;
        }
        assert_eq!(told.base_offset, acknowledged.len() as i64);
        acknowledged.push(batch.bytes().slice(61..));
        assert!(begun.elapsed() < WITHIN, "it is never refused");
    }
}

#[test]
fn after_a_failed_write_reads_go_on_and_writing_waits_for_a_restart() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let process = broker.process_id().unwrap();
    // No file of the broker may grow beyond this, which the journal's does first.
    prlimit(process as i32, Resource::FSIZE, Some((1 << 20, INFINITY)), None).unwrap();
    let acknowledged = fill(&topic, &mut client, 50_000);
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    assert_eq!(values(&topic, &mut client), acknowledged);
    let log = broker.log().unwrap();
    let line = log.lines().find(|line| line.contains("writing has stopped until a restart")).unwrap();
    assert!(line.contains("File too large") && line.contains(".journal"), "{line}");

    assert_idle(&mut client, &topic, acknowledged.len() as i64, process);
    // The disk is well again; what it holds is not known before a restart.
    prlimit(process as i32, Resource::FSIZE, Some((INFINITY, INFINITY)), None).unwrap();
    let told = topic.produce(&mut client, 0, &batch(&["too early"]));
    assert_eq!(told.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(values(&topic, &mut client), acknowledged);

    broker.stop().unwrap();
    broker.restart().unwrap();
    let mut client = Client::connect(&broker);
    let there = values(&topic, &mut client);
    assert_eq!(there[..acknowledged.len()], acknowledged);
    let told = topic.produce(&mut client, 0, &batch(&["one more"]));
    assert_eq!((told.error_code, told.base_offset), (ErrorCode::NONE, there.len() as i64));
}

/// A broker whose data lies on a disk of its own, of 32 MiB, which goes when the broker does. The disk
/// is a file system in memory that only the broker sees, mounted in a user namespace: that needs no
/// rights, but a system that lets its users make one. Where it does not, root may mount it.
struct OnSmallDisk {
    child: Child,
    address: String,
    folder: TempDir,
}

/// How `unshare` gives a process mounts of its own here.
fn namespace() -> &'static [&'static str] {
    let of_user: &[&str] = &["--user", "--map-root-user", "--mount"];
    let probe = Command::new("unshare").args(of_user).arg("true").stderr(Stdio::null()).status();
    if probe.is_ok_and(|status| status.success()) { of_user } else { &["--mount"] }
}

impl OnSmallDisk {
    fn start(free_bytes_min: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("disk")).unwrap();
        let script = "mount -t tmpfs -o size=32m tmpfs disk && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(namespace()).args(["sh", "-c", script, "sh"]);
        command.arg(crate::support::launch::program());
        command.args(["serve", "--kafka", "127.0.0.1:0", "--native", "off", "--data", "disk/data"]);
        command.args(["--set", &format!("storage.free.bytes.min={free_bytes_min}")]);
        let log = File::create(folder.path().join("log")).unwrap();
        let command = command.current_dir(folder.path()).stdin(Stdio::null()).stderr(log);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = line.split_whitespace().find_map(|word| word.strip_prefix("kafka="));
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        let address =
            ready.unwrap_or_else(|| panic!("no small disk for a broker can be had: {log}")).to_owned();
        Self { child, address, folder }
    }

    fn client(&self) -> Client {
        Client::over(TcpStream::connect(&self.address).unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// A file on the disk that takes room from the broker.
    fn filler(&self) -> PathBuf {
        let root = Path::new("/proc").join(self.child.id().to_string()).join("root");
        let inside = self.folder.path().strip_prefix("/").unwrap();
        root.join(inside).join("disk/filler")
    }
}

impl Drop for OnSmallDisk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_disk_that_is_nearly_full_takes_writes_again_when_there_is_room() {
    if elsewhere().is_some() {
        return;
    }
    let broker = OnSmallDisk::start("16000000");
    let mut client = broker.client();
    let topic = Topic::create(&mut client, 1);
    fs::write(broker.filler(), vec![7; 20 << 20]).unwrap();
    let acknowledged = fill(&topic, &mut client, 10);
    assert!(broker.log().contains("the disk is nearly full: writes are refused"), "{}", broker.log());
    assert_eq!(values(&topic, &mut client), acknowledged);
    assert_idle(&mut client, &topic, acknowledged.len() as i64, broker.child.id());
    let told = topic.produce(&mut client, 0, &batch(&["too much"]));
    assert_eq!(told.error_code, ErrorCode::KAFKA_STORAGE_ERROR);

    fs::remove_file(broker.filler()).unwrap();
    let begun = Instant::now();
    let told = loop {
        let told = topic.produce(&mut client, 0, &batch(&["there is room"]));
        if told.error_code != ErrorCode::KAFKA_STORAGE_ERROR {
            break told;
        }
        assert!(begun.elapsed() < WITHIN, "it never takes writes again");
    };
    assert_eq!((told.error_code, told.base_offset), (ErrorCode::NONE, acknowledged.len() as i64));
    assert!(broker.log().contains("there is room on the disk again"), "{}", broker.log());
    assert_eq!(values(&topic, &mut client).len(), acknowledged.len() + 1);
}

#[test]
fn a_disk_that_is_full_to_the_last_byte_is_told_and_read() {
    if elsewhere().is_some() {
        return;
    }
    let broker = OnSmallDisk::start("0");
    let mut client = broker.client();
    let topic = Topic::create(&mut client, 1);
    let acknowledged = fill(&topic, &mut client, 900_000);
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    let log = broker.log();
    let line = log.lines().find(|line| line.contains("writing has stopped until a restart"));
    assert!(line.is_some_and(|line| line.contains("No space left on device")), "{log}");
    assert_eq!(values(&topic, &mut client), acknowledged);
    assert_idle(&mut client, &topic, acknowledged.len() as i64, broker.child.id());
    let told = topic.produce(&mut client, 0, &Batch::of_size(1));
    assert_eq!(told.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
}
