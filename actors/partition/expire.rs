//! Expire: producers that wrote nothing for a while are forgotten.

use super::Partition;
use crate::clock;
use crate::committer::commit::{Commit, Told};
use crate::mail::post;
use actix::{AsyncContext, Context, Handler, Message};
use callboard_storage::ProducerId;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, Table};
use callboard_storage::log;
use std::time::Duration;

/// Producers are looked through this often at most, so that many of them cost little.
const INTERVAL_MAX: Duration = Duration::from_mins(10);

/// It is time to look for silent producers.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct Expire;

impl Handler<Expire> for Partition {
    type Result = ();

    fn handle(&mut self, _message: Expire, ctx: &mut Context<Self>) {
        self.producers.is_watched = false;
        let silent = self.producers.expire(clock::now(), self.expiration());
        if !silent.is_empty() {
            tracing::debug!(partition = %self.id, producers = silent.len(), "silent producers are forgotten");
            self.forget(&silent);
        }
        self.expire_later(ctx);
    }
}

impl Partition {
    /// Sets the clock when there are producers and it is not set.
    pub(super) fn expire_later(&mut self, ctx: &mut Context<Self>) {
        if self.producers.is_empty() || self.producers.is_watched {
            return;
        }
        self.producers.is_watched = true;
        ctx.notify_later(Expire, self.expiration().min(INTERVAL_MAX));
    }

    fn expiration(&self) -> Duration {
        self.settings.load().producer_id_expiration
    }

    fn forget(&self, silent: &[ProducerId]) {
        let delete = |producer: &ProducerId| Mutation {
            table: Table::Producers,
            key: keys::producers(self.id, *producer),
            value: None,
        };
        let mutations = silent.iter().map(delete).collect();
        // Nobody waits: a row that stays is deleted after the next start.
        let commit = log::Commit { mutations, batches: Vec::new() };
        let _ = post(&self.committer, Commit { commit, chain: None, reply: Told::new(drop) });
    }
}
