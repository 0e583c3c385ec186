//! The state of a classic group, and the moves between its states.
//!
//! ```text
//! Empty ─ a member joins → PreparingRebalance ─ all have joined → CompletingRebalance
//!   ↑                        │     ↑       ↑                              │
//!   └─ nobody has joined ────┘     │       └─ somebody comes or goes ─────┤
//!                                  │                                      ↓
//!                                  └─ somebody comes or goes ─ Stable ← the leader assigns
//! ```
//!
//! It is plain data with rules, each in the file of its message; time comes in with the message.
//! Answers gather in `answers`, and `is_changed` says that the group's row is to be written.

use super::members::Members;
use crate::config::GroupSettings;
use crate::deadlines::Deadlines;
use crate::durable::Answers;
use crate::names::MemberId;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The state of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has no members.
    Empty,
    /// Its members are to join again.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// All have their assignments.
    Stable,
}

impl State {
    /// Kafka's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a deadline of a group is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// A member's next sign of life, or the return of somebody who was given an id.
    Session(MemberId),
    /// The members' joining.
    Join,
    /// The members' asking for their assignments.
    Sync,
}

/// The time of a message, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// For what is stored, in milliseconds since 1970.
    pub wall_ms: i64,
}

impl Now {
    /// This moment.
    pub fn read() -> Self {
        Self { instant: crate::clock::now(), wall_ms: crate::clock::wall_ms() }
    }
}

/// A join phase that an empty group has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Initial {
    /// Somebody has come since the last look: the group waits once more.
    pub(super) has_grown: bool,
    /// How much longer it may wait.
    pub(super) left: Duration,
}

/// A group of the classic protocol.
#[derive(Debug)]
pub struct ClassicGroup {
    pub(super) settings: Arc<GroupSettings>,
    state: State,
    /// When the group came into its state, in milliseconds since 1970.
    since_ms: i64,
    pub(super) generation: i32,
    pub(super) protocol_type: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) leader: Option<MemberId>,
    pub(super) members: Members,
    /// Ids that were given to who has not come back with them yet, the oldest first.
    pub(super) pending: VecDeque<MemberId>,
    /// Members that have not asked for their assignments in this generation.
    pub(super) unsynced: BTreeSet<MemberId>,
    /// The topics that the members read, sorted; `None` when nobody can tell.
    pub(super) topics: Option<Box<[String]>>,
    /// While [`State::PreparingRebalance`] was entered from [`State::Empty`].
    pub(super) initial: Option<Initial>,
    pub(super) deadlines: Deadlines<Timer>,
    pub(super) answers: Answers,
    pub(super) is_changed: bool,
}

impl ClassicGroup {
    /// A group that has nothing yet.
    pub fn new(settings: Arc<GroupSettings>, now_ms: i64) -> Self {
        Self::in_state(settings, State::Empty, now_ms)
    }

    pub(super) fn in_state(settings: Arc<GroupSettings>, state: State, since_ms: i64) -> Self {
        Self {
            settings,
            state,
            since_ms,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: Members::default(),
            pending: VecDeque::new(),
            unsynced: BTreeSet::new(),
            topics: None,
            initial: None,
            deadlines: Deadlines::default(),
            answers: Answers::default(),
            is_changed: false,
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// When the group came into its state, in milliseconds since 1970.
    pub fn since_ms(&self) -> i64 {
        self.since_ms
    }

    pub(super) fn enter(&mut self, state: State, now: Now) {
        self.state = state;
        self.since_ms = now.wall_ms;
    }

    /// Gives a member its whole session timeout from now on.
    pub(super) fn hear(&mut self, id: &MemberId, now: Now) {
        if let Some(member) = self.members.get(id) {
            self.deadlines.set(Timer::Session(id.clone()), now.instant + member.session_timeout);
        }
    }

    /// Whether members of a topic's readers may be here. While nobody can tell, all topics count as
    /// read by consumers.
    pub(super) fn is_subscribed(&self, topic: &str) -> bool {
        match &self.topics {
            Some(topics) => topics.binary_search_by(|known| known.as_str().cmp(topic)).is_ok(),
            None => self.protocol_type.as_deref() == Some(super::CONSUMER),
        }
    }
}
