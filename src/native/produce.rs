//! Produce: batches into the mailboxes of their partitions, and what became of them.

use super::refusals::Refused;
use super::{Native, Reply, Started, find};
use bytes::Bytes;
use callboard_actors::Unavailable;
use callboard_actors::broker::append::{Outcome, append};
use callboard_actors::broker::topics::{PartitionSlot, TopicView};
use callboard_actors::partition::append as partition;
use callboard_protocol::native::produce::{Acks, BatchAppended, Produce, Produced, ProducerGiven};
use callboard_protocol::native::{Refusal, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// A batch of a request: where it goes, or why it goes nowhere.
type Target = Result<(Arc<TopicView>, Arc<PartitionSlot>, Bytes), Refusal>;

pub(super) async fn new_producer(native: &Native) -> Result<ProducerGiven, Refusal> {
    let id = native.broker.new_producer().await.map_err(|error| error.refusal())?;
    Ok(ProducerGiven { producer_id: id.0, epoch: 0 })
}

/// Puts all batches into their partitions' mailboxes, before anything else is done. A partition
/// whose actor does not run yet is started first, and the next request waits for that.
pub(super) fn start(native: &Arc<Native>, produce: &Produce, batches: Vec<Bytes>) -> Started {
    if let Err(refusal) = native.check_count(produce.batches.len()) {
        return Started::Answering(Box::pin(async { Err(refusal) }));
    }
    let topics = native.broker.topics();
    let targets =
        produce.batches.iter().zip(batches).map(|(batch, records)| {
            find(&topics, batch.partition).map(|(topic, slot)| (topic, slot, records))
        });
    let mut targets: Vec<Target> = targets.collect();
    let acks = produce.acks;
    let is_started = |target: &Target| target.as_ref().map_or(true, |(_, slot, _)| slot.actor().is_some());
    if targets.iter().all(is_started) {
        return Started::Answering(send(targets, acks));
    }
    let native = Arc::clone(native);
    let started = async move {
        for target in &mut targets {
            let Ok((topic, slot, _)) = target else { continue };
            if let Err(error) = native.broker.locate(topic, slot).await {
                *target = Err(error.refusal());
            }
        }
        targets
    };
    Started::Waiting(started.map(move |targets| send(targets, acks)).boxed())
}

fn send(targets: Vec<Target>, acks: Acks) -> BoxFuture<'static, Reply> {
    let when = match acks {
        Acks::None | Acks::Synced => partition::Acks::Synced,
        Acks::Written => partition::Acks::Written,
    };
    let sent: Vec<_> = targets
        .into_iter()
        .map(|target| {
            let (_, slot, records) = target?;
            let actor = slot.actor().ok_or_else(|| Unavailable.refusal())?;
            Ok(append(&actor, records, when))
        })
        .collect();
    if acks == Acks::None {
        let accepted = BatchAppended { base_offset: -1, log_append_time: -1, log_start: -1 };
        let outcomes = sent.into_iter().map(|sent: Result<Outcome, _>| sent.map(|_| accepted.clone()));
        let produced = Produced { outcomes: outcomes.collect() };
        return futures_util::future::ready(Ok((Response::Produce(produced), Vec::new()))).boxed();
    }
    Box::pin(async move {
        let mut outcomes = Vec::with_capacity(sent.len());
        for sent in sent {
            outcomes.push(match sent {
                Ok(outcome) => outcome.wait().await.map(appended).map_err(|error| error.refusal()),
                Err(refusal) => Err(refusal),
            });
        }
        Ok((Response::Produce(Produced { outcomes }), Vec::new()))
    })
}

fn appended(appended: partition::Appended) -> BatchAppended {
    BatchAppended {
        base_offset: appended.base_offset.0,
        log_append_time: appended.log_append_time,
        log_start: appended.log_start.0,
    }
}
