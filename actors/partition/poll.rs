//! Poll: where a log begins and ends, and a call when it grows.

use super::Partition;
use crate::broker::answers::AnswerBytes;
use actix::{Context, Handler, Message};
use callboard_protocol::batch::StampedBatch;
use callboard_storage::Offset;
use tokio::sync::{mpsc, oneshot};

/// Asks for the ends of the log.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Poll {
    /// Whom to call when there is nothing at the watcher's offset yet.
    pub watch: Option<Watch>,
    /// Where to answer.
    pub reply: oneshot::Sender<Polled>,
}

/// Whose records a reader wants of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// All that are durable, whatever becomes of their transactions.
    #[default]
    ReadUncommitted,
    /// None of a transaction that is open, or behind the beginning of one.
    ReadCommitted,
}

/// The ends of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polled {
    /// Offset of the first record that may be read.
    pub log_start: Offset,
    /// The offset behind the last record that is durable.
    pub high_watermark: Offset,
    /// The offset of the first record of the first transaction that is open; the high watermark where
    /// none is.
    pub last_stable: Offset,
}

impl Polled {
    /// The offset behind the last record that a reader may read.
    pub fn end(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => self.last_stable,
        }
    }
}

/// A reader that waits for the log to grow. It is called once.
#[derive(Debug)]
pub struct Watch {
    /// What the reader calls this partition.
    pub tag: usize,
    /// The offset that it wants to read from. It waits while what it may read does not go beyond.
    pub offset: Offset,
    /// What counts the batches that it is handed.
    pub(crate) answers: AnswerBytes,
    /// What it may read.
    pub isolation: Isolation,
    /// Where to call it.
    pub calls: mpsc::UnboundedSender<Grown>,
}

/// A log has grown.
#[derive(Debug, Clone)]
pub struct Grown {
    /// What the reader calls the partition.
    pub tag: usize,
    /// The batches that were appended from the watched offset on and may be read, by reference; none when
    /// they are not in hand, there is no room for them, or the partition's actor has ended: it must be
    /// asked again.
    pub batches: Vec<StampedBatch>,
    /// The new ends of the log; none when the actor has ended.
    pub ends: Option<Polled>,
}

impl Handler<Poll> for Partition {
    type Result = ();

    fn handle(&mut self, message: Poll, _ctx: &mut Context<Self>) {
        let ends = self.ends();
        let waits =
            |watch: &Watch| watch.offset >= ends.end(watch.isolation) && watch.offset <= ends.high_watermark;
        if let Some(watch) = message.watch.filter(waits) {
            self.watchers.add(watch);
        }
        let _ = message.reply.send(ends);
    }
}

impl Partition {
    pub(super) fn ends(&self) -> Polled {
        let (log_start, high_watermark) = (self.log_start, self.high_watermark);
        // There are no transactions yet, so that none is open.
        Polled { log_start, high_watermark, last_stable: high_watermark }
    }
}

/// The readers that wait at the end of a log.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    waiting: Vec<Watch>,
    /// How many may wait before those that gave up are looked for.
    sweep_at: usize,
}

/// Readers below which nobody looks for those that gave up.
const SWEEP_MIN: usize = 16;

impl Watchers {
    /// Adds one. Those that gave up are dropped in time, so that their number stays in proportion
    /// to those that wait.
    fn add(&mut self, watch: Watch) {
        if self.waiting.len() >= self.sweep_at.max(SWEEP_MIN) {
            self.waiting.retain(|watch| !watch.calls.is_closed());
            self.sweep_at = self.waiting.len() * 2;
        }
        self.waiting.push(watch);
    }

    /// Hands the new batches to all who wait for them and may read them, as far as there is room for
    /// answers: who is handed them may be slow to take them, and they would not be in memory any more
    /// without it.
    pub(super) fn wake(&mut self, batches: &[StampedBatch], ends: Polled) {
        let Some(first) = batches.first() else { return };
        let Some(answers) = self.waiting.first().map(|watch| watch.answers.clone()) else { return };
        let batches = answers.hold(batches);
        self.waiting.retain(|watch| {
            let end = ends.end(watch.isolation);
            if watch.offset >= end {
                return true;
            }
            let wanted = |batch: &&StampedBatch| {
                batch.header.base_offset >= watch.offset.0 && batch.header.last_offset() < end.0
            };
            // What became readable may have been appended long before.
            let are_in_hand = first.header.base_offset <= watch.offset.0;
            let batches = batches.iter().filter(|_| are_in_hand).filter(wanted).cloned().collect();
            let _ = watch.calls.send(Grown { tag: watch.tag, batches, ends: Some(ends) });
            false
        });
    }
}

impl Drop for Watchers {
    /// Calls all who wait, because nothing more will come from this actor, however it ends.
    fn drop(&mut self) {
        for Watch { tag, calls, .. } in self.waiting.drain(..) {
            let _ = calls.send(Grown { tag, batches: Vec::new(), ends: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use callboard_protocol::batch::BatchHeader;

    #[test]
    fn readers_that_gave_up_do_not_pile_up() {
        let mut watchers = Watchers::default();
        let (calls, _kept) = mpsc::unbounded_channel();
        watchers.add(watch(0, 0, Isolation::ReadUncommitted, calls));
        for tag in 1..1000 {
            let (calls, dropped) = mpsc::unbounded_channel();
            drop(dropped);
            watchers.add(watch(tag, 0, Isolation::ReadUncommitted, calls));
            assert!(watchers.waiting.len() <= SWEEP_MIN + 1);
        }
        assert!(watchers.waiting.iter().any(|watch| watch.tag == 0));
    }

    #[test]
    fn who_reads_committed_records_is_called_when_the_last_stable_offset_passes() {
        let mut watchers = Watchers::default();
        let (calls, mut inbox) = mpsc::unbounded_channel();
        watchers.add(watch(0, 5, Isolation::ReadUncommitted, calls.clone()));
        watchers.add(watch(1, 5, Isolation::ReadCommitted, calls));
        let ends = |high_watermark, last_stable| Polled {
            log_start: Offset(0),
            high_watermark: Offset(high_watermark),
            last_stable: Offset(last_stable),
        };

        watchers.wake(&[batch(5), batch(6)], ends(7, 5));
        assert_eq!(heard(&mut inbox), [(0, vec![5, 6])], "a transaction began at 5");

        watchers.wake(&[batch(7)], ends(8, 8));
        assert_eq!(heard(&mut inbox), [(1, vec![])], "5 and 6 are not in hand");

        let (calls, mut inbox) = mpsc::unbounded_channel();
        watchers.add(watch(2, 8, Isolation::ReadCommitted, calls));
        watchers.wake(&[batch(8), batch(9)], ends(10, 9));
        assert_eq!(heard(&mut inbox), [(2, vec![8])], "one began at 9");
    }

    fn watch(tag: usize, offset: i64, isolation: Isolation, calls: mpsc::UnboundedSender<Grown>) -> Watch {
        Watch { tag, offset: Offset(offset), isolation, answers: AnswerBytes::new(1 << 20), calls }
    }

    /// A batch of one record.
    fn batch(offset: i64) -> StampedBatch {
        let header = BatchHeader { base_offset: offset, ..BatchHeader::new(1, 0) };
        StampedBatch { header, head: Bytes::new(), records: Bytes::new() }
    }

    fn heard(inbox: &mut mpsc::UnboundedReceiver<Grown>) -> Vec<(usize, Vec<i64>)> {
        let all = std::iter::from_fn(|| inbox.try_recv().ok());
        all.map(|grown| (grown.tag, grown.batches.iter().map(|it| it.header.base_offset).collect())).collect()
    }
}
