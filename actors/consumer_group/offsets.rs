//! Who may commit, read and delete the offsets of a group that the broker assigns to, and when they expire.

use super::ConsumerGroup;
use super::member::Member;
use super::state::{ConsumerGroupState, ConsumerState};
use crate::group::state::Now;
use crate::names::MemberId;
use crate::offsets::commit::{CommitOffsets, CommitOffsetsError, CommitRules, Committing, Epochs, NewOffset};
use crate::offsets::delete::DeleteOffsets;
use crate::offsets::expire::{ExpireOffsets, Since};
use crate::offsets::fetch::{FetchOffsets, FetchOffsetsError, Fetching};
use crate::offsets::unit::{CommitUnit, commit_unit};
use actix::{Context, Handler};

impl Handler<CommitOffsets> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: CommitOffsets, ctx: &mut Context<Self>) {
        let CommitOffsets { from, offsets, retention, reply } = message;
        let metadata_max = self.state.settings.offset_metadata_max;
        let committed = self.state.check_commit(&from, &offsets, metadata_max).map(|()| {
            let rules = CommitRules::new(Now::read().wall_ms, retention, metadata_max);
            let (outcomes, rows) = self.store.offsets.commit(&offsets, rules);
            self.store.write(rows);
            self.state.changes.group |= !self.store.is_stored;
            outcomes
        });
        self.state.answers.send(reply, committed);
        self.settle(ctx);
    }
}

impl Handler<CommitUnit> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: CommitUnit, ctx: &mut Context<Self>) {
        let metadata_max = self.state.settings.offset_metadata_max;
        if let Err(error) = self.state.check_commit(&message.from, &message.offsets, metadata_max) {
            self.state.answers.send(message.reply, Err(error.into()));
            return self.settle(ctx);
        }
        // Before the offsets: the group is found by its name after a restart.
        self.state.changes.group |= !self.store.is_stored;
        self.settle(ctx);
        commit_unit(self, message, CommitRules::new(Now::read().wall_ms, None, metadata_max), ctx);
    }
}

impl Handler<FetchOffsets> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: FetchOffsets, ctx: &mut Context<Self>) {
        let partitions = message.partitions.as_deref().map(Vec::as_slice);
        let fetched = self.state.check_fetch(&message.from).map(|()| self.store.offsets.fetch(partitions));
        self.state.answers.send(message.reply, fetched);
        self.settle(ctx);
    }
}

impl Handler<DeleteOffsets> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: DeleteOffsets, ctx: &mut Context<Self>) {
        let state = &self.state;
        let (outcomes, rows) = self.store.offsets.delete(&message.topics, |topic| state.is_subscribed(topic));
        self.store.write(rows);
        self.state.answers.send(message.reply, Ok(outcomes));
        self.settle(ctx);
    }
}

impl Handler<ExpireOffsets> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, _message: ExpireOffsets, ctx: &mut Context<Self>) {
        let is_used = self.store.is_used();
        let (state, topics) = (&self.state, self.topics.load());
        let rows = self.store.offsets.expire(
            Now::read().wall_ms,
            Since::Commit,
            state.settings.offset_retention,
            |id| topics.get_by_id(id).map(|topic| &*topic.name),
            |topic| state.is_subscribed(topic),
        );
        self.store.write(rows);
        if self.state.state() == ConsumerState::Empty && self.store.offsets.is_empty() {
            self.forget();
        }
        self.settle(ctx);
        self.store.set_used(is_used);
    }
}

impl ConsumerGroupState {
    /// Whether somebody may commit. A member may commit in an older epoch too, for partitions that it
    /// has had since then (KIP-1251); one that it may not commit for fails all.
    fn check_commit(
        &self,
        from: &Committing,
        offsets: &[NewOffset],
        metadata_max: usize,
    ) -> Result<(), CommitOffsetsError> {
        if from.generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        let member = self.known(from.member.as_ref()).ok_or(CommitOffsetsError::UnknownMember)?;
        if from.epochs == Epochs::Unknown && member.classic.is_none() {
            return Err(CommitOffsetsError::NeedsEpochs);
        }
        if from.generation == member.epoch {
            return Ok(());
        }
        let is_of_then = |new: &&NewOffset| {
            let (topic, partition) = new.partition;
            let owned = [&member.assigned, &member.revoking];
            let mut since = owned.iter().filter_map(|owned| owned.get(&topic)?.get(&partition));
            since.next().is_some_and(|since| from.generation >= *since)
        };
        let mut counted = offsets.iter().filter(|new| new.metadata.encode_utf16().count() <= metadata_max);
        let is_good = from.generation < member.epoch && counted.all(|new| is_of_then(&new));
        match &member.classic {
            _ if is_good => Ok(()),
            Some(_) => Err(CommitOffsetsError::IllegalGeneration),
            None => Err(CommitOffsetsError::StaleEpoch),
        }
    }

    fn check_fetch(&self, from: &Fetching) -> Result<(), FetchOffsetsError> {
        let Fetching { member, epoch } = from;
        if member.is_none() && *epoch < 0 {
            return Ok(());
        }
        let known = self.known(member.as_ref()).ok_or(FetchOffsetsError::UnknownMember)?;
        match &known.classic {
            _ if known.epoch == *epoch => Ok(()),
            Some(_) => Err(FetchOffsetsError::IllegalGeneration),
            None => Err(FetchOffsetsError::StaleEpoch),
        }
    }

    fn known(&self, id: Option<&MemberId>) -> Option<&Member> {
        self.members.get(id?)
    }
}
