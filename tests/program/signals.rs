//! How a broker ends when it is asked to.

use crate::callboard;
use crate::frames::fetch;
use crate::support::process::wait_within;
use callboard::{Client, Record};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tempfile::tempdir;

const SOON: Duration = Duration::from_secs(10);

struct Running {
    child: Child,
    ready: String,
    native: String,
    _folder: tempfile::TempDir,
}

fn start(arguments: &[&str]) -> Running {
    let folder = tempdir().unwrap();
    let mut command = callboard(folder.path(), arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut ready, mut native) = (String::new(), String::new());
    let mut said = BufReader::new(child.stdout.take().unwrap());
    said.read_line(&mut ready).unwrap();
    said.read_line(&mut native).unwrap();
    Running { child, ready, native, _folder: folder }
}

impl Running {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    fn exit_code(&mut self) -> Option<i32> {
        wait_within(&mut self.child, SOON).unwrap().expect("it still runs").code()
    }

    fn connect(&self) -> TcpStream {
        let address = self.ready.split("kafka=").nth(1).unwrap().split_whitespace().next().unwrap();
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        socket
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A fetch of nothing that is there, which waits for so many milliseconds.
fn long_poll(wait_ms: i32) -> Vec<u8> {
    fetch("t", wait_ms, 1000)
}

#[test]
fn the_first_line_says_where_it_listens_and_keeps_its_data() {
    let broker = start(&["--kafka", "127.0.0.1:0", "--data", "here"]);
    let ready = broker.ready.trim_end();
    assert!(
        ready.starts_with("callboard ready kafka=127.0.0.1:") && ready.ends_with(" data=here"),
        "{ready}"
    );
    assert!(!ready.contains(":0 "), "the port that the system gave");
}

#[test]
fn both_signals_end_it_with_code_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut broker = start(&["--kafka", "127.0.0.1:0"]);
        let mut idle = broker.connect();
        broker.signal(signal);
        assert_eq!(broker.exit_code(), Some(0));
        // One that was not taken yet is reset by the system.
        let is_closed = idle
            .read(&mut [0])
            .map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |count| count == 0);
        assert!(is_closed, "idle connections are closed");
    }
}

#[test]
fn a_request_that_has_begun_is_answered() {
    // On one thread, or the second connection could be served before the first was looked at.
    let mut broker = start(&["--kafka", "127.0.0.1:0", "--set", "workers=1"]);
    let mut socket = broker.connect();
    socket.write_all(&long_poll(500)).unwrap();
    // Another connection's answer says that the first one's request has been read.
    let mut other = broker.connect();
    other.write_all(&long_poll(1)).unwrap();
    other.read_exact(&mut [0; 4]).unwrap();
    broker.signal(Signal::SIGTERM);
    let mut correlation = [0; 8];
    socket.read_exact(&mut correlation).unwrap();
    assert_eq!(correlation[4..], 7i32.to_be_bytes());
    assert_eq!(broker.exit_code(), Some(0));
}

/// A broker that has an answer for a client which does not read it: more than sockets hold.
fn start_with_a_stuck_answer(grace: &str) -> (Running, TcpStream) {
    let broker = start(&["--kafka", "127.0.0.1:0", "--set", grace]);
    let native = broker.native.trim().strip_prefix("callboard native=").unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(native).await.unwrap();
        let record = || Record::to("t").partition(0).value(vec![0; 1_000_000]);
        client.producer().send_all((0..32).map(|_| record())).await.unwrap();
    });
    let mut stuck = broker.connect();
    stuck.write_all(&fetch("t", 0, 50_000_000)).unwrap();
    let mut length = [0; 4];
    stuck.read_exact(&mut length).unwrap();
    assert!(i32::from_be_bytes(length) > 30_000_000, "{length:?}");
    (broker, stuck)
}

#[test]
fn the_time_for_answers_is_bounded() {
    let (mut broker, _stuck) = start_with_a_stuck_answer("shutdown.grace.ms=1000");
    let begun = Instant::now();
    broker.signal(Signal::SIGTERM);
    assert_eq!(broker.exit_code(), Some(0));
    assert!(begun.elapsed() >= Duration::from_secs(1), "it was waited for");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (mut broker, stuck) = start_with_a_stuck_answer("shutdown.grace.ms=3600000");
    broker.signal(Signal::SIGTERM);
    // The port is closed once the first signal was taken.
    while TcpStream::connect(stuck.peer_addr().unwrap()).is_ok() {}
    let begun = Instant::now();
    while broker.child.try_wait().unwrap().is_none() && begun.elapsed() < SOON {
        broker.signal(Signal::SIGTERM);
    }
    assert!(begun.elapsed() >= Duration::from_millis(500), "what comes at once is the same signal");
    assert_eq!(broker.exit_code(), Some(1));
}

#[test]
fn a_signal_that_comes_twice_is_one() {
    let (mut broker, stuck) = start_with_a_stuck_answer("shutdown.grace.ms=1000");
    broker.signal(Signal::SIGTERM);
    while TcpStream::connect(stuck.peer_addr().unwrap()).is_ok() {}
    broker.signal(Signal::SIGTERM);
    assert_eq!(broker.exit_code(), Some(0));
}
