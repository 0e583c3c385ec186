//! A partition: one actor that checks what is appended to its log and wakes who reads its end.
//!
//! - [`append`]: a batch from a producer
//! - [`committed`]: its batches are durable, or lost
//! - [`poll`]: where the log begins and ends, and a call when it grows
//! - [`producers`]: the sequence numbers of idempotent producers
//! - [`expire`]: forgetting producers that have gone silent
//! - [`stop`]: the topic is deleted
//!
//! Invariants: the high watermark is the end of what is synced and readable, and only grows; an
//! append is answered once its outcome is known, in the order of the appends; a batch that is
//! repeated while the first is on its way gets the first one's outcome.

pub mod append;
pub mod committed;
pub mod expire;
pub mod poll;
pub mod producers;
pub mod stop;

use crate::broker::topics::TopicView;
use crate::committer::Committer;
use crate::committer::adopt::Adopt;
use crate::config::Settings;
use crate::mail::{Unavailable, ask};
use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context};
use append::InFlight;
use arc_swap::ArcSwap;
use callboard_storage::log::PartitionState;
use callboard_storage::{Offset, PartitionId};
use poll::Watchers;
use producers::Producers;
use std::collections::VecDeque;
use std::sync::Arc;

/// The actor of a partition.
#[derive(Debug)]
pub struct Partition {
    id: PartitionId,
    topic: Arc<TopicView>,
    committer: Addr<Committer>,
    log_start: Offset,
    high_watermark: Offset,
    producers: Producers,
    /// Appends whose outcome is not known yet, the oldest first.
    in_flight: VecDeque<InFlight>,
    watchers: Watchers,
    /// Appends that were lost, see [`crate::committer::append::Append::losses`].
    losses: u64,
    settings: Arc<ArcSwap<Settings>>,
}

impl Partition {
    /// A partition of that topic. It learns its state from the committer when it starts.
    pub fn new(
        id: PartitionId,
        topic: Arc<TopicView>,
        committer: Addr<Committer>,
        settings: Arc<ArcSwap<Settings>>,
    ) -> Self {
        Self {
            id,
            topic,
            committer,
            log_start: Offset(0),
            high_watermark: Offset(0),
            producers: Producers::default(),
            in_flight: VecDeque::new(),
            watchers: Watchers::default(),
            losses: 0,
            settings,
        }
    }

    fn adopt(&mut self, state: PartitionState, ctx: &mut Context<Self>) {
        self.log_start = state.log_start;
        self.high_watermark = state.next_offset;
        self.producers = Producers::adopt(state.producers, crate::clock::now());
        self.expire_later(ctx);
    }
}

impl Actor for Partition {
    type Context = Context<Self>;

    /// No message is handled before the state is there.
    fn started(&mut self, ctx: &mut Self::Context) {
        let (committer, partition) = (self.committer.clone(), self.id);
        let state = async move { ask(&committer, |reply| Adopt { partition, reply }).await };
        let adopted = wrap_future(state).map(
            |state: Result<_, Unavailable>, actor: &mut Self, ctx: &mut Context<Self>| match state {
                Ok(Ok(state)) => actor.adopt(state, ctx),
                Ok(Err(Unavailable)) | Err(Unavailable) => ctx.stop(),
            },
        );
        ctx.wait(adopted);
    }
}
