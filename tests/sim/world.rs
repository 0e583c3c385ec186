//! What outlives a crash: the chance of the seed, the model, and what its clients remember.

use crate::chance::Chance;
use crate::configs::Configured;
use crate::consumer_group::Owners;
use crate::group::Members;
use crate::idempotent::Numbered;
use crate::log::{Logs, is_failure};
use crate::migrating::Movers;
use crate::offsets::Committed;
use crate::session::Session;
use crate::topics::Topics;
use crate::units::Units;
use crate::wire::{Door, FOREVER, patiently};
use callboard::Broker;
use callboard_actors::clock;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::wire::Message;
use std::cell::{RefCell, RefMut};
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

/// All that a seed knows.
pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) logs: Logs,
    pub(crate) topics: Topics,
    pub(crate) numbered: Vec<Numbered>,
    pub(crate) committed: Committed,
    pub(crate) members: [Members; 2],
    pub(crate) owners: Owners,
    pub(crate) movers: Movers,
    pub(crate) configured: Configured,
    pub(crate) units: Units,
    /// Of the one client that reads by sessions.
    pub(crate) session: Session,
    /// The disk may fail in this life of the broker; only then may storage be unavailable.
    pub(crate) is_sick: bool,
    /// How long the pauses of clients are, as a factor: short ones let many meet, long ones let timeouts come.
    pub(crate) tempo_ms: u64,
    /// Prints what is asked and answered.
    pub(crate) is_loud: bool,
    /// All answers, summed up: a seed that is repeated has the same.
    pub(crate) trace: u64,
    pub(crate) answers: usize,
}

/// A client of the broker, by a connection of its own.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) door: Door,
    /// What a program around the broker has of it.
    pub(crate) broker: Broker,
    world: Rc<RefCell<World>>,
    /// Whether it stays until it is answered.
    is_patient: bool,
}

/// The broker's disk has failed, or the client is gone: it does nothing more in this life.
#[derive(Debug)]
pub(crate) struct Over;

impl World {
    pub(crate) fn new(seed: u64, is_loud: bool) -> Self {
        Self {
            chance: Chance::new(seed),
            logs: Logs::default(),
            topics: Topics::default(),
            numbered: vec![Numbered::default(), Numbered::default()],
            committed: Committed::default(),
            members: Members::of_all(),
            owners: Owners::default(),
            movers: Movers::default(),
            configured: Configured::default(),
            units: Units::default(),
            session: Session::default(),
            is_sick: false,
            is_loud,
            tempo_ms: 1,
            trace: 0,
            answers: 0,
        }
    }

    /// Adds to the trace what was answered.
    pub(crate) fn witness(&mut self, sum: u64) {
        self.answers += 1;
        self.trace = self.trace.rotate_left(5) ^ sum;
    }
}

impl Client {
    pub(crate) fn new(door: Door, broker: Broker, world: Rc<RefCell<World>>) -> Self {
        Self { door, broker, world, is_patient: false }
    }

    /// The same client, which never goes away.
    pub(crate) fn patient(&self) -> Self {
        Self { is_patient: true, ..self.clone() }
    }

    pub(crate) fn world(&self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }

    /// Waits until the topic is there that is never deleted.
    pub(crate) async fn until_kept(&self) {
        while self.world().topics.kept().is_none() {
            self.let_pass(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn below(&self, bound: usize) -> usize {
        self.world().chance.below(bound)
    }

    pub(crate) fn is_one_in(&self, count: usize) -> bool {
        self.world().chance.is_one_in(count)
    }

    /// How often it looks for an answer before it goes away.
    pub(crate) fn looks(&self) -> usize {
        if !self.is_patient && self.is_one_in(60) { self.below(20) } else { FOREVER }
    }

    /// Asks, and waits for the answer; or goes away before it comes, which ends the client.
    pub(crate) async fn ask<Q: Message + Debug, A: Message + Debug>(
        &self,
        version: i16,
        request: &Q,
    ) -> Result<A, Over> {
        let answer: Option<(A, u64)> = patiently(self.looks(), self.door.call(version, request)).await;
        if self.world().is_loud {
            println!("{} {request:?}\n    {answer:?}", clock::wall_ms());
        }
        let (answer, sum) = answer.ok_or(Over)?;
        self.world().witness(sum);
        Ok(answer)
    }

    /// Whether it went well. A failure of storage, which only a sick disk explains, ends the client.
    pub(crate) fn check(&self, code: ErrorCode) -> Result<bool, Over> {
        if is_failure(code) {
            assert!(self.world().is_sick, "{code:?}, and the disk is well");
            return Err(Over);
        }
        Ok(code == ErrorCode::NONE)
    }

    /// Lets a little of the others, or of the time, go by.
    pub(crate) async fn pause(&self) {
        match self.below(6) {
            0 | 1 => {}
            2 | 3 => {
                for _ in 0..self.below(12) {
                    tokio::task::yield_now().await;
                }
            }
            _ => {
                let pause_ms = self.below(40) as u64 * self.world().tempo_ms;
                self.let_pass(Duration::from_millis(pause_ms)).await;
            }
        }
    }

    /// Lets simulated time go by.
    pub(crate) async fn let_pass(&self, time: Duration) {
        clock::pass(time).await;
    }
}
