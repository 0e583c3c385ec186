//! A group of different clients through everything that can happen to it: members come, go, stand still
//! and die, and the broker dies, while records flow.
//!
//! Each member says what it reads and what is committed. All records must come, and none below an
//! offset that was committed before, but to a member that stood still for so long that it is out, until
//! it is in again. `CALLBOARD_SOAK_ROUNDS=100` makes it long; a round takes some
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
/// A session and a rebalance of the members last 12 seconds at most. A partition whose records do not
/// come for twice as long has had no owner.
const WITHIN: Duration = Duration::from_secs(24);

/// The broker's settings: sessions as short as the members want them.
const SETTINGS: [&str; 2] = ["group.min.session.timeout.ms=1000", "num.partitions=4"];

/// A member, by the number that its lines have.
struct Member {
    number: usize,
    process: Child,
}

struct Soak {
    broker: Broker,
    topic: String,
    members: Vec<Member>,
    started: usize,
    /// Members that stood still, and have committed nothing new since.
    strayed: BTreeSet<usize>,
    producer: Child,
    lines: Receiver<Line>,
    said: Sender<Line>,
    sent: usize,
    read: [BTreeSet<u64>; PARTITIONS],
    committed: [u64; PARTITIONS],
}

impl Soak {
    fn begin() -> Self {
        let broker = Broker::start_with(&SETTINGS).unwrap();
        let topic = format!("soak-{}", std::process::id());
        let (said, lines) = channel();
        let producer = start(Client::Confluent, "numbers", &broker, &topic, (0, &said));
        Self {
            broker,
            topic,
            members: Vec::new(),
            started: 0,
            strayed: BTreeSet::new(),
            producer,
            lines,
            said,
            sent: 0,
            read: Default::default(),
            committed: [0; PARTITIONS],
        }
    }

    fn join(&mut self, client: Client) {
        self.started += 1;
        let number = self.started;
        let process = start(client, "member", &self.broker, &self.topic, (number, &self.said));
        self.members.push(Member { number, process });
    }

    /// Listens until so many more records have been read.
    fn until_read(&mut self, more: usize) {
        let wanted = self.count() + more;
        self.listen(|soak| soak.count() >= wanted);
    }

    /// Listens until records of all partitions have been read that came after this moment.
    fn until_all_have_readers(&mut self) {
        let ends = self.read.each_ref().map(|read| read.last().copied().unwrap_or(0));
        // What a member had fetched before is not enough.
        self.listen(|soak| soak.read.iter().zip(ends).all(|(read, end)| read.last() > Some(&(end + 500))));
    }

    /// A member stands still until the others have what it had.
    fn pause(&mut self, at: usize) {
        let (number, process) = (self.members[at].number, pid(&self.members[at].process));
        kill(process, Signal::SIGSTOP).unwrap();
        self.until_all_have_readers();
        // All that it said before has been heard.
        self.strayed.insert(number);
        kill(process, Signal::SIGCONT).unwrap();
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
            self.hear(line);
        }
    }

    fn hear(&mut self, Line { member, text }: Line) {
        let line = text.as_str();
        let words: Vec<&str> = line.split(' ').collect();
        let [what, partition, number] = words[..] else { panic!("{line}") };
        let (partition, number): (usize, u64) = (partition.parse().unwrap(), number.parse().unwrap());
        match what {
            "sent" => self.sent = usize::try_from(number).unwrap(),
            "read" => {
                let committed = self.committed[partition];
                let is_in = !self.strayed.contains(&member);
                assert!(number >= committed || !is_in, "{line}, and {committed} was committed");
                self.read[partition].insert(number);
            }
            "committed" => {
                // Who stood still may still say what it committed before.
                if number > self.committed[partition] {
                    self.committed[partition] = number;
                    self.strayed.remove(&member);
                }
            }
            _ => panic!("{line}"),
        }
    }

    fn end_member(&mut self, at: usize, signal: Signal) {
        let mut member = self.members.remove(at);
        end(&mut member.process, signal);
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
        self.members.iter_mut().for_each(|member| end(&mut member.process, Signal::SIGKILL));
    }
}

fn pid(process: &Child) -> Pid {
    Pid::from_raw(process.id().try_into().unwrap())
}

fn end(process: &mut Child, signal: Signal) {
    // One that ended already needs no signal.
    let _ = kill(pid(process), signal);
    process.wait().unwrap();
}

/// What a member says.
struct Line {
    member: usize,
    text: String,
}

fn start(client: Client, what: &str, broker: &Broker, topic: &str, said: (usize, &Sender<Line>)) -> Child {
    let (member, said) = said;
    let mut program = client.program().unwrap();
    program.args([what, broker.address(), topic]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = program.spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let said = said.clone();
    std::thread::spawn(move || {
        let mut line = String::new();
        // Who dies may leave a part of a line, which says nothing.
        while output.read_line(&mut line).is_ok() && line.ends_with('\n') {
            if said.send(Line { member, text: line.trim_end().to_owned() }).is_err() {
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
        soak.pause(round % 3);
        soak.until_read(200);
        soak.end_member((round + 1) % 3, Signal::SIGTERM);
        soak.join(clients[(round + 2) % 3]);
        soak.until_read(200);
    }
    soak.finish();
}
