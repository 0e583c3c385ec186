//! What readings cost whose client does not read.

use crate::callboard;
use bytes::Bytes;
use callboard::client::admin::TopicSpec;
use callboard::client::{Client, Record};
use callboard_protocol::native::hello::Hello;
use callboard_protocol::native::operations::BODY_VERSION;
use callboard_protocol::native::read::{IsolationLevel, OpenReading, ReadPart};
use callboard_protocol::native::{Flags, FrameHeader, Request, TopicPartition, VERSION};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

const READINGS: u32 = 200;

struct Served(Child);

impl Served {
    /// The most memory that the broker ever had, in kB.
    fn resident_max_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn frame(number: u32, request: &Request) -> Bytes {
    let (operation, version, flags) = (request.operation(), BODY_VERSION, Flags::NONE);
    let header = FrameHeader { correlation_id: number, operation, version, flags, body_bytes: 0 };
    header.join(&request.encode().unwrap(), 0).unwrap()
}

#[tokio::test]
async fn readings_of_a_client_that_does_not_read_cost_little_memory_whatever_their_credit() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["serve", "--kafka", "off", "--native", "127.0.0.1:0"];
    let mut child = callboard(folder.path(), &words)
        .args(["--set", "queued.max.response.bytes=16000000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let broker = Served(child);
    let native = lines.nth(1).unwrap().unwrap();
    let native = native.strip_prefix("callboard native=").unwrap();
    let client = Client::connect(native).await.unwrap();
    let topic = client.admin().create_topic(TopicSpec::new("large").partitions(1)).await.unwrap();
    let value = Bytes::from(vec![1; 500_000]);
    client.producer().send_all((0..40).map(|_| Record::to("large").value(value.clone()))).await.unwrap();
    let before = broker.resident_max_kb();
    let mut silent = TcpStream::connect(native).unwrap();
    let (client_id, software) = ("silent".to_owned(), String::new());
    let hello = Hello { version_min: VERSION, version_max: VERSION, client_id, software };
    silent.write_all(&frame(0, &Request::Hello(hello))).unwrap();
    for reading in 1..=READINGS {
        let partition = TopicPartition { topic: topic.id, partition: 0 };
        let parts = vec![ReadPart { partition, offset: 0 }];
        let open = Request::OpenReading(OpenReading {
            reading,
            parts,
            credit: u32::MAX,
            isolation: IsolationLevel::default(),
        });
        silent.write_all(&frame(reading, &open)).unwrap();
    }
    // While others read all of it, the readings have had their turns.
    for _ in 0..5 {
        let mut consumer = client.consumer().assign("large", 0).build().await.unwrap();
        consumer.seek("large", 0, 0).unwrap();
        for offset in 0..40 {
            assert_eq!(consumer.next().await.unwrap().offset(), offset);
        }
    }
    let grown_kb = broker.resident_max_kb() - before;
    assert!(grown_kb < 64_000, "{grown_kb} kB");
}
