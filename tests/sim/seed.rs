//! A seed: lives of a broker on one disk, each ended by a crash, the last one by nothing.

use crate::log::Crash;
use crate::wire::Door;
use crate::world::{Client, Over, World};
use crate::{
    configs, consumer_group, group, idempotent, migrating, offsets, producer, reader, session, topics, units,
};
use callboard::Broker;
use callboard::kafka::Edge;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::broker::start::start_on;
use callboard_actors::config::{Settings, Source, Values};
use callboard_actors::placement::Placement;
use callboard_actors::{chance, clock};
use callboard_storage::disk::simulated::SimulatedDisk;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// Where folders lie in memory, on systems that have it.
const IN_MEMORY: &str = "/dev/shm";
/// The wall clock's time when a seed begins: in 2023.
const BEGIN_MS: i64 = 1_700_000_000_000;
/// Writes, syncs and renames before a sick disk fails; a start needs a dozen.
const OPERATIONS_MAX: usize = 150;

const SETTINGS: [(&str, &str); 4] = [
    ("storage.free.bytes.min", "0"),
    ("auto.create.topics.enable", "false"),
    // As short as sessions of the other kind of group may be, so that some end within a life.
    ("group.consumer.min.session.timeout.ms", "6000"),
    ("group.consumer.session.timeout.ms", "6000"),
];

/// How a seed went.
pub(crate) struct Outcome {
    pub(crate) trace: u64,
    pub(crate) answers: usize,
    pub(crate) starts: usize,
}

struct Seed {
    world: Rc<RefCell<World>>,
    disk: SimulatedDisk,
    /// Of the index, which is not on the simulated disk.
    folder: TempDir,
    wall_ms: i64,
    starts: usize,
}

/// Runs a seed. What is wrong is a panic.
pub(crate) fn run(seed: u64, is_loud: bool) -> Outcome {
    let in_memory = Path::new(IN_MEMORY).is_dir().then(|| tempfile::tempdir_in(IN_MEMORY));
    let folder = in_memory.and_then(Result::ok).unwrap_or_else(|| tempfile::tempdir().unwrap());
    chance::simulate(seed);
    let world = Rc::new(RefCell::new(World::new(seed, is_loud)));
    let disk = SimulatedDisk::without_threads();
    let mut seed = Seed { world, disk, folder, wall_ms: BEGIN_MS, starts: 0 };
    let lives = 1 + seed.below(3);
    for _ in 0..lives {
        let crash = seed.live();
        seed.crash(crash);
    }
    seed.end();
    let world = seed.world.borrow();
    Outcome { trace: world.trace, answers: world.answers, starts: seed.starts }
}

impl Seed {
    fn below(&self, bound: usize) -> usize {
        self.world.borrow_mut().chance.below(bound)
    }

    /// One life of the broker, with clients. Answers how it ends.
    fn live(&mut self) -> Crash {
        let is_sick = self.below(3) == 0;
        self.world.borrow_mut().is_sick = is_sick;
        self.world.borrow_mut().tempo_ms = [1, 1, 30, 150][self.below(4)];
        self.disk.fail_after(is_sick.then(|| self.below(OPERATIONS_MAX)));
        let settings = self.settings();
        let ended = self.in_system(async |seed, world| {
            let broker = match start_on(Arc::new(seed.disk.clone()), settings, Placement::here()) {
                Ok(broker) => broker,
                Err(error) => {
                    assert!(is_sick, "the broker does not start: {error}");
                    return None;
                }
            };
            let client = client(&broker, &world);
            if !is_sick {
                audit(&client).await.expect("nothing is lost");
            }
            let mut clients = clients(&client);
            seed.wait(&mut clients).await;
            let stops = !is_sick && seed.below(5) == 0;
            if stops {
                // Whoever asks now is told that there is no broker.
                world.borrow_mut().is_sick = true;
                broker.shutdown().await;
            }
            check(&mut clients);
            Some(stops)
        });
        let is_power = self.below(3) > 0;
        // All is synced by one that stopped.
        if is_power && ended != Some(true) { Crash::Power } else { Crash::Process }
    }

    /// Lets the clients do something, and stops in the middle of it.
    async fn wait(&self, clients: &mut JoinSet<Result<(), Over>>) {
        let tempo_ms = self.world.borrow().tempo_ms;
        for _ in 0..self.below(6) {
            clock::pass(Duration::from_millis(self.below(20) as u64 * tempo_ms)).await;
            check(clients);
        }
        for _ in 0..self.below(100) {
            tokio::task::yield_now().await;
        }
        check(clients);
    }

    /// What the crash leaves.
    fn crash(&mut self, crash: Crash) {
        let mut world = self.world.borrow_mut();
        if world.is_loud {
            println!("--- crash of {crash:?} after {} operations of the disk", self.disk.operations());
        }
        world.logs.crash(crash);
        self.disk = match crash {
            Crash::Process => self.disk.copy(),
            Crash::Power if world.chance.is_one_in(3) => self.disk.after_power_failure(|| false),
            Crash::Power => {
                let chance = &mut world.chance;
                self.disk.after_power_failure(|| chance.is_one_in(2))
            }
        };
    }

    /// The last start: all is there that must be.
    fn end(&mut self) {
        self.world.borrow_mut().is_sick = false;
        let settings = self.settings();
        self.in_system(async |seed, world| {
            let disk = Arc::new(seed.disk.clone());
            let broker = start_on(disk, settings, Placement::here()).expect("it starts");
            audit(&client(&broker, &world)).await.expect("nothing is lost");
        });
    }

    /// Runs something where actors run, and lets all of them end where it ends.
    fn in_system<T>(&mut self, work: impl AsyncFnOnce(&Self, Rc<RefCell<World>>) -> T) -> T {
        self.starts += 1;
        if self.world.borrow().is_loud {
            println!("--- start {} at {}", self.starts, self.wall_ms);
        }
        let system = actix::System::with_tokio_rt(|| {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_time().start_paused(true).build().unwrap()
        });
        let (outcome, wall_ms) = system.block_on(async {
            clock::simulate(self.wall_ms);
            let outcome = work(self, Rc::clone(&self.world)).await;
            (outcome, clock::wall_ms())
        });
        self.wall_ms = wall_ms;
        outcome
    }

    fn settings(&self) -> Arc<Settings> {
        let mut values = Values::default();
        for (name, value) in SETTINGS {
            values.set(name, value, Source::Program).unwrap();
        }
        let mut settings = Settings::from_values(values).unwrap();
        self.folder.path().clone_into(&mut settings.data_dir);
        // Smaller than anybody may ask for, so that there are many.
        settings.storage.segment_bytes = 1 << (12 + self.below(6));
        settings.storage.checkpoint_records = [20, 1000][self.below(2)];
        // That one goes by the system's clock.
        settings.storage.checkpoint_interval = Duration::from_secs(3600);
        Arc::new(settings)
    }
}

fn client(broker: &BrokerHandle, world: &Rc<RefCell<World>>) -> Client {
    let edge = Edge::new(broker.clone(), "simulated", 9092, tokio_util::sync::CancellationToken::new());
    let around = Broker::around(broker.clone(), Placement::here());
    Client::new(Door(Arc::new(edge)), around, Rc::clone(world))
}

/// Compares all that there is with what must be there.
async fn audit(client: &Client) -> Result<(), Over> {
    let client = client.patient();
    topics::list(&client).await?;
    reader::read_all(&client).await?;
    offsets::fetch_all(&client).await?;
    units::look_at_all(&client).await?;
    if client.world().topics.kept().is_some() {
        configs::describe(&client).await?;
    }
    Ok(())
}

/// Who is there in a life: each time others, so that some have the broker for themselves.
fn clients(client: &Client) -> JoinSet<Result<(), Over>> {
    let mut clients = JoinSet::new();
    let is_there = || !client.is_one_in(4);
    let new = || client.clone();
    clients.spawn_local(topics::run(new()));
    for number in 0..2 {
        is_there().then(|| clients.spawn_local(producer::run(new())));
        is_there().then(|| clients.spawn_local(idempotent::run(new(), number)));
    }
    is_there().then(|| clients.spawn_local(reader::run(new())));
    is_there().then(|| clients.spawn_local(session::run(new())));
    is_there().then(|| clients.spawn_local(offsets::run(new())));
    is_there().then(|| clients.spawn_local(configs::run(new())));
    for number in 0..units::PROGRAMS {
        is_there().then(|| clients.spawn_local(units::run(new(), number)));
    }
    let (is_classic, is_static, is_assigned, is_migrating) = (is_there(), is_there(), is_there(), is_there());
    for number in 0..3 {
        is_classic.then(|| clients.spawn_local(group::run(new(), group::DYNAMIC, number)));
        is_static.then(|| clients.spawn_local(group::run(new(), group::STATIC, number)));
        is_assigned.then(|| clients.spawn_local(consumer_group::run(new(), number)));
        is_migrating.then(|| clients.spawn_local(migrating::run(new(), number)));
    }
    clients
}

/// What a client found wrong is wrong.
fn check(clients: &mut JoinSet<Result<(), Over>>) {
    while let Some(ended) = clients.try_join_next() {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}
