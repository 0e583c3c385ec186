//! Locate: a group's actor, started at its first use or after it ended.

use super::Coordinator;
use super::actor::GroupActor;
use super::groups::{GroupSlot, Kind, Summary};
use crate::mail::Unavailable;
use crate::names::GroupId;
use actix::{Context, Handler, Message};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Asks for a group's actor.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Locate {
    /// The group.
    pub group: GroupId,
    /// What to do about one that is not there.
    pub missing: Missing,
    /// Where to answer.
    pub reply: oneshot::Sender<Result<GroupActor, LocateGroupError>>,
}

/// What is done about a group that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It begins.
    Create(Kind),
    /// It stays so.
    Refuse,
}

/// Why there is no such actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocateGroupError {
    /// There is no such group.
    #[error("there is no such group")]
    Unknown,
    /// There are as many groups as there may be.
    #[error("the broker takes no more groups")]
    TooMany,
    /// The broker is gone.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Handler<Locate> for Coordinator {
    type Result = ();

    fn handle(&mut self, message: Locate, ctx: &mut Context<Self>) {
        let Locate { group, missing, reply } = message;
        let slot = self.groups.load().get(&group).cloned();
        let slot = slot.map_or_else(|| self.begin(group, missing), Ok);
        let _ = reply.send(slot.map(|slot| self.start_group(&slot, ctx)));
    }
}

impl Coordinator {
    fn begin(&self, group: GroupId, missing: Missing) -> Result<Arc<GroupSlot>, LocateGroupError> {
        let Missing::Create(kind) = missing else { return Err(LocateGroupError::Unknown) };
        if self.groups.load().len() >= self.settings.load().groups.groups_max {
            return Err(LocateGroupError::TooMany);
        }
        let slot = Arc::new(GroupSlot::new(group, Summary::new(kind)));
        self.publish(|groups| groups.put(Arc::clone(&slot)));
        Ok(slot)
    }
}
