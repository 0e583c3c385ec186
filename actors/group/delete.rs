//! Delete: a group without members is forgotten with its offsets.

use super::Group;
use super::state::State;
use crate::durable::Reply;
use crate::mail::Unavailable;
use actix::{Context, Handler, Message};

/// The group is to be forgotten.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Delete {
    /// Where to answer.
    pub reply: Reply<(), DeleteGroupError>,
}

/// Why a group is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeleteGroupError {
    /// It has members.
    #[error("the group is not empty")]
    NotEmpty,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Handler<Delete> for Group {
    type Result = ();

    fn handle(&mut self, message: Delete, ctx: &mut Context<Self>) {
        let deleted = if self.state.state() == State::Empty {
            self.forget();
            Ok(())
        } else {
            Err(DeleteGroupError::NotEmpty)
        };
        self.state.answers.send(message.reply, deleted);
        self.settle(ctx);
    }
}
