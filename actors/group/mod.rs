//! A group of consumers of the classic protocol, as an actor: its members share the partitions of
//! their topics among themselves, and it remembers how far they have read.
//!
//! - [`join`], [`static_join`]: a consumer enters, or stays in through a rebalance
//! - [`sync`]: it asks for its assignment, which the leader brings
//! - [`heartbeat`], [`leave`]: it is alive, or goes
//! - [`mod@offsets`]: who may commit, read and delete offsets
//! - [`describe`], [`delete`]: for people
//! - [`rest`], [`convert`]: it is put away, or becomes one of the other protocol
//! - [`state`]: the states; [`rebalance`], [`timers`]: the moves between them; [`members`],
//!   [`member_check`], [`protocol`]: what they look at; [`stored`]: what a restart finds
//!
//! Invariants: no answer leaves before what it rests on is durable; generations only grow; a stable
//! group's assignments are what the leader of that generation sent; who waits for an answer is
//! answered when the member goes, is replaced, or the phase ends.

mod convert;
pub mod delete;
pub mod describe;
pub mod heartbeat;
pub mod join;
pub mod leave;
pub mod member_check;
pub mod members;
mod offsets;
mod protocol;
mod rebalance;
mod rest;
#[cfg(test)]
mod simulation;
pub mod state;
mod static_join;
mod stored;
pub mod sync;
mod timers;
#[cfg(test)]
mod trial;

use crate::broker::topics::Topics;
use crate::committer::Committer;
use crate::config::GroupSettings;
use crate::coordinator::Coordinator;
use crate::coordinator::groups::{GroupSlot, GroupState, Kind, Summary};
use crate::durable::Committed;
use crate::group_store::{self, GroupStore, Loaded, Stored};
use actix::{Actor, ActorContext, Addr, Context, Handler, WeakAddr};
use arc_swap::ArcSwap;
use callboard_storage::values::GroupRow;
use state::{ClassicGroup, Now};
use std::sync::Arc;

/// The protocol type of consumers' groups, whose subscriptions the broker can read.
pub(crate) const CONSUMER: &str = "consumer";

/// The actor of a group.
#[derive(Debug)]
pub struct Group {
    state: ClassicGroup,
    store: GroupStore,
    topics: Arc<ArcSwap<Topics>>,
}

impl Group {
    /// The group of that slot. It learns its state from the committer when it starts.
    pub fn new(
        slot: Arc<GroupSlot>,
        settings: Arc<GroupSettings>,
        topics: Arc<ArcSwap<Topics>>,
        committer: Addr<Committer>,
        coordinator: WeakAddr<Coordinator>,
    ) -> Self {
        let state = ClassicGroup::new(settings, crate::clock::wall_ms());
        Self { state, store: GroupStore::new(slot, committer, coordinator), topics }
    }

    /// The end of each message: what it changed is written, what it came to is answered, and the
    /// clock is set.
    fn settle(&mut self, ctx: &mut Context<Self>) {
        if std::mem::take(&mut self.state.is_changed) {
            match GroupRow::Classic(self.state.to_row()).encode() {
                Ok(value) => self.store.put(Some(value)),
                Err(error) => {
                    tracing::error!(%error, group = %self.store.slot.id, "the group cannot be stored");
                    ctx.stop();
                    return;
                }
            }
        }
        let mut answers = std::mem::take(&mut self.state.answers);
        self.store.summarize(self.summary(), &mut answers);
        self.store.flush(answers, ctx);
        self.state.deadlines.arm(ctx);
    }

    /// Forgets the offsets and all else; nobody is in the group.
    fn forget(&mut self) {
        self.store.forget();
        let new = ClassicGroup::new(Arc::clone(&self.state.settings), crate::clock::wall_ms());
        let old = std::mem::replace(&mut self.state, new);
        (self.state.answers, self.state.deadlines) = (old.answers, old.deadlines.cleared());
    }

    fn summary(&self) -> Summary {
        Summary {
            kind: Kind::Classic,
            state: GroupState::Classic(self.state.state()),
            protocol_type: self.state.protocol_type.clone(),
            is_stored: self.store.is_stored,
        }
    }
}

impl Stored for Group {
    fn store(&self) -> &GroupStore {
        &self.store
    }

    fn store_mut(&mut self) -> &mut GroupStore {
        &mut self.store
    }

    fn adopt(&mut self, loaded: &Loaded) -> Result<(), callboard_storage::Error> {
        self.store.adopt(&loaded.offsets)?;
        // The first is the group's own row.
        let Some((_, value)) = loaded.group.first() else { return Ok(()) };
        self.store.is_stored = true;
        match GroupRow::decode(value)? {
            GroupRow::Classic(row) => {
                self.state = ClassicGroup::from_row(row, Arc::clone(&self.state.settings), Now::read());
            }
            GroupRow::Consumer(row) if row.has_members => return Err(group_store::other_kind()),
            // It was one of the other protocol; nobody is in it, and its offsets are kept.
            GroupRow::Consumer(_) => {}
        }
        Ok(())
    }

    fn begun(&mut self, ctx: &mut Context<Self>) {
        self.settle(ctx);
    }
}

impl Actor for Group {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        group_store::begin(self, ctx);
    }
}

impl Handler<Committed> for Group {
    type Result = ();

    fn handle(&mut self, message: Committed, ctx: &mut Context<Self>) {
        if self.store.committed(message).is_err() {
            // Another actor will begin with what is on the disk.
            ctx.stop();
        }
    }
}
