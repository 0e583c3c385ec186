//! A group of consumers that the broker assigns to (KIP-848), as an actor: its members say what they
//! want and have, with each heartbeat, and are told what they are to have.
//!
//! - [`heartbeat`], [`admission`]: a member enters and lives; who is heard
//! - [`leave`]: it goes, for good or for a while
//! - [`subscription`], [`patterns`], [`re2`]: what the members want, and the assignment that follows
//! - [`assignors`]: how partitions are shared
//! - [`reconcile`]: how a member comes to its assignment
//! - [`mod@offsets`]: who may commit, read and delete offsets
//! - [`describe`], [`delete`]: for people
//! - [`classic_join`], [`classic`]: members of the classic protocol; [`upgrade`], [`downgrade`]: how a
//!   classic group becomes one of these, and the other way
//! - [`state`], [`member`], [`timers`], [`stored`]: the data, its deadlines, and what a restart finds
//!
//! Invariants: no answer leaves before what it rests on is durable; a partition has one owner, and
//! has none in between only when its owner has said that it gave it up, or is out; no epoch goes
//! back while the group exists. Who is left in a classic group has what it was to have.

mod admission;
mod assignors;
mod classic;
mod classic_join;
pub mod delete;
pub mod describe;
mod downgrade;
pub mod heartbeat;
pub mod leave;
mod member;
mod offsets;
pub mod patterns;
mod re2;
mod reconcile;
pub mod state;
mod stored;
#[cfg(test)]
mod stored_rows;
mod subscription;
mod timers;
#[cfg(test)]
mod trial;
pub(crate) mod upgrade;

use crate::broker::topics::Topics;
use crate::committer::Committer;
use crate::config::Settings;
use crate::coordinator::Coordinator;
use crate::coordinator::groups::{GroupSlot, GroupState, Kind, Summary};
use crate::durable::Committed;
use crate::group::state::Now;
use crate::group_store::{self, GroupStore, Loaded, Stored};
use crate::names::MemberId;
use actix::{Actor, ActorContext, Addr, Context, Handler, WeakAddr};
use arc_swap::ArcSwap;
use callboard_storage::keys;
use callboard_storage::values::{ConsumerMemberRow, GroupRow};
use patterns::Scope;
use state::{Changes, ConsumerGroupState};
use std::sync::Arc;

/// The actor of a group that the broker assigns to.
#[derive(Debug)]
pub struct ConsumerGroup {
    state: ConsumerGroupState,
    store: GroupStore,
    topics: Arc<ArcSwap<Topics>>,
    settings: Arc<ArcSwap<Settings>>,
}

impl ConsumerGroup {
    /// The group of that slot. It learns its state from the committer when it starts.
    pub fn new(
        slot: Arc<GroupSlot>,
        settings: Arc<ArcSwap<Settings>>,
        topics: Arc<ArcSwap<Topics>>,
        committer: Addr<Committer>,
        coordinator: WeakAddr<Coordinator>,
    ) -> Self {
        let state = ConsumerGroupState::new(settings.load().group(&slot.id));
        Self { state, store: GroupStore::new(slot, committer, coordinator), topics, settings }
    }

    /// The end of each message: what it changed is written, what it came to is answered, and the
    /// clock is set.
    fn settle(&mut self, ctx: &mut Context<Self>) {
        if let Some(downgrade) = self.state.downgrade.take() {
            self.become_classic(downgrade, ctx);
            return;
        }
        if let Err(error) = self.write_changes() {
            tracing::error!(%error, group = %self.store.slot.id, "the group cannot be stored");
            ctx.stop();
            return;
        }
        let answers = std::mem::take(&mut self.state.answers);
        self.store.flush(answers, ctx);
        self.state.deadlines.arm(ctx);
    }

    /// They may have been changed, for the group or for all.
    fn refresh_settings(&mut self) {
        self.state.settings = self.settings.load().group(&self.store.slot.id);
    }

    fn write_changes(&mut self) -> Result<(), callboard_storage::Error> {
        let Changes { group, members } = std::mem::take(&mut self.state.changes);
        if !group && members.is_empty() {
            return Ok(());
        }
        // Members come and go with their group's row, which says whether there are any.
        self.store.put(Some(GroupRow::Consumer(self.state.to_row()).encode()?));
        self.summarize();
        for id in members {
            let row = self.state.members.get(&id).map(ConsumerMemberRow::from);
            self.store.put_member(&id, row.map(|row| row.encode()).transpose()?);
        }
        Ok(())
    }

    /// Forgets the offsets and all else; nobody is in the group.
    fn forget(&mut self) {
        self.store.forget();
        let new = ConsumerGroupState::new(Arc::clone(&self.state.settings));
        let old = std::mem::replace(&mut self.state, new);
        (self.state.answers, self.state.deadlines) = (old.answers, old.deadlines.cleared());
        self.summarize();
    }

    fn summarize(&mut self) {
        let summary = Summary {
            kind: Kind::Consumer,
            state: GroupState::Consumer(self.state.state()),
            protocol_type: Some(crate::group::CONSUMER.to_owned()),
            is_stored: self.store.is_stored,
        };
        self.store.summarize(summary, &mut self.state.answers);
    }
}

impl Stored for ConsumerGroup {
    fn store(&self) -> &GroupStore {
        &self.store
    }

    fn store_mut(&mut self) -> &mut GroupStore {
        &mut self.store
    }

    fn adopt(&mut self, loaded: &Loaded) -> Result<(), callboard_storage::Error> {
        self.store.adopt(&loaded.offsets)?;
        for (key, value) in &loaded.group {
            match keys::read_groups(key) {
                Some((_, Some(member))) => {
                    let id = MemberId::from(member);
                    self.state.restore_member(&id, ConsumerMemberRow::decode_any(value)?, Now::read());
                }
                Some((_, None)) => {
                    self.store.is_stored = true;
                    match GroupRow::decode(value)? {
                        GroupRow::Consumer(row) => self.state.restore(&row),
                        GroupRow::Classic(row) if !row.members.is_empty() => {
                            return Err(group_store::other_kind());
                        }
                        // Nobody is in it, and its offsets are kept.
                        GroupRow::Classic(_) => {}
                    }
                }
                None => {}
            }
        }
        self.state.changes = Changes::default();
        // What the members read is known before they speak.
        self.state.patterns.resolve(&self.topics.load(), Scope::All);
        self.summarize();
        Ok(())
    }

    fn begun(&mut self, ctx: &mut Context<Self>) {
        self.settle(ctx);
    }
}

impl Actor for ConsumerGroup {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        group_store::begin(self, ctx);
    }
}

impl Handler<Committed> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: Committed, ctx: &mut Context<Self>) {
        if self.store.committed(message).is_err() {
            // Another actor will begin with what is on the disk.
            ctx.stop();
        }
    }
}
