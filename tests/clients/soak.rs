//! A group of different clients through everything that can happen to it: members come, go, stand still
//! and die, and the broker dies, while records flow.
//!
//! Each member says what it reads and what is committed. All records must come, and none below an
//! offset that was committed before, but to a member that stood still for so long that it is out, until
//! it is in again. No partition that has something to read may be without an owner for long, which is
//! looked at with every line; and a step is over only when each partition has been read beyond what
//! was there when the step began. `CALLBOARD_SOAK_ROUNDS=100` makes it long; a round takes some seconds.

mod all_clients;
mod partition;
mod program;
mod static_members;

use crate::client::Client;
use crate::support::broker::{Broker, elsewhere};
use nix::sys::signal::Signal;
use partition::Partition;
use program::{Line, Program};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const PARTITIONS: usize = 12;
/// How long a member may be silent. The members' programs say so when they join.
const SESSION: Duration = Duration::from_secs(2);
/// How long a member may take to join again. They say that too.
const REBALANCE: Duration = Duration::from_secs(10);
/// What a slow machine takes beside that, whose few cores run other tests at the same time: programs
/// start, find their broker again and say what they read. None of it is the group's time.
const SLOWNESS: Duration = Duration::from_secs(3);
/// No partition is without an owner for longer.
const WITHIN: Duration = SESSION.saturating_add(REBALANCE).saturating_add(SLOWNESS);

/// The broker's settings: sessions as short as the members want them.
const SETTINGS: [&str; 2] = ["group.min.session.timeout.ms=1000", "num.partitions=12"];

/// What members of the group are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Membership {
    /// Each start is another member.
    Dynamic,
    /// A client has a name of its own in the group, and is the same member when it starts again.
    Static,
}

/// A member of the group, by the number that its lines have.
struct Member {
    number: usize,
    client: Client,
    program: Program,
}

struct Soak {
    broker: Broker,
    /// The topic, and the group of the same name.
    topic: String,
    membership: Membership,
    /// Those that run.
    members: Vec<Member>,
    started: usize,
    /// Members that stood still, and have committed nothing new since.
    strayed: BTreeSet<usize>,
    producer: Program,
    lines: Receiver<Line>,
    said: Sender<Line>,
    partitions: [Partition; PARTITIONS],
    /// Time without an owner counts from here: before, there were no members, or no broker.
    counted_from: Instant,
}

impl Soak {
    /// A group of these clients, who all have their share.
    fn begin(clients: &[Client], membership: Membership) -> Self {
        let broker = Broker::start_with(&SETTINGS).unwrap();
        let topic = String::from("soak");
        let (said, lines) = channel();
        let arguments = ["numbers", broker.address(), &topic, &PARTITIONS.to_string()];
        let producer = Program::start(Client::Confluent, &arguments, 0, &said);
        let mut soak = Self {
            broker,
            topic,
            membership,
            members: Vec::new(),
            started: 0,
            strayed: BTreeSet::new(),
            producer,
            lines,
            said,
            partitions: Default::default(),
            counted_from: Instant::now(),
        };
        clients.iter().for_each(|client| soak.start(*client));
        // A client that had to be set up took minutes.
        soak.counted_from = Instant::now();
        soak.until_read_on();
        soak
    }

    fn start(&mut self, client: Client) {
        self.started += 1;
        let number = self.started;
        let name = client.to_string();
        let mut arguments = vec!["member", self.broker.address(), &self.topic];
        if self.membership == Membership::Static {
            arguments.push(&name);
        }
        let program = Program::start(client, &arguments, number, &self.said);
        self.members.push(Member { number, client, program });
    }

    /// Takes a client's member out of those that run. What it still says is not an owner's.
    fn take(&mut self, client: Client) -> Member {
        let at = self.members.iter().position(|member| member.client == client).unwrap();
        self.members.remove(at)
    }

    fn join(&mut self, client: Client) {
        self.start(client);
        self.until_read_on();
    }

    /// A member dies without a word.
    fn kill_member(&mut self, client: Client) {
        self.take(client).program.end(Signal::SIGKILL);
        self.until_read_on();
    }

    /// A member says that it goes.
    fn leave(&mut self, client: Client) {
        let status = self.take(client).program.end(Signal::SIGTERM);
        assert!(status.success(), "{client} has not left, it ended with {status}");
        self.until_read_on();
    }

    /// A member stands still until the others have what it had. Then it comes again.
    fn pause(&mut self, client: Client) {
        let member = self.take(client);
        member.program.signal(Signal::SIGSTOP);
        self.until_read_on();
        // All that it said before has been heard.
        self.strayed.insert(member.number);
        member.program.signal(Signal::SIGCONT);
        self.members.push(member);
        self.until_read_on();
    }

    fn kill_broker(&mut self) {
        self.broker.kill().unwrap();
        self.broker.restart_in_place().unwrap();
        self.counted_from = Instant::now();
        self.until_read_on();
    }

    /// The end of each step: listens until each partition has been read beyond what is there now, and
    /// each member that runs has its share.
    fn until_read_on(&mut self) {
        self.hear_all();
        // One more may be in the log, and not be acknowledged yet.
        let ends = self.partitions.each_ref().map(|partition| partition.sent + 1);
        self.partitions.iter_mut().for_each(|partition| partition.reader = None);
        self.listen(|soak| {
            let behind = soak.partitions.iter().zip(ends).position(|(partition, end)| partition.next <= end);
            behind.map(|number| format!("partition {number} is not read on")).or_else(|| soak.unfair())
        });
    }

    /// How many partitions each member reads, when that is not fair: all have as many, or one more.
    fn unfair(&self) -> Option<String> {
        let count = self.members.len();
        let shares = PARTITIONS / count..=PARTITIONS.div_ceil(count);
        let of = |member: &Member| {
            self.partitions.iter().filter(|partition| partition.reader == Some(member.number)).count()
        };
        let told = |member: &Member| format!("member {}, {}, {}", member.number, member.client, of(member));
        (!self.members.iter().all(|member| shares.contains(&of(member)))).then(|| {
            format!("partitions are not shared: {:?}", self.members.iter().map(told).collect::<Vec<_>>())
        })
    }

    /// Nothing more is sent, and all that was is read.
    fn finish(mut self) {
        self.producer.end(Signal::SIGKILL);
        self.hear_all();
        self.listen(|soak| {
            let unread = soak.partitions.iter().position(|partition| !partition.is_read_whole());
            unread.map(|number| format!("partition {number} is not read to its end"))
        });
        for (number, partition) in self.partitions.iter().enumerate() {
            assert!(partition.is_read_without_holes(), "partition {number} has holes: {partition}");
        }
    }

    /// Hears lines until nothing is wrong any more; the first sentence of a failure is what still is.
    fn listen(&mut self, what_is_wrong: impl Fn(&Self) -> Option<String>) {
        let deadline = Instant::now() + WITHIN;
        while let Some(wrong) = what_is_wrong(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).ok().filter(|line| line.at <= deadline);
            let line = line.unwrap_or_else(|| {
                let partitions = self.partitions.each_ref().map(ToString::to_string);
                panic!("{wrong} within {WITHIN:?}: {partitions:#?}")
            });
            self.hear(line);
        }
    }

    /// Hears all that has been said until now.
    fn hear_all(&mut self) {
        while let Ok(line) = self.lines.try_recv() {
            self.hear(line);
        }
    }

    fn hear(&mut self, Line { number: said_by, at, text }: Line) {
        self.check_owners(at);
        let words: Vec<&str> = text.split(' ').collect();
        let [what, partition, number] = words[..] else { panic!("{text}") };
        let (partition, number): (usize, u64) = (partition.parse().unwrap(), number.parse().unwrap());
        let partition = &mut self.partitions[partition];
        match what {
            "sent" => partition.add(at),
            "read" => {
                let is_in = !self.strayed.contains(&said_by);
                // Lines of different programs may be heard in another order than they were said in: who
                // reads on may be heard before who read this one and committed it.
                let is_again = number < partition.committed && partition.read.contains(&number);
                assert!(!is_again || !is_in, "{text} came again to member {said_by}: {partition}");
                if is_in && self.members.iter().any(|member| member.number == said_by) {
                    partition.read_by_owner(said_by, number, at);
                } else {
                    partition.read_by_another(number);
                }
            }
            "committed" => {
                // Who stood still may still say what it committed before.
                if number > partition.committed {
                    partition.committed = number;
                    self.strayed.remove(&said_by);
                }
            }
            _ => panic!("{text}"),
        }
    }

    /// At that time no partition has been without an owner for too long.
    fn check_owners(&self, at: Instant) {
        for (number, partition) in self.partitions.iter().enumerate() {
            let Some(since) = partition.unread_since else { continue };
            let without = at.saturating_duration_since(since.max(self.counted_from));
            assert!(without <= WITHIN, "partition {number} has no owner for {without:?}: {partition}");
        }
    }
}

/// Whether a soak of these clients can be, by a broker of our own.
fn is_possible(clients: &[Client]) -> bool {
    let is_possible = elsewhere().is_none() && clients.iter().all(|client| client.is_chosen());
    if !is_possible {
        eprintln!("left out: it needs a broker of its own and {clients:?}");
    }
    is_possible
}

#[test]
fn a_group_of_different_clients_reads_everything_through_deaths_of_members_and_broker() {
    let clients = [Client::Python, Client::Confluent, Client::Go];
    if !is_possible(&clients) {
        return;
    }
    // In three rounds everything happens to each of the clients.
    let rounds: usize = std::env::var("CALLBOARD_SOAK_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    let mut soak = Soak::begin(&clients, Membership::Dynamic);
    for round in 0..rounds {
        let [dies, pauses, leaves] = [0, 1, 2].map(|more| clients[(round + more) % 3]);
        soak.kill_member(dies);
        soak.join(dies);
        soak.kill_broker();
        soak.pause(pauses);
        soak.leave(leaves);
        soak.join(leaves);
    }
    soak.finish();
}
