//! One data folder through many deaths: rounds of a start, a look at all that must be there, and load
//! until the broker dies.

use crate::chance::Chance;
use crate::client::{Client, is_refusal};
use crate::history::Histories;
use crate::log::Topic;
use crate::member::Member;
use crate::membership::Kind;
use crate::producer::Producer;
use crate::topics::Topics;
use crate::victim::{Started, Victim};
use callboard_storage::crash_points::Point;
use std::collections::HashSet;
use std::io;
use std::sync::mpsc::channel;
use std::thread::{ScopedJoinHandle, scope};
use std::time::Duration;

const PRODUCERS: usize = 3;
const PARTITIONS: i32 = 3;
/// Rounds that a topic is written to.
const ROUNDS_OF_TOPIC: usize = 5;
/// What happens until a random death, at most.
const EVENTS_MAX: usize = 1000;
/// About as long as a start takes, with what it applies.
const START: Duration = Duration::from_millis(400);
/// Longer than most stops take.
const STOP: Duration = Duration::from_millis(200);

/// How the broker dies in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// By a signal, at any moment.
    Random,
    /// The same while it stops, having been asked to, unless it is done before.
    Stopping,
    /// Between two steps.
    At(Point),
}

/// How the load ends.
enum End {
    /// The broker is killed when so much has happened.
    Kill(usize),
    /// It is asked to stop when so much has happened, and killed when it takes longer than that.
    Stop(usize, Duration),
    /// It dies by itself.
    Point,
}

/// A broker, its clients, and what they know.
pub(crate) struct Trial {
    seed: u64,
    chance: Chance,
    victim: Victim,
    histories: Histories,
    topics: Topics,
    producers: Vec<Producer>,
    members: Vec<Member>,
    /// What producers write to and members read.
    topic: Option<Topic>,
    topics_begun: usize,
    /// The deaths until now, the one that comes next being the last.
    deaths: Vec<String>,
}

impl Trial {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        Self {
            seed,
            victim: Victim::new(),
            histories: Histories::default(),
            topics: Topics::new(chance.split()),
            producers: (0..PRODUCERS).map(|_| Producer::new(chance.split())).collect(),
            members: vec![
                Member::new(0, Kind::Classic, chance.split()),
                Member::new(1, Kind::Consumer, chance.split()),
            ],
            topic: None,
            topics_begun: 0,
            deaths: Vec::new(),
            chance,
        }
    }

    /// Starts the broker, looks at everything, and lets it die under load.
    pub(crate) fn round(&mut self, death: Death) {
        let pass = match death {
            Death::Random | Death::Stopping => None,
            Death::At(point) => Some(self.last_pass(point)),
        };
        self.deaths.push(format!("{death:?} {}", pass.clone().unwrap_or_default()));
        let is_new_topic_due =
            self.deaths.len().is_multiple_of(ROUNDS_OF_TOPIC) || needs_dead_segments(death);
        let is_to_die = self.start(pass.as_deref(), is_new_topic_due);
        let events = 1 + self.chance.below(EVENTS_MAX);
        let end = match death {
            Death::At(_) if is_to_die => End::Point,
            Death::At(_) | Death::Random => End::Kill(events),
            Death::Stopping => End::Stop(events, self.time_below(STOP)),
        };
        self.load(end);
    }

    /// Starts the broker a last time, and looks at everything.
    pub(crate) fn end(mut self) {
        self.deaths.push("none".to_owned());
        self.victim.start();
        self.prepare(false).unwrap();
        self.victim.assert_calm();
        eprintln!("{} deaths, {} batches at the end", self.deaths.len() - 1, self.histories.count());
    }

    /// Which pass of a point is the last, as the broker is told it.
    fn last_pass(&mut self, point: Point) -> String {
        let name = point.name();
        match self.chance.below(passes(point)) {
            0 => format!("{name}=return"),
            before => format!("{name}={before}*off->return"),
        }
    }

    fn time_below(&mut self, bound: Duration) -> Duration {
        bound.mul_f64(self.chance.below(1000) as f64 / 1000.0)
    }

    /// Starts the broker and prepares the round. Answers whether it will still die at the point.
    fn start(&mut self, death: Option<&str>, is_new_topic_due: bool) -> bool {
        if self.chance.is_one_in(4) {
            let time = self.time_below(START);
            self.victim.start_and_kill_after(time);
        }
        if self.victim.start_to_die(death) == Started::Ready {
            let Err(error) = self.prepare(is_new_topic_due) else { return death.is_some() };
            assert!(!is_refusal(&error), "{error}");
            self.victim.wait_for_death();
        }
        self.victim.start();
        self.prepare(is_new_topic_due).expect("nothing is to die here");
        false
    }

    /// Looks at everything that was acknowledged or read, and begins with another topic when that is due.
    fn prepare(&mut self, is_new_topic_due: bool) -> io::Result<()> {
        let mut client = Client::connect(self.victim.address())?;
        let found = self.topics.check(&mut client)?;
        let ids: HashSet<_> = found.iter().map(|topic| topic.id).collect();
        self.histories.retain(|id| ids.contains(&id));
        for topic in &found {
            self.check_logs(&mut client, topic)?;
        }
        if let Some(topic) = &self.topic {
            assert!(ids.contains(&topic.id), "{topic:?} is gone");
            self.members.iter_mut().try_for_each(|member| member.check(&mut client, topic))?;
        }
        let is_current = |topic: &Topic| self.topic.as_ref().is_some_and(|it| it.id == topic.id);
        let left = found.iter().filter(|topic| topic.name.starts_with("lasting") && !is_current(topic));
        left.for_each(|topic| self.topics.retire(topic));
        if is_new_topic_due || self.topic.is_none() {
            self.topics_begun += 1;
            let name = format!("lasting-{}", self.topics_begun);
            let topic = self.topics.create(&mut client, &name, PARTITIONS)?;
            self.topic.replace(topic).iter().for_each(|topic| self.topics.retire(topic));
        }
        Ok(())
    }

    /// Reads the whole log of each partition.
    fn check_logs(&self, client: &mut Client, topic: &Topic) -> io::Result<()> {
        for partition in 0..topic.partitions {
            let end = topic.end(client, partition)?;
            let (mut log, mut next) = (Vec::new(), 0);
            while next < end {
                let (entries, behind) = topic.read(client, partition, next)?;
                assert!(behind > next, "{topic:?}/{partition} ends at {next} and says that it ends at {end}");
                log.extend(entries);
                next = behind;
            }
            self.histories.see_all(topic.place(partition), &log);
        }
        Ok(())
    }

    /// Lets all clients work until the broker ends.
    fn load(&mut self, end: End) {
        let Self { victim, histories, topics, producers, members, topic, .. } = self;
        let (topic, histories) = (topic.as_ref().unwrap(), &*histories);
        let address = victim.address().to_owned();
        let address = address.as_str();
        let (told, happened) = channel();
        let is_stopping = matches!(end, End::Stop(..));
        scope(|scope| {
            let mut clients = Vec::new();
            for producer in producers {
                let told = told.clone();
                clients.push(scope.spawn(move || producer.write(address, topic, histories, &told)));
            }
            for member in members {
                let told = told.clone();
                clients.push(scope.spawn(move || member.read(address, topic, histories, &told)));
            }
            clients.push(scope.spawn(move || topics.change_all(address, histories, &told)));
            let wait = |events| happened.iter().take(events).for_each(drop);
            match end {
                End::Kill(events) => {
                    wait(events);
                    let is_left = clients.iter().any(ScopedJoinHandle::is_finished);
                    victim.kill();
                    assert!(!is_left, "a connection ended before the broker died");
                }
                End::Stop(events, time) => {
                    wait(events);
                    victim.stop_or_kill_after(time);
                }
                End::Point => victim.wait_for_death(),
            }
            let ends = clients.into_iter().map(|client| client.join().unwrap().unwrap_err());
            let refused = ends.into_iter().find(is_refusal).filter(|_| !is_stopping);
            assert!(refused.is_none(), "a broker that was not asked to stop refused: {refused:?}");
        });
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("deaths: {:#?}\nrepeat it by CALLBOARD_CRASH_SEED={}", self.deaths, self.seed);
        }
    }
}

/// Whether it can only be reached when topics with much in them are deleted.
fn needs_dead_segments(death: Death) -> bool {
    matches!(death, Death::At(Point::RemovalBegins | Point::Removed | Point::Reclaimed))
}

/// How many passes of a point come within about a second of load.
fn passes(point: Point) -> usize {
    match point {
        Point::AppendBegins
        | Point::PartlyAppended
        | Point::Appended
        | Point::ApplyBegins
        | Point::Applied => 80,
        Point::SyncBesideBegins | Point::SyncedBeside => 30,
        Point::SyncBegins | Point::Synced | Point::RegistryChanges | Point::RegistryChanged => 10,
        Point::FlushBegins | Point::Flushed | Point::FileWritten | Point::FileNamed => 4,
        Point::SegmentEnded
        | Point::SegmentCreated
        | Point::SegmentWritten
        | Point::SegmentNamed
        | Point::RemovalBegins
        | Point::Removed
        | Point::Reclaimed => 3,
        Point::JournalOpened | Point::ReplayBegins | Point::Replayed => 1,
    }
}
