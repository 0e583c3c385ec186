//! The snapshot of all groups that everybody reads without asking an actor.

use super::actor::GroupActor;
use crate::consumer_group::state::ConsumerState;
use crate::group::state::State;
use crate::names::GroupId;
use arc_swap::{ArcSwap, ArcSwapOption};
use callboard_storage::values::GroupRow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// All groups at one moment. A clone shares what it does not change.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    by_id: imbl::OrdMap<GroupId, Arc<GroupSlot>>,
}

/// A group, and its actor while it runs.
#[derive(Debug)]
pub struct GroupSlot {
    /// The group.
    pub id: GroupId,
    actor: ArcSwapOption<GroupActor>,
    summary: ArcSwap<Summary>,
    /// When its offsets are to be looked at, while its actor does not run.
    look_at_ms: AtomicI64,
}

/// The protocol of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The members assign among themselves.
    Classic,
    /// The broker assigns (KIP-848).
    Consumer,
}

impl Kind {
    /// Kafka's name of the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
        }
    }
}

/// The state of a group of any protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// One whose members assign among themselves.
    Classic(State),
    /// One that the broker assigns to.
    Consumer(ConsumerState),
}

impl GroupState {
    /// Kafka's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classic(state) => state.name(),
            Self::Consumer(state) => state.name(),
        }
    }

    /// Whether the group has no members.
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Classic(State::Empty) | Self::Consumer(ConsumerState::Empty))
    }
}

/// What lists of groups say of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its protocol.
    pub kind: Kind,
    /// Its state.
    pub state: GroupState,
    /// What its members are; none when it never had any.
    pub protocol_type: Option<String>,
    /// Whether a restart would find it.
    pub is_stored: bool,
}

impl Summary {
    /// What a group is that has nothing yet.
    pub(crate) fn new(kind: Kind) -> Self {
        let state = match kind {
            Kind::Classic => GroupState::Classic(State::Empty),
            Kind::Consumer => GroupState::Consumer(ConsumerState::Empty),
        };
        Self { kind, state, protocol_type: None, is_stored: false }
    }

    /// What a stored group is, before it is read whole.
    pub(crate) fn of(row: &GroupRow) -> Self {
        match row {
            GroupRow::Classic(row) => Self {
                kind: Kind::Classic,
                state: GroupState::Classic(row.phase.into()),
                protocol_type: row.protocol_type.clone(),
                is_stored: true,
            },
            GroupRow::Consumer(row) => Self {
                kind: Kind::Consumer,
                state: GroupState::Consumer(if row.has_members {
                    ConsumerState::Stable
                } else {
                    ConsumerState::Empty
                }),
                protocol_type: Some(crate::group::CONSUMER.to_owned()),
                is_stored: true,
            },
        }
    }
}

impl GroupSlot {
    /// A group whose actor does not run.
    pub fn new(id: GroupId, summary: Summary) -> Self {
        Self {
            id,
            actor: ArcSwapOption::empty(),
            summary: ArcSwap::from_pointee(summary),
            look_at_ms: AtomicI64::new(0),
        }
    }

    /// The group's actor, when it lives.
    pub fn actor(&self) -> Option<GroupActor> {
        self.actor.load().as_deref().filter(|actor| actor.is_alive()).cloned()
    }

    /// What lists say of the group.
    pub fn summary(&self) -> Arc<Summary> {
        self.summary.load_full()
    }

    /// Whether there is such a group for clients: it was stored, or somebody is in it.
    pub fn exists(&self) -> bool {
        let summary = self.summary.load();
        summary.is_stored || !summary.state.is_empty()
    }

    /// Says when the offsets of a group that does not run are to be looked at, in milliseconds since
    /// 1970.
    pub(crate) fn look_at(&self, at_ms: i64) {
        self.look_at_ms.store(at_ms, Ordering::Relaxed);
    }

    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        self.actor().is_some() || self.look_at_ms.load(Ordering::Relaxed) <= now_ms
    }

    pub(super) fn set_actor(&self, actor: GroupActor) {
        self.actor.store(Some(Arc::new(actor)));
    }

    /// Says that the actor handles no more messages: what it was sent is sent again, to the one that
    /// follows. Only the actor does so, and ends.
    pub(crate) fn retire(&self) {
        self.actor.store(None);
    }

    /// Lets the group's next actor be of the kind that the group is now. Only the group's actor does
    /// so, and retires.
    pub(crate) fn give_way(&self, next: Summary) {
        self.summarize(Arc::new(next));
        self.retire();
    }

    /// Says what the group is now.
    pub(crate) fn summarize(&self, summary: Arc<Summary>) {
        if *self.summary.load() != summary {
            self.summary.store(summary);
        }
    }
}

impl Groups {
    /// The group with that name.
    pub fn get(&self, id: &str) -> Option<&Arc<GroupSlot>> {
        self.by_id.get(id)
    }

    /// Whether clients find a group of that name.
    pub fn exists(&self, id: &str) -> bool {
        self.get(id).is_some_and(|slot| slot.exists())
    }

    /// All groups, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<GroupSlot>> {
        self.by_id.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn put(&mut self, slot: Arc<GroupSlot>) {
        self.by_id.insert(slot.id.clone(), slot);
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }
}
