//! The way of a request to a group's actor, and of its answer back.

use super::actor::GroupActor;
use super::groups::Groups;
use super::locate::{Locate, LocateGroupError, Missing};
use crate::broker::BrokerHandle;
use crate::consumer_group::ConsumerGroup;
use crate::group::Group;
use crate::mail::{Unavailable, ask};
use crate::names::GroupId;
use actix::{Handler, Message};
use std::sync::Arc;
use tokio::sync::oneshot;

/// How often a request is sent to a group whose actor ends before it answers: one that was put away
/// at that moment is there again the next time.
const TRIES: usize = 3;

impl BrokerHandle {
    /// The groups as they are now.
    pub fn groups(&self) -> Arc<Groups> {
        self.shared_groups().load_full()
    }

    /// Sends a message to a group and waits for its answer.
    ///
    /// # Errors
    /// [`LocateGroupError`] when there is no such group, or it cannot be had.
    pub async fn ask_group<M, T>(
        &self,
        group: &GroupId,
        missing: Missing,
        message: impl Fn(oneshot::Sender<T>) -> M,
    ) -> Result<T, LocateGroupError>
    where
        Group: Handler<M>,
        ConsumerGroup: Handler<M>,
        M: Message<Result = ()> + Send + 'static,
        T: 'static,
    {
        for _ in 0..TRIES {
            let actor = self.locate_group(group, missing).await?;
            let (reply, answer) = oneshot::channel();
            // An actor that ended drops the message and with it the reply; the next one is asked.
            let _ = actor.post(message(reply));
            if let Ok(answer) = answer.await {
                return Ok(answer);
            }
        }
        Err(Unavailable.into())
    }

    async fn locate_group(&self, group: &GroupId, missing: Missing) -> Result<GroupActor, LocateGroupError> {
        if let Some(actor) = self.shared_groups().load().get(group).and_then(|slot| slot.actor()) {
            return Ok(actor);
        }
        let group = group.clone();
        ask(self.coordinator(), |reply| Locate { group, missing, reply }).await?
    }
}
