//! A group of consumers of the classic protocol, as an actor: its members share the partitions of
//! their topics among themselves, and it remembers how far they have read.
//!
//! - [`join`], [`static_join`]: a consumer enters, or stays in through a rebalance
//! - [`sync`]: it asks for its assignment, which the leader brings
//! - [`heartbeat`], [`leave`]: it is alive, or goes
//! - [`mod@offsets`]: who may commit, read and delete offsets
//! - [`describe`], [`delete`]: for people
//! - [`rest`]: nobody needs it in memory
//! - [`state`]: the states; [`rebalance`], [`timers`]: the moves between them; [`members`],
//!   [`member_check`], [`protocol`]: what they look at; [`stored`]: what a restart finds
//!
//! Invariants: no answer leaves before what it rests on is durable; generations only grow; a stable
//! group's assignments are what the leader of that generation sent; who waits for an answer is
//! answered when the member goes, is replaced, or the phase ends.

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
pub mod rest;
pub mod state;
mod static_join;
mod stored;
pub mod sync;
mod timers;
#[cfg(test)]
mod trial;

use crate::broker::topics::Topics;
use crate::committer::Committer;
use crate::committer::scan::Scan;
use crate::config::GroupSettings;
use crate::coordinator::groups::{GroupSlot, Summary};
use crate::durable::{Commits, Committed};
use crate::mail::{Unavailable, ask};
use crate::offsets::Offsets;
use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler};
use arc_swap::ArcSwap;
use callboard_storage::index::Row;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, Table};
use callboard_storage::values::GroupRow;
use state::{ClassicGroup, Now};
use std::sync::Arc;

/// The protocol type of consumers' groups, whose subscriptions the broker can read.
const CONSUMER: &str = "consumer";

/// The actor of a group.
#[derive(Debug)]
pub struct Group {
    slot: Arc<GroupSlot>,
    state: ClassicGroup,
    offsets: Offsets,
    topics: Arc<ArcSwap<Topics>>,
    committer: Addr<Committer>,
    commits: Commits,
    /// Rows that the message in hand changes.
    rows: Vec<Mutation>,
    /// Whether the group has a row.
    is_stored: bool,
    /// Whether anything happened since the last [`rest::Rest`].
    is_used: bool,
}

impl Group {
    /// The group of that slot. It learns its state from the committer when it starts.
    pub fn new(
        slot: Arc<GroupSlot>,
        settings: GroupSettings,
        topics: Arc<ArcSwap<Topics>>,
        committer: Addr<Committer>,
    ) -> Self {
        Self {
            state: ClassicGroup::new(settings, crate::clock::wall_ms()),
            offsets: Offsets::new(slot.id.clone()),
            slot,
            topics,
            commits: Commits::new(committer.clone()),
            committer,
            rows: Vec::new(),
            is_stored: false,
            is_used: true,
        }
    }

    /// The end of each message: what it changed is written, what it came to is answered, and the
    /// clock is set.
    fn settle(&mut self, ctx: &mut Context<Self>) {
        self.is_used = true;
        if std::mem::take(&mut self.state.is_changed) {
            match GroupRow::Classic(self.state.to_row()).encode() {
                Ok(value) => self.put_row(Some(value)),
                Err(error) => {
                    tracing::error!(%error, group = %self.slot.id, "the group cannot be stored");
                    ctx.stop();
                    return;
                }
            }
        }
        let answers = std::mem::take(&mut self.state.answers);
        self.commits.flush(std::mem::take(&mut self.rows), answers, ctx);
        self.state.deadlines.arm(ctx);
        self.slot.summarize(self.summary());
    }

    fn put_row(&mut self, value: Option<Vec<u8>>) {
        self.is_stored = value.is_some();
        self.rows.push(Mutation { table: Table::Groups, key: keys::groups(&self.slot.id), value });
    }

    /// Forgets the offsets and all else; nobody is in the group.
    fn forget(&mut self) {
        self.rows.extend(self.offsets.clear());
        let answers = std::mem::take(&mut self.state.answers);
        self.state = ClassicGroup::new(self.state.settings, crate::clock::wall_ms());
        self.state.answers = answers;
        if self.is_stored {
            self.put_row(None);
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            state: self.state.state(),
            protocol_type: self.state.protocol_type.clone(),
            is_stored: self.is_stored,
        }
    }

    fn adopt(&mut self, rows: &[Vec<Row>]) -> Result<(), callboard_storage::Error> {
        let [groups, offsets] = rows else { return Ok(()) };
        self.offsets = Offsets::load(self.slot.id.clone(), offsets)?;
        // The first is the group's own row.
        if let Some((_, value)) = groups.first() {
            let GroupRow::Classic(row) = GroupRow::decode(value)?;
            self.state = ClassicGroup::from_row(row, self.state.settings, Now::read());
            self.is_stored = true;
        }
        Ok(())
    }
}

impl Actor for Group {
    type Context = Context<Self>;

    /// No message is handled before the state is there.
    fn started(&mut self, ctx: &mut Self::Context) {
        let committer = self.committer.clone();
        let key = keys::groups(&self.slot.id);
        let prefixes = vec![(Table::Groups, key.clone()), (Table::Offsets, key)];
        let rows = async move { ask(&committer, |reply| Scan { prefixes, reply }).await };
        let adopted = wrap_future(rows).map(|rows: Result<_, Unavailable>, group: &mut Self, ctx| {
            let adopted = match rows.and_then(|rows| rows) {
                Ok(rows) => group.adopt(&rows).map_err(|error| {
                    tracing::error!(%error, group = %group.slot.id, "the group cannot be read");
                }),
                Err(Unavailable) => Err(()),
            };
            match adopted {
                Ok(()) => group.settle(ctx),
                Err(()) => ctx.stop(),
            }
        });
        ctx.wait(adopted);
    }
}

impl Handler<Committed> for Group {
    type Result = ();

    fn handle(&mut self, message: Committed, ctx: &mut Context<Self>) {
        if self.commits.committed(message).is_err() {
            // The memory is ahead of the disk. Another actor will begin with what is there.
            ctx.stop();
        }
    }
}
