//! Thousands of connections, idle and busy, on both doors.

use crate::bystander::Bystanders;
use crate::client::{Client, frame};
use crate::native::{self, Native};
use crate::victim::Victim;
use callboard_protocol::kafka::api_versions::ApiVersionsRequest;
use callboard_protocol::native::topics::ListTopics;
use std::io::Write;

const IDLE: usize = 5_000;
const BUSY: usize = 1_000;
const ROUNDS: usize = 3;
/// What docs/OPERATIONS.md says that a connection takes beside what it is asked for.
const CONNECTION_BYTES: u64 = 20 << 10;

#[test]
fn five_thousand_idle_connections_and_a_thousand_busy_ones_cost_what_is_stated() {
    let victim = Victim::start(&[]);
    let bystanders = Bystanders::start(&victim);
    let (before, open) = (victim.resident(), victim.open());
    let mut idle: (Vec<_>, Vec<_>) = (0..IDLE / 2).map(|_| (victim.kafka(), victim.native())).unzip();
    // What was asked first is known to be there.
    idle.0.iter_mut().for_each(Client::assert_alive);
    let per_connection = victim.resident().saturating_sub(before) / IDLE as u64;
    println!("{per_connection} bytes for an idle connection");
    assert!(per_connection < CONNECTION_BYTES, "{per_connection} bytes for an idle connection");
    bystanders.assert_answered();

    let mut busy: (Vec<_>, Vec<_>) = (0..BUSY / 2).map(|_| (victim.kafka(), victim.native())).unzip();
    let versions = frame(0, 1, &ApiVersionsRequest::default());
    let topics = native::frame(1, ListTopics { names: None, create: false });
    for _ in 0..ROUNDS {
        // All ask before the first reads its answer.
        busy.0.iter_mut().for_each(|client| client.send_bytes(&versions));
        busy.1.iter_mut().for_each(|client| client.stream().write_all(&topics).unwrap());
        busy.0.iter_mut().for_each(|client| drop(client.receive_frame()));
        busy.1.iter_mut().for_each(|client| drop(client.receive::<ListTopics>()));
    }
    bystanders.assert_answered();
    let grown = victim.peak().saturating_sub(before);
    println!("{} bytes for a connection at the peak", grown / (IDLE + BUSY) as u64);
    assert!(grown < (IDLE + BUSY) as u64 * CONNECTION_BYTES, "{grown} bytes at the peak");
    idle.0.iter_mut().for_each(Client::assert_alive);
    drop((idle, busy));
    victim.assert_back_to(open);
    bystanders.stop();
}

#[test]
fn native_clients_that_greet_and_go_leave_nothing() {
    let victim = Victim::start(&[]);
    let open = victim.open();
    let clients: Vec<Native> = (0..200).map(|_| victim.native()).collect();
    drop(clients);
    victim.assert_back_to(open);
}
