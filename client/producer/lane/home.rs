//! Where a lane leads: to a topic that may be deleted, and to the next of its name.

use super::{Identity, Lane, Settings, Settled};
use crate::error::Error;
use callboard_protocol::native::{Code, Refusal};
use uuid::Uuid;

/// Whether there is the partition that a lane leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// It is there as far as is known.
    There,
    /// Its topic is not; where to is asked for.
    Wanted,
    /// The topic that has its name now has no such partition.
    Gone,
}

impl Lane {
    /// Whether its topic is not there any more and another of its name is looked for.
    pub(in crate::producer) fn is_homeless(&self) -> bool {
        self.home == Home::Wanted
    }

    /// The topic of its name is that one now: what the one before did not store goes there, numbered anew.
    pub(in crate::producer) fn move_to(&mut self, topic: Uuid) {
        self.home = Home::There;
        if self.partition.topic == topic {
            return;
        }
        self.partition.topic = topic;
        // What is in flight is awaited first, so that nothing overtakes it.
        self.is_recovering |= !self.in_flight.is_empty();
        (self.next_sequence, self.gap) = (0, None);
        if self.identity != Identity::None {
            self.identity = Identity::Wanted;
        }
    }

    /// The topic of its name has no such partition: what is in the lane fails.
    pub(in crate::producer) fn abandon(&mut self, error: &Error) -> Settled {
        self.home = Home::Gone;
        self.end_batch();
        self.fail_ready(error)
    }

    /// Fails what looks for a topic for too long, or with `is_hopeless` all that does.
    pub(in crate::producer) fn expire_homeless(&mut self, is_hopeless: bool, settings: &Settings) -> Settled {
        self.end_batch();
        let mut settled = Settled::default();
        let mut has_numbered = false;
        for batch in std::mem::take(&mut self.ready) {
            if is_hopeless || batch.begun.elapsed() >= settings.delivery_timeout {
                has_numbered |= batch.batch.is_some();
                settled.add(batch.fail(&deleted()));
            } else {
                self.ready.push_back(batch);
            }
        }
        if has_numbered && self.identity != Identity::None {
            // It may have arrived, so its numbers cannot be another's.
            self.identity = Identity::Wanted;
            (self.next_sequence, self.gap) = (0, None);
        }
        settled
    }
}

pub(super) fn gone() -> Error {
    Refusal::new(Code::UNKNOWN_PARTITION, "the next topic of its name has no such partition").into()
}

pub(super) fn deleted() -> Error {
    Refusal::new(Code::UNKNOWN_TOPIC, "the topic was deleted, and there is no other of its name").into()
}
