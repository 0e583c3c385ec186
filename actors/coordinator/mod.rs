//! The coordinator: the registry of groups. Requests go from [`ask`] straight to a group's actor,
//! and come by here only while it does not run.
//!
//! - [`actor`]: a group's actor, of either protocol
//! - [`groups`]: the snapshot of all groups
//! - [`locate`]: a group's actor, started at its first use or after it ended
//! - [`ask`]: the way of a request to a group
//! - [`tick`]: groups that nobody uses are put away ([`rest`]), and offsets expire
//! - [`mod@end`]: how the registry and the groups end
//!
//! Invariants: a group has one actor at a time; a group that has members runs, so that their
//! deadlines pass; a group is taken out of the snapshot only when it does not run and storage has
//! nothing of it.

pub mod actor;
pub mod ask;
mod end;
pub mod groups;
pub mod locate;
pub mod rest;
pub(crate) mod tick;

use crate::broker::topics::Topics;
use crate::committer::Committer;
use crate::config::Settings;
use crate::consumer_group::ConsumerGroup;
use crate::group::Group;
use crate::placement::Placement;
use actix::{Actor, Addr, AsyncContext, Context};
use actor::GroupActor;
use arc_swap::ArcSwap;
use groups::{GroupSlot, Groups, Kind};
use std::sync::Arc;

/// The actor of the registry of groups.
#[derive(Debug)]
pub struct Coordinator {
    settings: Arc<ArcSwap<Settings>>,
    groups: Arc<ArcSwap<Groups>>,
    topics: Arc<ArcSwap<Topics>>,
    committer: Addr<Committer>,
    placement: Placement,
}

impl Coordinator {
    /// The registry of the groups that storage has.
    pub fn new(
        settings: Arc<ArcSwap<Settings>>,
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

    fn start_group(&self, slot: &Arc<GroupSlot>, ctx: &Context<Self>) -> GroupActor {
        if let Some(actor) = slot.actor() {
            return actor;
        }
        let arbiter = self.placement.group(&slot.id);
        let (topics, committer) = (Arc::clone(&self.topics), self.committer.clone());
        let coordinator = ctx.address().downgrade();
        let (its_slot, settings) = (Arc::clone(slot), Arc::clone(&self.settings));
        let actor = match slot.summary().kind {
            Kind::Classic => {
                let settings = Arc::clone(&settings.load().groups);
                let group = Group::new(its_slot, settings, topics, committer, coordinator);
                GroupActor::Classic(Group::start_in_arbiter(arbiter, |_| group))
            }
            Kind::Consumer => {
                let group = ConsumerGroup::new(its_slot, settings, topics, committer, coordinator);
                GroupActor::Consumer(ConsumerGroup::start_in_arbiter(arbiter, |_| group))
            }
        };
        slot.set_actor(actor.clone());
        actor
    }
}

impl Actor for Coordinator {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.start_those_with_members(ctx);
        ctx.run_interval(tick::REST_INTERVAL, |coordinator, _| coordinator.let_rest());
        let check_interval = self.settings.load().groups.offset_check_interval;
        ctx.run_interval(check_interval, |coordinator, ctx| coordinator.expire_offsets(ctx));
    }
}
