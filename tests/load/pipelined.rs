//! Clients that send ten thousand requests and never read an answer.

use crate::batch::Batch;
use crate::bystander::Bystanders;
use crate::client::{WITHIN, frame};
use crate::native;
use crate::topic::Topic;
use crate::victim::{Open, Victim};
use callboard_protocol::kafka::fetch::FetchRequest;
use callboard_protocol::kafka::produce::ProduceResponse;
use callboard_protocol::native::groups::{CommitOffsets, FetchOffsets, NewOffset};
use callboard_protocol::native::read::{IsolationLevel, OpenReading};
use socket2::SockRef;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

const REQUESTS: usize = 10_000;
const CLIENTS: usize = 5;
/// Bytes of a batch, of which each request wants at least one.
const BATCH_BYTES: usize = 500_000;
const BATCHES: usize = 8;
/// `queued.max.response.bytes` of these brokers.
const ANSWERS_BYTES: usize = 4_000_000;
/// What reading threads have in hand beside that, what allocators keep, and the requests themselves.
const SLACK_BYTES: usize = 32 << 20;
/// `queued.max.request.bytes` of these brokers.
const REQUESTS_BYTES: usize = 4_000_000;
/// Partitions at whose ends readers wait.
const WATCHED: i32 = 120;
/// How long a broker that reads may take to take something.
const PATIENCE: Duration = Duration::from_millis(300);

/// What all that is not read may take.
const GROWTH_BYTES_MAX: usize = ANSWERS_BYTES + CLIENTS * BATCH_BYTES + SLACK_BYTES;

struct Case {
    victim: Victim,
    bystanders: Bystanders,
    topic: Topic,
    before: u64,
    open: Open,
}

impl Case {
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings of its own.
    fn start_with(settings: &[&str]) -> Self {
        let answers = format!("queued.max.response.bytes={ANSWERS_BYTES}");
        let requests = format!("queued.max.request.bytes={REQUESTS_BYTES}");
        let own = [answers.as_str(), &requests, "message.max.bytes=1000000"];
        let victim = Victim::start(&[&own, settings].concat());
        let mut client = victim.kafka();
        let topic = Topic::create(&mut client, 1);
        let batch = Batch::of_size(BATCH_BYTES).bytes();
        for _ in 0..BATCHES {
            assert!(!topic.produce_bytes(&mut client, 0, batch.clone()).error_code.is_error());
        }
        drop(client);
        let bystanders = Bystanders::start(&victim);
        let (before, open) = (victim.resident(), victim.open());
        Self { victim, bystanders, topic, before, open }
    }

    /// Sends to all as much as the broker takes, sees that it has a bound and that the others go on; and
    /// that nothing is left when they are gone.
    fn run(self, mut silent: Vec<TcpStream>, request: &[u8]) {
        let all = request.repeat(REQUESTS);
        for stream in &mut silent {
            SockRef::from(&*stream).set_recv_buffer_size(1 << 16).unwrap();
            write_what_is_taken(stream, &all);
        }
        self.bystanders.assert_answered();
        let grown = self.victim.peak().saturating_sub(self.before) as usize;
        println!("{grown} bytes for clients that do not read");
        assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes, {GROWTH_BYTES_MAX} are allowed");
        drop(silent);
        self.victim.assert_back_to(self.open);
        self.bystanders.stop();
    }
}

/// Writes until all is written, or the broker takes nothing more for a while.
pub(crate) fn write_what_is_taken(stream: &mut TcpStream, bytes: &[u8]) {
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut left = bytes;
    while !left.is_empty() {
        match stream.write(left) {
            Ok(count) => left = &left[count..],
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                break;
            }
        }
    }
    stream.set_write_timeout(Some(WITHIN)).unwrap();
}

#[test]
fn kafka_fetches_that_are_not_read_take_bounded_memory() {
    let case = Case::start();
    let silent = (0..CLIENTS).map(|_| case.victim.kafka_socket()).collect();
    let fetch = FetchRequest { max_bytes: i32::MAX, ..case.topic.fetch_request(&[(0, 0)]) };
    let request = frame(11, 1, &fetch);
    case.run(silent, &request);
}

#[test]
fn native_fetches_that_are_not_read_take_bounded_memory() {
    let case = Case::start();
    let silent = (0..CLIENTS).map(|_| case.victim.native().into_stream()).collect();
    let request = native::frame(1, native::fetch(&case.topic, 1));
    case.run(silent, &request);
}

#[test]
fn native_fetches_of_one_byte_count_the_batches_that_they_get() {
    let case = Case::start();
    let silent = (0..CLIENTS).map(|_| case.victim.native().into_stream()).collect();
    let mut fetch = native::fetch(&case.topic, 1);
    fetch.bytes_max = 1;
    case.run(silent, &native::frame(1, fetch));
}

/// What waits at the end of the log for as long as there is time.
fn waiting(topic: &Topic) -> Vec<u8> {
    let mut fetch = native::fetch(topic, 1);
    fetch.parts.iter_mut().for_each(|part| part.offset = BATCHES as i64);
    (fetch.bytes_min, fetch.wait_max_ms) = (1, u32::MAX);
    native::frame(1, fetch)
}

#[test]
fn native_fetches_that_wait_count_more_than_their_few_bytes_and_do_not_wait_for_ever() {
    let case = Case::start_with(&["connections.max.idle.ms=1000"]);
    let silent = (0..CLIENTS).map(|_| case.victim.native().into_stream()).collect();
    let request = waiting(&case.topic);
    case.run(silent, &request);
}

#[test]
fn a_client_whose_requests_all_wait_leaves_the_others_theirs() {
    let case = Case::start();
    let request = waiting(&case.topic);
    let mut silent: Vec<_> = (0..CLIENTS).map(|_| case.victim.native().into_stream()).collect();
    silent.iter_mut().for_each(|stream| write_what_is_taken(stream, &request.repeat(REQUESTS)));
    // Larger than what is exempt from the bound on bytes, and one behind the other.
    let batch = Batch::of_size(100_000).bytes();
    let mut client = case.victim.kafka();
    let topic = Topic::create(&mut client, 1);
    let produce = frame(9, 7, &topic.produce_request(-1, &[(0, batch)]));
    client.send_bytes(&produce.repeat(20));
    for _ in 0..20 {
        let (_, answer) = client.receive::<ProduceResponse>(9);
        assert!(!answer.responses[0].partition_responses[0].error_code.is_error());
    }
    case.bystanders.stop();
}

#[test]
fn readings_whose_pushes_are_not_read_take_bounded_memory() {
    let case = Case::start();
    let parts = || native::parts(&case.topic, 1);
    // Those that the broker refuses, because there are as many as may be, are answered too.
    let opens: Vec<u8> = (0..1_100)
        .flat_map(|reading| {
            native::frame(
                reading,
                OpenReading {
                    reading,
                    parts: parts(),
                    credit: u32::MAX,
                    isolation: IsolationLevel::ReadUncommitted,
                },
            )
        })
        .collect();
    let mut opened: Vec<_> = (0..CLIENTS).map(|_| case.victim.native().into_stream()).collect();
    for stream in &mut opened {
        SockRef::from(&*stream).set_recv_buffer_size(1 << 16).unwrap();
        write_what_is_taken(stream, &opens);
    }
    case.run(opened, &[]);
}

#[test]
fn what_comes_into_logs_whose_readers_do_not_read_takes_bounded_memory() {
    let victim = Victim::start(&[&format!("queued.max.response.bytes={ANSWERS_BYTES}")]);
    let mut client = victim.kafka();
    let topic = Topic::create(&mut client, WATCHED);
    let bystanders = Bystanders::start(&victim);
    let (before, open) = (victim.resident(), victim.open());
    let mut silent: Vec<_> = (0..CLIENTS).map(|_| victim.native()).collect();
    for native in &mut silent {
        for part in native::parts(&topic, WATCHED as u32) {
            let reading = part.partition.partition;
            native.call(OpenReading {
                reading,
                parts: vec![part],
                credit: u32::MAX,
                isolation: IsolationLevel::ReadUncommitted,
            });
        }
    }
    let batch = Batch::of_size(BATCH_BYTES).bytes();
    for partition in 0..WATCHED {
        assert!(!topic.produce_bytes(&mut client, partition, batch.clone()).error_code.is_error());
    }
    bystanders.assert_answered();
    let grown = victim.peak().saturating_sub(before) as usize;
    println!("{grown} bytes for readers that do not read");
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes, {GROWTH_BYTES_MAX} are allowed");
    drop((silent, client));
    victim.assert_back_to(open);
    bystanders.stop();
}

#[test]
fn lists_that_are_not_read_take_bounded_memory() {
    let victim = Victim::start(&["offset.metadata.max.bytes=4096", "queued.max.response.bytes=4000000"]);
    let mut client = victim.kafka();
    let topic = Topic::create(&mut client, WATCHED);
    let bystanders = Bystanders::start(&victim);
    let offsets = native::parts(&topic, WATCHED as u32).into_iter().map(|part| NewOffset {
        partition: part.partition,
        offset: 0,
        metadata: "x".repeat(4096),
    });
    let (group, offsets) = ("wordy".to_owned(), offsets.collect());
    let mut native = victim.native();
    let commit = CommitOffsets { group: group.clone(), member: None, instance: None, epoch: -1, offsets };
    assert!(native.call(commit).outcomes.iter().all(Result::is_ok));
    let (before, open) = (victim.resident(), victim.open());
    let fetch = native::frame(1, FetchOffsets { group, member: None, epoch: -1, partitions: None });
    let mut silent: Vec<_> = (0..CLIENTS).map(|_| victim.native().into_stream()).collect();
    for stream in &mut silent {
        SockRef::from(&*stream).set_recv_buffer_size(1 << 16).unwrap();
        write_what_is_taken(stream, &fetch.repeat(REQUESTS));
    }
    bystanders.assert_answered();
    let grown = victim.peak().saturating_sub(before) as usize;
    println!("{grown} bytes for lists that are not read");
    let list_bytes = WATCHED as usize * 5_000;
    // Those that count, and four that are made, in a few copies.
    assert!(grown < (4 << 20) + 4 * 4 * list_bytes + SLACK_BYTES, "{grown} bytes for lists of {list_bytes}");
    drop((silent, client, native));
    victim.assert_back_to(open);
    bystanders.stop();
}
