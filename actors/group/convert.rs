//! What members of the other protocol (KIP-848) are told here. The first of them makes the group one that the
//! broker assigns to, together with the members that it has.

use super::Group;
use super::describe::DescribeError;
use super::join::{JoinError, JoinRefused};
use super::state::State;
use super::sync::SyncError;
use crate::consumer_group::describe::ConsumerDescribe;
use crate::consumer_group::heartbeat::{Beat, BeatError, ConsumerHeartbeat};
use crate::consumer_group::leave::ConsumerLeave;
use crate::consumer_group::state::ConsumerGroupState;
use crate::coordinator::groups::{Kind, Summary};
use crate::group_store;
use crate::mail::Unavailable;
use actix::{Context, Handler};
use callboard_storage::values::{ConsumerMemberRow, GroupRow};
use std::sync::Arc;

impl Handler<ConsumerHeartbeat> for Group {
    type Result = ();

    fn handle(&mut self, message: ConsumerHeartbeat, ctx: &mut Context<Self>) {
        let next = if message.beat.epoch != 0 {
            Err(self.other_kind())
        } else if self.state.state() == State::Empty {
            Ok(Summary { is_stored: self.store.is_stored, ..Summary::new(Kind::Consumer) })
        } else {
            self.upgrade(&message.beat)
        };
        match next {
            Ok(next) => {
                let answers = std::mem::take(&mut self.state.answers);
                group_store::hand_over(self, next, answers, message.reply, ctx);
            }
            Err(error) => {
                self.state.answers.send(message.reply, Err(error));
                self.settle(ctx);
            }
        }
    }
}

impl Handler<ConsumerLeave> for Group {
    type Result = ();

    fn handle(&mut self, message: ConsumerLeave, ctx: &mut Context<Self>) {
        let error = self.other_kind();
        self.state.answers.send(message.reply, Err(error));
        self.settle(ctx);
    }
}

impl Handler<ConsumerDescribe> for Group {
    type Result = ();

    fn handle(&mut self, message: ConsumerDescribe, ctx: &mut Context<Self>) {
        self.state.answers.send(message.reply, Err(DescribeError::OtherKind));
        self.settle(ctx);
    }
}

impl Group {
    fn other_kind(&self) -> BeatError {
        BeatError::OtherKind(self.store.slot.id.to_string())
    }

    /// Writes what the group becomes, if it can and who comes can be in it. Members that wait are to
    /// join again.
    fn upgrade(&mut self, beat: &Beat) -> Result<Summary, BeatError> {
        let (row, settings) = (self.state.to_row(), Arc::clone(&self.state.settings));
        let group = ConsumerGroupState::from_classic(row, settings, &self.topics.load())
            .map_err(|error| BeatError::NotUpgraded(self.store.slot.id.to_string(), error))?;
        group.check_newcomer(beat)?;
        let row = GroupRow::Consumer(group.to_row());
        let encoded = row.encode().map_err(|_| Unavailable)?;
        let mut members = Vec::new();
        for (id, member) in &group.members {
            members.push((id, ConsumerMemberRow::from(member).encode().map_err(|_| Unavailable)?));
        }
        self.store.put(Some(encoded));
        members.into_iter().for_each(|(id, row)| self.store.put_member(id, Some(row)));
        for id in self.state.members.ids() {
            let Some(member) = self.state.members.get_mut(&id) else { continue };
            if let Some(reply) = member.join.take() {
                let refused = JoinRefused { error: JoinError::Rebalancing, member: Some(id.clone()) };
                self.state.answers.send(reply, Err(refused));
            }
            if let Some(reply) = member.sync.take() {
                self.state.answers.send(reply, Err(SyncError::Rebalancing));
            }
        }
        tracing::info!(group = %self.store.slot.id, "the broker assigns to the group from now on");
        Ok(Summary::of(&row))
    }
}
