//! The deadlines of a group: members that fall silent, and phases that take too long.

use super::Group;
use super::state::{ClassicGroup, Now, State, Timer};
use crate::deadlines::Wake;
use crate::names::MemberId;
use actix::{Context, Handler};

impl Handler<Wake> for Group {
    type Result = ();

    fn handle(&mut self, _message: Wake, ctx: &mut Context<Self>) {
        self.state.deadlines.woken();
        self.state.pass(Now::read());
        self.settle(ctx);
    }
}

impl ClassicGroup {
    /// Does what is due.
    pub fn pass(&mut self, now: Now) {
        while let Some(timer) = self.deadlines.pop_due(now.instant) {
            match timer {
                Timer::Session(id) => self.session_is_over(&id, now),
                Timer::Join => self.join_is_due(now),
                Timer::Sync => self.sync_is_due(now),
            }
        }
    }

    /// Nothing was heard of a member, or of somebody who was given an id.
    fn session_is_over(&mut self, id: &MemberId, now: Now) {
        if !self.take_pending(id) {
            // A member that waits for the group is alive; it is heard of when it is answered.
            if self.members.get(id).is_none_or(super::members::Member::is_waiting) {
                return;
            }
            tracing::info!(member = %id, "a member has fallen silent");
            self.expel(id);
            if matches!(self.state(), State::Stable | State::CompletingRebalance) {
                self.rebalance(now, "a member has fallen silent");
                return;
            }
        }
        // Also in a first join phase, as in Kafka: everybody is there.
        if self.state() == State::PreparingRebalance && self.all_joined() {
            self.complete_join(now);
        }
    }

    /// Members that have joined and do not ask for their assignments are out, the leader too.
    fn sync_is_due(&mut self, now: Now) {
        let is_on = matches!(self.state(), State::CompletingRebalance | State::Stable);
        if !is_on || self.unsynced.is_empty() {
            return;
        }
        let silent: Vec<_> = self.unsynced.iter().cloned().collect();
        tracing::info!(members = silent.len(), "members have joined and not asked for their assignments");
        silent.iter().for_each(|id| self.expel(id));
        self.rebalance(now, "members have not asked for their assignments");
    }
}
