//! The deadlines of a group: members that fall silent, and those that do not give partitions up.

use super::ConsumerGroup;
use super::state::{ConsumerGroupState, Timer};
use crate::broker::topics::Topics;
use crate::deadlines::Wake;
use crate::group::state::Now;
use actix::{Context, Handler};

impl Handler<Wake> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, _message: Wake, ctx: &mut Context<Self>) {
        self.state.deadlines.woken();
        let topics = self.topics.load_full();
        self.state.pass(&topics, Now::read());
        self.settle(ctx);
    }
}

impl ConsumerGroupState {
    /// Does what is due.
    pub fn pass(&mut self, topics: &Topics, now: Now) {
        let mut gone = Vec::new();
        while let Some(timer) = self.deadlines.pop_due(now.instant) {
            match timer {
                Timer::Session(id) => {
                    tracing::info!(member = %id, "a member has fallen silent");
                    gone.push(id);
                }
                Timer::Join(id) => {
                    tracing::info!(member = %id, "a classic member does not join again");
                    gone.push(id);
                }
                Timer::Sync(id) => {
                    tracing::info!(member = %id, "a classic member does not ask for its assignment");
                    gone.push(id);
                }
                Timer::Revocation(id) => {
                    let since = self.revoking_since.get(&id).copied();
                    if since.is_some() && since == self.members.get(&id).map(|member| member.epoch) {
                        tracing::info!(member = %id, "a member does not give its partitions up");
                        gone.push(id);
                    }
                }
            }
        }
        // Together, so that those who go at one moment cost one look at who is left.
        self.remove(&gone, topics);
    }
}
