//! A group's actor, of either protocol.

use crate::consumer_group::ConsumerGroup;
use crate::group::Group;
use crate::mail::{Unavailable, post};
use actix::{Addr, Handler, Message};

/// The actor of a group.
#[derive(Debug, Clone)]
pub enum GroupActor {
    /// One whose members assign among themselves.
    Classic(Addr<Group>),
    /// One that the broker assigns to.
    Consumer(Addr<ConsumerGroup>),
}

impl GroupActor {
    /// Whether it runs.
    pub fn is_alive(&self) -> bool {
        match self {
            Self::Classic(actor) => actor.connected(),
            Self::Consumer(actor) => actor.connected(),
        }
    }

    /// Puts a message into its mailbox.
    ///
    /// # Errors
    /// [`Unavailable`] when it is gone.
    pub fn post<M>(&self, message: M) -> Result<(), Unavailable>
    where
        Group: Handler<M>,
        ConsumerGroup: Handler<M>,
        M: Message<Result = ()> + Send + 'static,
    {
        match self {
            Self::Classic(actor) => post(actor, message),
            Self::Consumer(actor) => post(actor, message),
        }
    }
}
