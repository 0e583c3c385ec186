//! Who may commit, read and delete the offsets of a classic group, and when they expire.

use super::Group;
use super::state::{ClassicGroup, Now, State};
use crate::offsets::commit::{CommitOffsets, CommitOffsetsError, CommitRules, Committing};
use crate::offsets::delete::{DeleteOffsets, DeleteOffsetsError};
use crate::offsets::expire::{ExpireOffsets, Since};
use crate::offsets::fetch::FetchOffsets;
use crate::offsets::unit::{CommitUnit, commit_unit};
use actix::{Context, Handler};

impl Handler<CommitOffsets> for Group {
    type Result = ();

    fn handle(&mut self, message: CommitOffsets, ctx: &mut Context<Self>) {
        let CommitOffsets { from, offsets, retention, reply } = message;
        let now = Now::read();
        let committed = self.state.check_commit(&from, now).map(|()| {
            let metadata_max = self.state.settings.offset_metadata_max;
            let (outcomes, rows) =
                self.store.offsets.commit(&offsets, CommitRules::new(now.wall_ms, retention, metadata_max));
            self.store.write(rows);
            // So that the group is found by its name after a restart, though it never has members.
            self.state.is_changed |= !self.store.is_stored;
            outcomes
        });
        self.state.answers.send(reply, committed);
        self.settle(ctx);
    }
}

impl Handler<CommitUnit> for Group {
    type Result = ();

    fn handle(&mut self, message: CommitUnit, ctx: &mut Context<Self>) {
        let now = Now::read();
        if let Err(error) = self.state.check_commit(&message.from, now) {
            self.state.answers.send(message.reply, Err(error.into()));
            return self.settle(ctx);
        }
        // Before the offsets: the group is found by its name after a restart.
        self.state.is_changed |= !self.store.is_stored;
        self.settle(ctx);
        let rules = CommitRules::new(now.wall_ms, None, self.state.settings.offset_metadata_max);
        commit_unit(self, message, rules, ctx);
    }
}

impl Handler<FetchOffsets> for Group {
    type Result = ();

    fn handle(&mut self, message: FetchOffsets, ctx: &mut Context<Self>) {
        let partitions = message.partitions.as_deref().map(Vec::as_slice);
        let fetched = self.store.offsets.fetch(partitions);
        self.state.answers.send(message.reply, Ok(fetched));
        self.settle(ctx);
    }
}

impl Handler<DeleteOffsets> for Group {
    type Result = ();

    fn handle(&mut self, message: DeleteOffsets, ctx: &mut Context<Self>) {
        let deleted = self.state.check_delete_offsets().map(|()| {
            let state = &self.state;
            let (outcomes, rows) =
                self.store.offsets.delete(&message.topics, |topic| state.is_subscribed(topic));
            self.store.write(rows);
            outcomes
        });
        self.state.answers.send(message.reply, deleted);
        self.settle(ctx);
    }
}

impl Handler<ExpireOffsets> for Group {
    type Result = ();

    fn handle(&mut self, _message: ExpireOffsets, ctx: &mut Context<Self>) {
        let is_used = self.store.is_used();
        let (state, topics) = (&self.state, self.topics.load());
        let rows = self.store.offsets.expire(
            Now::read().wall_ms,
            state.offsets_expire_since(),
            state.settings.offset_retention,
            |id| topics.get_by_id(id).map(|topic| &*topic.name),
            |topic| state.is_subscribed(topic),
        );
        if !rows.is_empty() {
            tracing::info!(group = %self.store.slot.id, offsets = rows.len(), "committed offsets are forgotten");
        }
        self.store.write(rows);
        if self.state.state() == State::Empty && self.store.offsets.is_empty() {
            self.forget();
        }
        self.settle(ctx);
        self.store.set_used(is_used);
    }
}

impl ClassicGroup {
    /// Whether somebody may commit. A member of a group that prepares a rebalance may still commit
    /// what it has read; one that waits for its assignment may not.
    fn check_commit(&mut self, from: &Committing, now: Now) -> Result<(), CommitOffsetsError> {
        let Committing { member, instance, generation, .. } = from;
        if *generation < 0 && self.state() == State::Empty {
            return Ok(());
        }
        let Some(member) = member else {
            let is_fenced = instance.as_deref().is_some_and(|name| self.members.of_instance(name).is_some());
            return Err(if is_fenced {
                CommitOffsetsError::FencedInstance
            } else {
                CommitOffsetsError::UnknownMember
            });
        };
        self.check_member(member, instance.as_ref())?;
        if *generation != self.generation {
            return Err(CommitOffsetsError::IllegalGeneration);
        }
        match self.state() {
            State::CompletingRebalance => Err(CommitOffsetsError::Rebalancing),
            State::Empty | State::PreparingRebalance | State::Stable => {
                self.hear(member, now);
                Ok(())
            }
        }
    }

    fn check_delete_offsets(&self) -> Result<(), DeleteOffsetsError> {
        let is_consumers = self.protocol_type.as_deref() == Some(super::CONSUMER);
        if self.state() == State::Empty || is_consumers { Ok(()) } else { Err(DeleteOffsetsError::NotEmpty) }
    }

    /// From when on the time of an offset is counted that no member is interested in (KIP-211).
    pub(super) fn offsets_expire_since(&self) -> Since {
        match (self.protocol_type.as_deref(), self.state()) {
            (None, _) => Since::Commit,
            (Some(_), State::Empty) => Since::Moment(self.since_ms()),
            (Some(super::CONSUMER), State::Stable) if self.topics.is_some() => Since::Commit,
            (Some(_), State::Stable | State::PreparingRebalance | State::CompletingRebalance) => Since::Never,
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod trial;
