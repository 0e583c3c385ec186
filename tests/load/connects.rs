//! Floods of connects: those past the bound are closed, and who is there already does not notice.

use crate::bystander::Bystanders;
use crate::victim::Victim;
use std::io::Read;
use std::net::TcpStream;

const FLOOD: usize = 3_000;
/// How often a flood comes behind another that has gone.
const FLOODS: usize = 4;
const PLACES: usize = 300;
/// Bystanders have a place each.
const TAKEN: usize = 2;

/// Whether the broker closes the connection; it is one that says nothing by itself otherwise.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}

#[test]
fn connects_past_the_bound_are_closed_and_those_that_go_give_their_places_back() {
    let victim = Victim::start(&[&format!("max.connections={PLACES}")]);
    let bystanders = Bystanders::start(&victim);
    let (before, open) = (victim.resident(), victim.open());
    let mut flood: Vec<_> = (0..FLOOD)
        .map(|at| if at % 2 == 0 { victim.kafka_socket() } else { victim.native_socket() })
        .collect();
    // All have been taken or closed when so many are closed.
    let mut closed = 0;
    while closed < FLOOD + TAKEN - PLACES {
        closed = flood.iter_mut().filter_map(|stream| is_closed(stream).then_some(())).count();
        bystanders.assert_answered();
    }
    assert_eq!(FLOOD - closed, PLACES - TAKEN);
    let grown = victim.peak().saturating_sub(before);
    println!("{grown} bytes for a flood of connects");
    assert!(grown < 16 << 20, "{grown} bytes for {FLOOD} connects");
    drop(flood);
    // There is room for the one that asks.
    let begun = std::time::Instant::now();
    while victim.open() != open {
        assert!(begun.elapsed() < crate::client::WITHIN, "{:?} and before {open:?}", victim.open());
        bystanders.assert_answered();
    }
    victim.assert_back_to(open);
    bystanders.stop();
}

#[test]
fn connections_that_come_and_go_at_once_leave_nothing() {
    let victim = Victim::start(&[]);
    let bystanders = Bystanders::start(&victim);
    let (before, open) = (victim.resident(), victim.open());
    for _ in 0..FLOODS {
        for at in 0..FLOOD {
            drop(if at % 2 == 0 { victim.kafka_socket() } else { victim.native_socket() });
        }
        victim.assert_back_to(open);
    }
    let grown = victim.resident().saturating_sub(before);
    println!("{grown} bytes after connects that went");
    // A slow broker may have had all of one flood at once, and the allocator keeps what they took.
    assert!(grown < (FLOOD as u64 * 12) << 10, "{grown} bytes after {FLOODS} times {FLOOD} connects");
    bystanders.stop();
}
