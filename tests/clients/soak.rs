//! A group of different clients through everything that can happen to it: members come, go and die, and
//! the broker dies, while records flow.
//!
//! Each member says what it reads and what is committed. All records must come, and none below an
//! offset that was committed before. `CALLBOARD_SOAK_ROUNDS=100` makes it long; a round takes some
//! seconds.

use crate::client::Client;
use crate::support::broker::{Broker, elsewhere};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const PARTITIONS: usize = 4;
/// Longer than a session and a rebalance of the members last.
const WITHIN: Duration = Duration::from_secs(40);

/// The broker's settings: sessions as short as the members want them.
const SETTINGS: [&str; 2] = ["group.min.session.timeout.ms=1000", "num.partitions=4"];

struct Soak {
    broker: Broker,
    topic: String,
    members: Vec<Child>,
    producer: Child,
    lines: Receiver<String>,
    said: Sender<String>,
    sent: usize,
    read: [BTreeSet<u64>; PARTITIONS],
    committed: [u64; PARTITIONS],
}

impl Soak {
    fn begin() -> Self {
        let broker = Broker::start_with(&SETTINGS).unwrap();
        let topic = format!("soak-{}", std::process::id());
        let (said, lines) = channel();
        let producer = start(Client::Confluent, "numbers", &broker, &topic, &said);
        Self {
            broker,
            topic,
            members: Vec::new(),
            producer,
            lines,
            said,
            sent: 0,
            read: Default::default(),
            committed: [0; PARTITIONS],
        }
    }

    fn join(&mut self, client: Client) {
        self.members.push(start(client, "member", &self.broker, &self.topic, &self.said));
    }

    /// Listens until so many more records have been read.
    fn until_read(&mut self, more: usize) {
        let wanted = self.count() + more;
        self.listen(|soak| soak.count() >= wanted);
    }

    fn count(&self) -> usize {
        self.read.iter().map(BTreeSet::len).sum()
    }

    fn listen(&mut self, until: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + WITHIN;
        while !until(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| {
                let read = self.read.each_ref().map(BTreeSet::len);
                panic!("{read:?} of {} records came, {:?} are committed", self.sent, self.committed)
            });
            self.hear(&line);
        }
    }

    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, partition, number] = words[..] else { panic!("{line}") };
        let (partition, number): (usize, u64) = (partition.parse().unwrap(), number.parse().unwrap());
        match what {
            "sent" => self.sent = usize::try_from(number).unwrap(),
            "read" => {
                let committed = self.committed[partition];
                assert!(number >= committed, "{line}, and {committed} was committed");
                self.read[partition].insert(number);
            }
            "committed" => self.committed[partition] = self.committed[partition].max(number),
            _ => panic!("{line}"),
        }
    }

    fn end_member(&mut self, at: usize, signal: Signal) {
        let mut member = self.members.remove(at);
        end(&mut member, signal);
    }

    /// Nothing more is sent, and all that was is read.
    fn finish(mut self) {
        end(&mut self.producer, Signal::SIGKILL);
        self.listen(|soak| soak.count() >= soak.sent);
        for (partition, read) in self.read.iter().enumerate() {
            let without_holes = (0..).zip(read).all(|(expected, offset)| expected == *offset);
            assert!(without_holes, "partition {partition} has holes");
        }
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        end(&mut self.producer, Signal::SIGKILL);
        self.members.iter_mut().for_each(|member| end(member, Signal::SIGKILL));
    }
}

fn end(process: &mut Child, signal: Signal) {
    // One that ended already needs no signal.
    let _ = kill(Pid::from_raw(process.id().try_into().unwrap()), signal);
    process.wait().unwrap();
}

fn start(client: Client, what: &str, broker: &Broker, topic: &str, said: &Sender<String>) -> Child {
    let mut program = client.program().unwrap();
    program.args([what, broker.address(), topic]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = program.spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let said = said.clone();
    std::thread::spawn(move || {
        let mut line = String::new();
        // Who dies may leave a part of a line, which says nothing.
        while output.read_line(&mut line).is_ok() && line.ends_with('\n') {
            if said.send(line.trim_end().to_owned()).is_err() {
                break;
            }
            line.clear();
        }
    });
    process
}

#[test]
fn a_group_of_different_clients_reads_everything_through_deaths_of_members_and_broker() {
    let clients = [Client::Python, Client::Confluent, Client::Go];
    if elsewhere().is_some() || !clients.iter().all(|client| client.is_chosen()) {
        eprintln!("left out: it needs a broker of its own and python, confluent and go");
        return;
    }
    let rounds = std::env::var("CALLBOARD_SOAK_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    let mut soak = Soak::begin();
    clients.into_iter().for_each(|client| soak.join(client));
    soak.until_read(200);
    for round in 0..rounds {
        soak.end_member(round % 3, Signal::SIGKILL);
        soak.until_read(200);
        soak.join(clients[round % 3]);
        soak.until_read(200);
        soak.broker.kill().unwrap();
        soak.broker.restart_in_place().unwrap();
        soak.until_read(200);
        soak.end_member((round + 1) % 3, Signal::SIGTERM);
        soak.join(clients[(round + 2) % 3]);
        soak.until_read(200);
    }
    soak.finish();
}
