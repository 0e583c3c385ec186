//! The coordinator: the registry of groups. Requests go from [`ask`] straight to a group's actor,
//! and come by here only while it does not run.
//!
//! - [`groups`]: the snapshot of all groups
//! - [`locate`]: a group's actor, started at its first use or after it ended
//! - [`ask`]: the way of a request to a group
//! - [`tick`]: groups that nobody uses are put away, and offsets expire
//!
//! Invariants: a group has one actor at a time; a group that has members runs, so that their
//! deadlines pass; a group is taken out of the snapshot only when it does not run and storage has
//! nothing of it.

pub mod ask;
pub mod groups;
pub mod locate;
mod tick;

use crate::broker::topics::Topics;
use crate::committer::Committer;
use crate::config::GroupSettings;
use crate::group::Group;
use crate::placement::Placement;
use actix::{Actor, Addr, AsyncContext, Context};
use arc_swap::ArcSwap;
use groups::{GroupSlot, Groups};
use std::sync::Arc;

/// The actor of the registry of groups.
#[derive(Debug)]
pub struct Coordinator {
    settings: GroupSettings,
    groups: Arc<ArcSwap<Groups>>,
    topics: Arc<ArcSwap<Topics>>,
    committer: Addr<Committer>,
    placement: Placement,
}

impl Coordinator {
    /// The registry of the groups that storage has.
    pub fn new(
        settings: GroupSettings,
        groups: Arc<ArcSwap<Groups>>,
        topics: Arc<ArcSwap<Topics>>,
        committer: Addr<Committer>,
        placement: Placement,
    ) -> Self {
        Self { settings, groups, topics, committer, placement }
    }

    /// Replaces the snapshot. Only the actor does, so no change of another is lost.
    fn publish(&self, change: impl FnOnce(&mut Groups)) {
        let mut groups = Groups::clone(&self.groups.load());
        change(&mut groups);
        self.groups.store(Arc::new(groups));
    }

    fn start_group(&self, slot: &Arc<GroupSlot>) -> Addr<Group> {
        if let Some(actor) = slot.actor() {
            return actor;
        }
        let group =
            Group::new(Arc::clone(slot), self.settings, Arc::clone(&self.topics), self.committer.clone());
        let actor = Group::start_in_arbiter(self.placement.group(&slot.id), |_| group);
        slot.set_actor(actor.clone());
        actor
    }
}

impl Actor for Coordinator {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.start_those_with_members();
        ctx.run_interval(tick::REST_INTERVAL, |coordinator, _| coordinator.let_rest());
        ctx.run_interval(self.settings.offset_check_interval, |coordinator, _| coordinator.expire_offsets());
    }
}
