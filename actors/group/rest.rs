//! Rest: a group that nobody uses is put away; it is found again in storage.

use super::Group;
use super::state::State;
use actix::{ActorContext, Context, Handler, Message};

/// A while has passed. What comes into the mailbox of a group that ends is sent again by its sender,
/// to the actor that follows.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Rest;

impl Handler<Rest> for Group {
    type Result = ();

    fn handle(&mut self, _message: Rest, ctx: &mut Context<Self>) {
        let is_needed = std::mem::take(&mut self.is_used)
            || self.state.state() != State::Empty
            || !self.state.pending.is_empty()
            || !self.commits.is_idle();
        if !is_needed {
            let (since, retention) =
                (self.state.offsets_expire_since(), self.state.settings.offset_retention);
            // A group without offsets is forgotten at the next look.
            let expiry =
                if self.offsets.is_empty() { Some(0) } else { self.offsets.next_expiry_ms(since, retention) };
            self.slot.look_at(expiry.unwrap_or(i64::MAX));
            ctx.stop();
        }
    }
}
