//! Producer ids: each new idempotent producer gets one that no other ever had.

use super::{Broker, BrokerHandle};
use crate::mail::{Unavailable, ask};
use actix::fut::wrap_future;
use actix::{ActorFutureExt, AsyncContext, Context, Handler, Message};
use callboard_storage::ProducerId;
use callboard_storage::journal::Mutation;
use callboard_storage::keys::Table;
use tokio::sync::oneshot;

/// Ids that are reserved at once, so that few producers wait for the disk. Those that a stop
/// leaves over are never given.
const BLOCK: i64 = 1000;
/// The row that holds the first id that is not reserved.
pub(super) const RESERVED_KEY: &[u8] = b"producer.ids";

/// Asks for a new producer id.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct NewProducer {
    /// Where to answer.
    pub reply: oneshot::Sender<Result<ProducerId, Unavailable>>,
}

impl BrokerHandle {
    /// An id that no producer ever had.
    ///
    /// # Errors
    /// [`Unavailable`] when storage has failed, or the broker is gone.
    pub async fn new_producer(&self) -> Result<ProducerId, Unavailable> {
        ask(self.broker(), |reply| NewProducer { reply }).await?
    }
}

/// The ids that were not given yet.
#[derive(Debug)]
pub(super) struct ProducerIds {
    next: i64,
    reserved: i64,
}

impl ProducerIds {
    /// Begins behind all that were reserved before.
    pub(super) fn new(reserved: i64) -> Self {
        Self { next: reserved, reserved }
    }

    fn take(&mut self) -> Option<ProducerId> {
        (self.next < self.reserved).then(|| {
            self.next += 1;
            ProducerId(self.next - 1)
        })
    }
}

impl Handler<NewProducer> for Broker {
    type Result = ();

    fn handle(&mut self, message: NewProducer, ctx: &mut Context<Self>) {
        if let Some(id) = self.producer_ids.take() {
            let _ = message.reply.send(Ok(id));
            return;
        }
        let reserved = self.producer_ids.reserved + BLOCK;
        let row = Mutation {
            table: Table::Meta,
            key: RESERVED_KEY.to_vec(),
            value: Some(reserved.to_be_bytes().to_vec()),
        };
        let commit = wrap_future::<_, Self>(self.commit(vec![row]));
        // Others who ask meanwhile wait in the mailbox and find the block reserved.
        ctx.wait(commit.map(move |committed, broker, _| {
            let taken = committed.and_then(|()| {
                broker.producer_ids.reserved = reserved;
                broker.producer_ids.take().ok_or(Unavailable)
            });
            let _ = message.reply.send(taken);
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_begin_behind_what_was_reserved_and_end_with_the_block() {
        let mut ids = ProducerIds::new(2000);
        assert_eq!(ids.take(), None);
        ids.reserved = 2002;
        assert_eq!(ids.take(), Some(ProducerId(2000)));
        assert_eq!(ids.take(), Some(ProducerId(2001)));
        assert_eq!(ids.take(), None);
    }
}
