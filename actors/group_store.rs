//! What groups of both protocols keep: committed offsets, rows of their own, and answers that wait
//! until these are durable.

use crate::committer::Committer;
use crate::committer::scan::Scan;
use crate::coordinator::Coordinator;
use crate::coordinator::groups::{GroupSlot, Summary};
use crate::coordinator::locate::{Locate, Missing};
use crate::durable::{Answers, Commits, Committed};
use crate::mail::{Unavailable, ask, post};
use crate::offsets::Offsets;
use crate::offsets::expire::Since;
use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, WeakAddr};
use callboard_storage::index::Row;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, Table};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// The storage of one group, as its actor has it.
#[derive(Debug)]
pub(crate) struct GroupStore {
    pub(crate) slot: Arc<GroupSlot>,
    pub(crate) offsets: Offsets,
    coordinator: WeakAddr<Coordinator>,
    commits: Commits,
    /// Rows that the message in hand changes.
    rows: Vec<Mutation>,
    /// Whether the group has a row of its own.
    pub(crate) is_stored: bool,
    /// Whether anything happened since the last look.
    is_used: bool,
    /// What lists say of the group once all is durable.
    summary: Option<Arc<Summary>>,
}

/// A group's rows when its actor starts: its own with those of its members, and its offsets.
pub(crate) struct Loaded {
    pub(crate) group: Vec<Row>,
    pub(crate) offsets: Vec<Row>,
}

/// A group's actor, of either protocol, as far as what it keeps is concerned.
pub(crate) trait Stored: Actor<Context = Context<Self>> {
    fn store(&self) -> &GroupStore;

    fn store_mut(&mut self) -> &mut GroupStore;

    /// Takes what storage has of the group.
    fn adopt(&mut self, loaded: &Loaded) -> Result<(), callboard_storage::Error>;

    /// The group is as storage had it.
    fn begun(&mut self, ctx: &mut Context<Self>);
}

/// Begins with what storage has. No message is handled before that is there.
pub(crate) fn begin<G: Stored>(group: &mut G, ctx: &mut Context<G>) {
    let adopted = wrap_future(group.store().load()).map(|loaded, group: &mut G, ctx| {
        let adopted = loaded.and_then(|loaded: Loaded| {
            group.adopt(&loaded).map_err(|error| {
                tracing::error!(%error, group = %group.store().slot.id, "the group cannot be read");
                Unavailable
            })
        });
        match adopted {
            Ok(()) => group.begun(ctx),
            Err(Unavailable) => ctx.stop(),
        }
    });
    ctx.wait(adopted);
}

/// Ends a group's actor in favour of one that is of the kind that `next` says, once all is durable
/// that it wrote. Until then no other message is handled; whoever has sent one asks again, and so
/// does who waits for `in_hand`.
pub(crate) fn hand_over<G: Stored>(
    group: &mut G,
    next: Summary,
    answers: Answers,
    in_hand: impl Send + 'static,
    ctx: &mut Context<G>,
) {
    let store = group.store_mut();
    let durable = store.commits.flush_last(std::mem::take(&mut store.rows));
    ctx.wait(wrap_future(durable).map(move |outcome, group: &mut G, ctx| {
        let store = group.store_mut();
        // What was sent before says what the group was; what it is now comes behind it.
        store.commits.release(outcome);
        match outcome {
            Ok(()) => store.slot.give_way(next),
            Err(Unavailable) => store.slot.retire(),
        }
        answers.release(outcome);
        store.start_next();
        drop(in_hand);
        ctx.stop();
    }));
}

/// Storage has members of a group of the other kind; they must not be lost.
pub(crate) fn other_kind() -> callboard_storage::Error {
    callboard_storage::Error::Value { table: Table::Groups.name() }
}

impl GroupStore {
    pub(crate) fn new(
        slot: Arc<GroupSlot>,
        committer: Addr<Committer>,
        coordinator: WeakAddr<Coordinator>,
    ) -> Self {
        Self {
            offsets: Offsets::new(slot.id.clone()),
            slot,
            commits: Commits::new(committer),
            coordinator,
            rows: Vec::new(),
            is_stored: false,
            is_used: true,
            summary: None,
        }
    }

    /// Who commits.
    pub(crate) fn committer(&self) -> &Addr<Committer> {
        self.commits.committer()
    }

    /// Starts the actor that follows: a group with members runs, though nobody asks for it.
    fn start_next(&self) {
        let Some(coordinator) = self.coordinator.upgrade() else { return };
        let (reply, _) = oneshot::channel();
        let locate = Locate { group: self.slot.id.clone(), missing: Missing::Refuse, reply };
        // Without a coordinator the broker is stopping.
        let _ = post(&coordinator, locate);
    }

    /// The rows of the group, behind all that an actor of it wrote before.
    fn load(&self) -> impl Future<Output = Result<Loaded, Unavailable>> + use<> {
        let committer = self.commits.committer().clone();
        let key = keys::groups(&self.slot.id);
        let prefixes = vec![(Table::Groups, key.clone()), (Table::Offsets, key)];
        async move {
            let mut rows = ask(&committer, |reply| Scan { prefixes, reply }).await??.into_iter();
            let mut next = || rows.next().unwrap_or_default();
            Ok(Loaded { group: next(), offsets: next() })
        }
    }

    /// Begins with the offsets that storage has.
    pub(crate) fn adopt(&mut self, offsets: &[Row]) -> Result<(), callboard_storage::Error> {
        self.offsets = Offsets::load(self.slot.id.clone(), offsets)?;
        Ok(())
    }

    /// Rows that are to be durable before the answers of this message leave.
    pub(crate) fn write(&mut self, rows: Vec<Mutation>) {
        self.rows.extend(rows);
    }

    /// Writes the group's own row, or deletes it.
    pub(crate) fn put(&mut self, value: Option<Vec<u8>>) {
        self.is_stored = value.is_some();
        self.rows.push(Mutation { table: Table::Groups, key: keys::groups(&self.slot.id), value });
    }

    /// Writes the row of a member, or deletes it.
    pub(crate) fn put_member(&mut self, member: &str, value: Option<Vec<u8>>) {
        self.rows.push(Mutation { table: Table::Groups, key: keys::members(&self.slot.id, member), value });
    }

    /// Forgets the offsets and the group's own row.
    pub(crate) fn forget(&mut self) {
        self.rows.extend(self.offsets.clear());
        if self.is_stored {
            self.put(None);
        }
    }

    /// Says what lists are to say of the group when that is durable what they say, and before who
    /// changed it is answered.
    pub(crate) fn summarize(&mut self, summary: Summary, answers: &mut Answers) {
        if self.summary.as_deref() != Some(&summary) {
            let (slot, summary) = (Arc::clone(&self.slot), Arc::new(summary));
            self.summary = Some(Arc::clone(&summary));
            answers.precede(move || slot.summarize(summary));
        }
    }

    /// Whether anything happened since the last look.
    pub(crate) fn is_used(&self) -> bool {
        self.is_used
    }

    /// Takes back that a look at the group was a use of it.
    pub(crate) fn set_used(&mut self, is_used: bool) {
        self.is_used = is_used;
    }

    /// The end of a message: its rows are committed, and its answers leave when they are durable.
    pub(crate) fn flush<A>(&mut self, answers: Answers, ctx: &mut Context<A>)
    where
        A: Actor<Context = Context<A>> + Handler<Committed>,
    {
        self.is_used = true;
        self.commits.flush(std::mem::take(&mut self.rows), answers, ctx);
    }

    /// Lets the answers leave that waited for a commit.
    ///
    /// # Errors
    /// [`Unavailable`] when it is lost: the actor must end, because its memory is ahead of the disk.
    pub(crate) fn committed(&mut self, committed: Committed) -> Result<(), Unavailable> {
        self.commits.committed(committed)
    }

    /// Says when the offsets are to be looked at while the group is put away, which it is now. One
    /// without offsets is forgotten at the next look.
    pub(crate) fn rest(&self, since: Since, retention: Duration) {
        let next = self.offsets.next_expiry_ms(since, retention).unwrap_or(i64::MAX);
        self.slot.look_at(if self.offsets.is_empty() { 0 } else { next });
        self.slot.retire();
    }

    /// Whether nothing is on its way to the disk.
    pub(crate) fn is_idle(&self) -> bool {
        self.commits.is_idle()
    }

    /// Whether nothing has happened since this was asked last.
    pub(crate) fn is_unused(&mut self) -> bool {
        !std::mem::take(&mut self.is_used) && self.is_idle()
    }
}
