//! The snapshot of all groups that everybody reads without asking an actor.

use crate::group::Group;
use crate::group::state::State;
use crate::names::GroupId;
use actix::Addr;
use arc_swap::{ArcSwap, ArcSwapOption};
use callboard_storage::values::ClassicGroupRow;
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
    actor: ArcSwapOption<Addr<Group>>,
    summary: ArcSwap<Summary>,
    /// When its offsets are to be looked at, while its actor does not run.
    look_at_ms: AtomicI64,
}

/// What lists of groups say of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its state.
    pub state: State,
    /// What its members are; none when it never had any.
    pub protocol_type: Option<String>,
    /// Whether a restart would find it.
    pub is_stored: bool,
}

impl Summary {
    /// What a stored group is.
    pub(crate) fn of(row: &ClassicGroupRow) -> Self {
        Self { state: row.phase.into(), protocol_type: row.protocol_type.clone(), is_stored: true }
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
    pub fn actor(&self) -> Option<Addr<Group>> {
        self.actor.load().as_deref().filter(|actor| actor.connected()).cloned()
    }

    /// What lists say of the group.
    pub fn summary(&self) -> Arc<Summary> {
        self.summary.load_full()
    }

    /// Whether there is such a group for clients: it was stored, or somebody is in it.
    pub fn exists(&self) -> bool {
        let summary = self.summary.load();
        summary.is_stored || summary.state != State::Empty
    }

    /// Says when the offsets of a group that does not run are to be looked at, in milliseconds since
    /// 1970.
    pub(crate) fn look_at(&self, at_ms: i64) {
        self.look_at_ms.store(at_ms, Ordering::Relaxed);
    }

    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        self.actor().is_some() || self.look_at_ms.load(Ordering::Relaxed) <= now_ms
    }

    pub(super) fn set_actor(&self, actor: Addr<Group>) {
        self.actor.store(Some(Arc::new(actor)));
    }

    /// Says what the group is now.
    pub(crate) fn summarize(&self, summary: Summary) {
        if **self.summary.load() != summary {
            self.summary.store(Arc::new(summary));
        }
    }
}

impl Groups {
    /// The group with that name.
    pub fn get(&self, id: &str) -> Option<&Arc<GroupSlot>> {
        self.by_id.get(id)
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
