//! Clients that send more than they may, or do not read their answers: they wait, and the others do not.

use crate::batch::Batch;
use crate::client::{Client, WITHIN, frame};
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::{LATEST, Topic};
use bytes::Bytes;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse};
use callboard_protocol::kafka::produce::ProduceResponse;
use socket2::SockRef;
use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than the buffers between a client and a broker hold.
const FLOOD_BYTES: usize = 32 << 20;
/// How long a broker that reads may take to take something.
const PATIENCE: Duration = Duration::from_millis(300);

/// Writes until the broker takes nothing more for a while. Answers how much it took.
fn flood(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut taken = 0;
    while taken < bytes.len() {
        match stream.write(&bytes[taken..]) {
            Ok(count) => taken += count,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                break;
            }
        }
    }
    stream.set_write_timeout(Some(WITHIN)).unwrap();
    taken
}

/// A request that costs little and has a long answer: batches for partitions of nowhere.
fn wordy_request() -> Vec<u8> {
    let nowhere = Topic { name: "nowhere".into(), id: uuid::Uuid::nil() };
    let bytes = Bytes::from_static(&[0; 100]);
    let batches: Vec<_> = (0..500).map(|partition| (partition, bytes.clone())).collect();
    frame(9, 7, &nowhere.produce_request(1, &batches))
}

#[test]
fn a_connection_whose_answers_are_not_read_is_read_up_to_its_bounds_and_then_no_more() {
    let (no_bytes, no_requests) =
        ("queued.max.request.bytes=1000000000", "max.requests.in.flight.per.connection=1000000");
    for (settings, is_bounded) in [
        ([no_bytes, "max.requests.in.flight.per.connection=2"], true),
        (["queued.max.request.bytes=100000", no_requests], true),
        ([no_bytes, no_requests], false),
    ] {
        let Some(broker) = own_broker(&settings) else { return };
        let mut client = Client::connect(&broker);
        SockRef::from(&*client.stream()).set_recv_buffer_size(1 << 16).unwrap();
        let request = wordy_request();
        let count = FLOOD_BYTES / request.len();
        let bytes = request.repeat(count);
        let taken = flood(client.stream(), &bytes);
        assert_eq!(taken < bytes.len(), is_bounded, "{taken} bytes taken with {settings:?}");
        let mut rest = client.stream().try_clone().unwrap();
        let writing = thread::spawn(move || rest.write_all(&bytes[taken..]).unwrap());
        (0..count).for_each(|_| assert!(client.receive_frame().len() > 10_000));
        writing.join().unwrap();
        client.assert_alive();
    }
}

#[test]
fn requests_behind_a_long_poll_are_not_read_do_not_stop_the_others_and_are_not_lost() {
    let Some(broker) = own_broker(&["queued.max.request.bytes=1000000"]) else { return };
    let (mut client, mut other) = (Client::connect(&broker), Client::connect(&broker));
    let topic = Topic::create(&mut client, 2);
    let waiting = FetchRequest { max_wait_ms: 60_000, min_bytes: 1, ..topic.fetch_request(&[(0, 0)]) };
    client.send(11, &waiting);
    let produce = frame(9, 7, &topic.produce_request(-1, &[(1, Batch::of_size(1 << 19).bytes())]));
    let count = FLOOD_BYTES / produce.len();
    let bytes = produce.repeat(count);
    let taken = flood(client.stream(), &bytes);
    assert!(taken < bytes.len(), "all was taken");

    topic.produce(&mut other, 0, &Batch::of_size(1));
    assert_eq!(client.receive::<FetchResponse>(11).1.responses[0].partitions[0].high_watermark, 1);
    let mut rest = client.stream().try_clone().unwrap();
    let writing = thread::spawn(move || rest.write_all(&bytes[taken..]).unwrap());
    for _ in 0..count {
        client.receive::<ProduceResponse>(9);
    }
    writing.join().unwrap();
    let stored = topic.list(&mut other, 1, LATEST).offset;
    assert_eq!(usize::try_from(stored).unwrap(), count);
}

#[test]
fn a_client_that_does_not_read_its_answers_is_closed_in_time_and_costs_little_memory() {
    let Some(broker) = own_broker(&["response.send.timeout.ms=200"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create_with(&mut client, 1, &[("max.message.bytes", "10000000")]);
    topic.produce(&mut client, 0, &Batch::of_size(1 << 20));
    let before = resident_max_kb(&broker);
    let fetch = frame(11, 7, &topic.fetch_request(&[(0, 0)]));
    let begun = Instant::now();
    // Each brings 1 MiB that is not read, until the broker ends it.
    let ended = loop {
        if let Err(error) = client.stream().write_all(&fetch.repeat(100)) {
            break error;
        }
        assert!(begun.elapsed() < WITHIN, "still taken");
    };
    assert!(matches!(ended.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{ended}");
    let grown_kb = resident_max_kb(&broker) - before;
    assert!(grown_kb < 64_000, "{grown_kb} kB");
    Client::connect(&broker).assert_alive();
}

/// The most memory that a broker ever had.
fn resident_max_kb(broker: &Broker) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", broker.process_id().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn many_clients_that_do_not_read_their_answers_share_one_bound() {
    let Some(broker) = own_broker(&["queued.max.response.bytes=16000000"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    for _ in 0..400 {
        topic.produce(&mut client, 0, &Batch::of_size(100_000));
    }
    let mut silent: Vec<_> = (0..40).map(|_| Client::connect(&broker)).collect();
    for client in &mut silent {
        client.assert_alive();
        SockRef::from(&*client.stream()).set_recv_buffer_size(1 << 16).unwrap();
    }
    let before = resident_max_kb(&broker);
    let wanted = FetchRequest { max_bytes: 40_000_000, ..topic.fetch_request(&[(0, 0)]) };
    // All at once: each would have 40 MB.
    for client in &mut silent {
        client.send(11, &wanted);
    }
    // Those that came first have their answers in memory when another's comes.
    client.send(11, &wanted);
    client.receive::<FetchResponse>(11);
    let grown_kb = resident_max_kb(&broker) - before;
    assert!(grown_kb < 64_000, "{grown_kb} kB");
}

#[test]
fn a_large_request_waits_until_there_is_room_and_is_then_served() {
    let Some(broker) = own_broker(&["queued.max.request.bytes=1000000"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create_with(&mut client, 1, &[("max.message.bytes", "10000000")]);
    let mut writers: Vec<_> = (0..4).map(|_| Client::connect(&broker)).collect();
    for writer in &mut writers {
        // Each is larger than all that may be in flight: they go one by one.
        writer.send(9, &topic.produce_request(-1, &[(0, Batch::of_size(1_500_000).bytes())]));
    }
    for writer in &mut writers {
        let (_, answer) = writer.receive::<ProduceResponse>(9);
        assert!(!answer.responses[0].partition_responses[0].error_code.is_error());
    }
    assert_eq!(topic.list(&mut client, 0, LATEST).offset, 4);
}

#[test]
fn a_request_whose_bytes_do_not_come_does_not_stop_the_others() {
    let Some(broker) = own_broker(&[]) else { return };
    let mut silent: Vec<_> = (0..3).map(|_| Client::connect(&broker)).collect();
    for client in &mut silent {
        client.assert_alive();
        client.send_bytes(&[&100_000_000i32.to_be_bytes()[..], &[0; 10]].concat());
    }
    // Enough of them, that the claims have been read meanwhile.
    (0..200).for_each(|_| Client::connect(&broker).assert_alive());
}

#[test]
fn many_requests_of_which_only_a_part_comes_share_one_bound() {
    let Some(broker) = own_broker(&["queued.max.request.bytes=16000000"]) else { return };
    let before = resident_max_kb(&broker);
    let part = [&10_000_000i32.to_be_bytes()[..], &[0, 0, 0, 9], &vec![0; 100_000]].concat();
    let mut silent: Vec<_> = (0..100).map(|_| Client::connect(&broker)).collect();
    for client in &mut silent {
        client.send_bytes(&part);
    }
    // All that came is read before the end is seen.
    for client in &mut silent {
        client.stream().shutdown(Shutdown::Write).unwrap();
    }
    silent.iter_mut().for_each(|client| client.assert_closed("the request is cut"));
    let grown_kb = resident_max_kb(&broker) - before;
    assert!(grown_kb < 64_000, "{grown_kb} kB");
}

#[test]
fn a_client_that_closes_its_side_behind_more_requests_than_may_wait_gets_all_its_answers() {
    const COUNT: usize = 200;
    let Some(broker) = own_broker(&["max.requests.in.flight.per.connection=4"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let produce = frame(9, 7, &topic.produce_request(-1, &[(0, Batch::of_size(100).bytes())]));
    client.send_bytes(&produce.repeat(COUNT));
    client.stream().shutdown(Shutdown::Write).unwrap();
    for at in 0..COUNT {
        let (_, answer) = client.receive::<ProduceResponse>(9);
        let offset = answer.responses[0].partition_responses[0].base_offset;
        assert_eq!(usize::try_from(offset).unwrap(), at);
    }
}
