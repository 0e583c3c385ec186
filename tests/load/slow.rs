//! Clients that write their requests slowly, and clients that read their answers slowly.

use crate::batch::Batch;
use crate::bystander::Bystanders;
use crate::client::frame;
use crate::native;
use crate::topic::Topic;
use crate::victim::Victim;
use callboard_protocol::kafka::api_versions::ApiVersionsRequest;
use callboard_protocol::kafka::fetch::FetchRequest;
use callboard_protocol::native::topics::ListTopics;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

const CLIENTS: usize = 100;

/// Reads the length of an answer and a little of it.
fn sip(stream: &mut TcpStream) {
    stream.read_exact(&mut [0; 64]).unwrap();
}

#[test]
fn requests_that_come_byte_by_byte_are_served_and_stop_nobody() {
    let victim = Victim::start(&[]);
    let bystanders = Bystanders::start(&victim);
    let open = victim.open();
    let mut slow: (Vec<_>, Vec<_>) = (0..CLIENTS / 2).map(|_| (victim.kafka(), victim.native())).unzip();
    let versions = frame(0, 1, &ApiVersionsRequest::default());
    let topics = native::frame(1, ListTopics { names: None, create: false });
    for at in 0..versions.len().max(topics.len()) {
        for client in &mut slow.0 {
            versions.get(at).into_iter().for_each(|byte| client.send_bytes(&[*byte]));
        }
        for client in &mut slow.1 {
            topics.get(at).into_iter().for_each(|byte| client.stream().write_all(&[*byte]).unwrap());
        }
        if at % 8 == 0 {
            bystanders.assert_answered();
        }
    }
    slow.0.iter_mut().for_each(|client| drop(client.receive_frame()));
    slow.1.iter_mut().for_each(|client| drop(client.receive::<ListTopics>()));
    drop(slow);
    victim.assert_back_to(open);
    bystanders.stop();
}

#[test]
fn requests_of_which_a_part_comes_share_one_bound() {
    const BOUND: usize = 8_000_000;
    let victim = Victim::start(&[&format!("queued.max.request.bytes={BOUND}")]);
    let bystanders = Bystanders::start(&victim);
    let (before, open) = (victim.resident(), victim.open());
    // Each a tenth of the bound, of what claims to be more than all of it.
    let part = [&10_000_000i32.to_be_bytes()[..], &[0, 0, 0, 9], &vec![0; BOUND / 10]].concat();
    let mut slow: Vec<_> = (0..CLIENTS)
        .map(|at| if at % 2 == 0 { victim.kafka_socket() } else { victim.native().into_stream() })
        .collect();
    for stream in &mut slow {
        // What the broker does not read stays in the socket.
        stream.set_nonblocking(true).unwrap();
        let _ = stream.write(&part);
    }
    bystanders.assert_answered();
    let grown = victim.peak().saturating_sub(before) as usize;
    println!("{grown} bytes for parts of requests");
    // Room for a request doubles while it grows, and so does what is copied.
    assert!(grown < 3 * BOUND + (16 << 20), "{grown} bytes");
    slow.iter().for_each(|stream| stream.shutdown(Shutdown::Both).unwrap());
    drop(slow);
    victim.assert_back_to(open);
    bystanders.stop();
}

#[test]
fn answers_that_are_read_in_sips_share_one_bound() {
    let victim = Victim::start(&["queued.max.response.bytes=8000000"]);
    let mut client = victim.kafka();
    let topic = Topic::create(&mut client, 1);
    let batch = Batch::of_size(200_000).bytes();
    for _ in 0..20 {
        assert!(!topic.produce_bytes(&mut client, 0, batch.clone()).error_code.is_error());
    }
    drop(client);
    let bystanders = Bystanders::start(&victim);
    let (before, open) = (victim.resident(), victim.open());
    let fetch = FetchRequest { max_bytes: i32::MAX, ..topic.fetch_request(&[(0, 0)]) };
    let (kafka, native) = (frame(11, 1, &fetch), native::frame(1, native::fetch(&topic, 1)));
    let mut slow: Vec<_> = (0..CLIENTS)
        .map(|at| {
            let is_kafka = at % 2 == 0;
            let mut stream = if is_kafka { victim.kafka_socket() } else { victim.native().into_stream() };
            SockRef::from(&stream).set_recv_buffer_size(1 << 12).unwrap();
            stream.write_all(if is_kafka { &kafka } else { &native }).unwrap();
            stream
        })
        .collect();
    for _ in 0..10 {
        slow.iter_mut().for_each(sip);
        bystanders.assert_answered();
    }
    let grown = victim.peak().saturating_sub(before) as usize;
    println!("{grown} bytes for answers that are read in sips");
    assert!(grown < 8_000_000 + CLIENTS * 200_000 + (24 << 20), "{grown} bytes");
    drop(slow);
    victim.assert_back_to(open);
    bystanders.stop();
}
