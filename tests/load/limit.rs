//! All hostile clients at once, and no more memory than the formula of docs/OPERATIONS.md says.

use crate::batch::Batch;
use crate::bystander::Bystanders;
use crate::client::frame;
use crate::native;
use crate::pipelined::write_what_is_taken;
use crate::topic::Topic;
use crate::victim::Victim;
use callboard_protocol::kafka::fetch::FetchRequest;
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataRequestTopic};
use callboard_protocol::native::read::{IsolationLevel, OpenReading};
use socket2::SockRef;
use std::io::Write;
use std::net::TcpStream;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// What a broker's memory depends on: settings, and what there is.
struct Budget {
    request_bytes: u64,
    frame_bytes: u64,
    response_bytes: u64,
    readers: u64,
    batch_bytes: u64,
    connections: u64,
    partitions: u64,
}

/// The broker's settings in these tests.
const BUDGET: Budget = Budget {
    request_bytes: 4_000_000,
    frame_bytes: 2_000_000,
    response_bytes: 8_000_000,
    readers: 4,
    batch_bytes: 200_000,
    connections: 400,
    partitions: 50,
};

impl Budget {
    /// The formula.
    fn bytes(&self) -> u64 {
        let base = 64 * MIB;
        // It is 256 MiB at most; these tests write few batches.
        let index = 8 * MIB;
        let requests = 3 * self.request_bytes + 3 * self.frame_bytes;
        let answers = 2 * self.response_bytes + self.readers * (self.batch_bytes + MIB);
        let connections = self.connections * (32 * KIB + self.batch_bytes);
        let partitions = self.partitions * 12 * KIB;
        (base + index + requests + answers + connections + partitions) * 5 / 4
    }

    fn settings(&self) -> Vec<String> {
        vec![
            format!("queued.max.request.bytes={}", self.request_bytes),
            format!("socket.request.max.bytes={}", self.frame_bytes),
            format!("queued.max.response.bytes={}", self.response_bytes),
            format!("readers={}", self.readers),
            format!("message.max.bytes={}", self.batch_bytes),
            format!("max.connections={}", self.connections),
            format!("max.partitions={}", self.partitions + 1),
        ]
    }
}

/// Requests that their clients send without end, and never read an answer to.
struct Requests {
    kafka: Vec<Vec<u8>>,
    native: Vec<Vec<u8>>,
}

impl Requests {
    fn of(topic: &Topic) -> Self {
        let partitions = BUDGET.partitions as i32;
        let offsets: Vec<_> = (0..partitions).map(|partition| (partition, 0)).collect();
        let all = FetchRequest { max_bytes: i32::MAX, ..topic.fetch_request(&offsets) };
        let one = FetchRequest { max_bytes: 1, ..topic.fetch_request(&offsets[..1]) };
        let name =
            |at| MetadataRequestTopic { name: Some(format!("nowhere-{at}").into()), ..Default::default() };
        let topics = Some((0..10_000).map(name).collect());
        let names = MetadataRequest { topics, allow_auto_topic_creation: false, ..Default::default() };
        let mut little = native::fetch(topic, 1);
        little.bytes_max = 1;
        let opens = (0..1_000).flat_map(|reading| {
            native::frame(
                reading,
                OpenReading {
                    reading,
                    parts: native::parts(topic, 1),
                    credit: u32::MAX,
                    isolation: IsolationLevel::ReadUncommitted,
                },
            )
        });
        // The first of a request that is as large as may be, and never comes whole.
        let part =
            [&(BUDGET.frame_bytes as u32).to_be_bytes()[..], &[0, 0, 0, 9], &vec![0; 400_000]].concat();
        Self {
            kafka: vec![
                frame(11, 1, &all).repeat(1_000),
                frame(11, 1, &one).repeat(1_000),
                frame(9, 1, &names).repeat(20),
                part.clone(),
            ],
            native: vec![
                native::frame(1, native::fetch(topic, BUDGET.partitions as u32)).repeat(1_000),
                native::frame(1, little).repeat(1_000),
                opens.collect(),
                part,
            ],
        }
    }
}

/// A connection that sends what the broker takes of that, and reads nothing.
fn send(mut stream: TcpStream, bytes: &[u8]) -> TcpStream {
    SockRef::from(&stream).set_recv_buffer_size(1 << 14).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut left = bytes;
    while let Ok(count) = stream.write(left)
        && count > 0
    {
        left = &left[count..];
    }
    stream
}

#[test]
fn all_hostile_clients_at_once_get_no_more_memory_than_the_formula_says() {
    let settings = BUDGET.settings();
    let victim = Victim::start(&settings.iter().map(String::as_str).collect::<Vec<_>>());
    victim.limit_memory(BUDGET.bytes());
    let mut client = victim.kafka();
    let topic = Topic::create(&mut client, BUDGET.partitions as i32);
    let batch = Batch::of_size(BUDGET.batch_bytes as usize - 100).bytes();
    for partition in 0..BUDGET.partitions as i32 {
        assert!(!topic.produce_bytes(&mut client, partition, batch.clone()).error_code.is_error());
    }
    let bystanders = Bystanders::start(&victim);
    let open = victim.open();
    let requests = Requests::of(&topic);
    let mut hostile = Vec::new();
    // The bystanders and the client above have a place, and one is left for who looks whether all is back.
    for at in 0..BUDGET.connections as usize - 4 {
        let bytes = |kinds: &[Vec<u8>]| kinds[at / 2 % kinds.len()].clone();
        hostile.push(if at % 2 == 0 {
            send(victim.kafka_socket(), &bytes(&requests.kafka))
        } else {
            send(victim.native().into_stream(), &bytes(&requests.native))
        });
        if at % 50 == 0 {
            bystanders.assert_answered();
        }
    }
    // Those past the last place are closed.
    let flood: Vec<_> = (0..500).map(|_| victim.kafka_socket()).collect();
    for stream in hostile.iter_mut().take(4) {
        stream.set_nonblocking(false).unwrap();
        write_what_is_taken(stream, &requests.native[0]);
    }
    bystanders.assert_answered();
    println!("{} of {} bytes taken, {} used", victim.taken(), BUDGET.bytes(), victim.peak());
    drop((hostile, flood));
    victim.assert_back_to(open);
    bystanders.stop();
}
