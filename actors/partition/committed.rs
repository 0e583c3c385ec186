//! Committed: batches are durable and readable, or lost.

use super::Partition;
use super::append::Appended;
use crate::clock;
use crate::committer::append::{Committed, Outcome};
use crate::mail::Unavailable;
use actix::{Context, Handler};
use callboard_protocol::batch::StampedBatch;
use callboard_storage::Offset;

impl Handler<Committed> for Partition {
    type Result = ();

    fn handle(&mut self, message: Committed, ctx: &mut Context<Self>) {
        let mut durable = Vec::with_capacity(message.batches.len());
        for outcome in message.batches {
            match outcome {
                Outcome::Appended(batch) => {
                    self.answer_durable(&batch);
                    durable.push(batch);
                }
                Outcome::Lost => self.answer_lost(),
                Outcome::OfUnit(batch) => {
                    self.reach(&batch);
                    durable.push(batch);
                }
            }
        }
        self.watchers.wake(&durable, self.ends());
        self.expire_later(ctx);
    }
}

impl Partition {
    fn answer_durable(&mut self, batch: &StampedBatch) {
        let header = &batch.header;
        self.reach(batch);
        self.producers.committed(header, clock::now());
        let appended = Appended::new(header, self.log_start);
        for reply in self.in_flight.pop_front().into_iter().flat_map(|sent| sent.replies) {
            let _ = reply.send(Ok(appended));
        }
    }

    fn reach(&mut self, batch: &StampedBatch) {
        self.high_watermark = self.high_watermark.max(Offset(batch.header.last_offset() + 1));
    }

    fn answer_lost(&mut self) {
        self.losses += 1;
        let Some(sent) = self.in_flight.pop_front() else { return };
        self.producers.lost(&sent.header);
        for reply in sent.replies {
            let _ = reply.send(Err(Unavailable.into()));
        }
    }
}
