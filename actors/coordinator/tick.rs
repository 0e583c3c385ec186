//! What the coordinator does by the clock.

use super::Coordinator;
use super::groups::GroupSlot;
use super::rest::Rest;
use crate::clock;
use crate::offsets::expire::ExpireOffsets;
use std::sync::Arc;
use std::time::Duration;

/// A group that is not used for one to two of these is put away.
pub(super) const REST_INTERVAL: Duration = Duration::from_mins(5);

impl Coordinator {
    /// Members may be gone, which only a running group notices.
    pub(super) fn start_those_with_members(&self) {
        for slot in self.groups.load().iter().filter(|slot| !slot.summary().state.is_empty()) {
            self.start_group(slot);
        }
    }

    /// Lets groups go that nobody uses, and takes those out of which nothing is left.
    pub(super) fn let_rest(&self) {
        let mut gone = Vec::new();
        for slot in self.groups.load().iter() {
            match slot.actor() {
                // One that ended meanwhile needs no rest.
                Some(actor) => drop(actor.post(Rest)),
                None if slot.summary().is_stored => {}
                None => gone.push(Arc::clone(slot)),
            }
        }
        if !gone.is_empty() {
            self.publish(|groups| gone.iter().for_each(|slot: &Arc<GroupSlot>| groups.remove(&slot.id)));
        }
    }

    pub(super) fn expire_offsets(&self) {
        let now_ms = clock::wall_ms();
        for slot in self.groups.load().iter().filter(|slot| slot.is_due(now_ms)) {
            // One that ended meanwhile is looked at the next time.
            let _ = self.start_group(slot).post(ExpireOffsets);
        }
    }
}
