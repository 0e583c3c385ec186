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

/// The ends of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polled {
    /// Offset of the first record that may be read.
    pub log_start: Offset,
    /// The offset behind the last record that may be read.
    pub high_watermark: Offset,
}

/// A reader that waits for the log to grow. It is called once.
#[derive(Debug)]
pub struct Watch {
    /// What the reader calls this partition.
    pub tag: usize,
    /// The offset that it wants to read from. It waits while this is the end of the log.
    pub offset: Offset,
    /// What counts the batches that it is handed.
    pub(crate) answers: AnswerBytes,
    /// Where to call it.
    pub calls: mpsc::UnboundedSender<Grown>,
}

/// A log has grown.
#[derive(Debug, Clone)]
pub struct Grown {
    /// What the reader calls the partition.
    pub tag: usize,
    /// The batches that were appended from the watched offset on, by reference; none when there is no
    /// room for them, or the partition's actor has ended, and must be asked again.
    pub batches: Vec<StampedBatch>,
    /// The new end of the log.
    pub high_watermark: Offset,
}

impl Handler<Poll> for Partition {
    type Result = ();

    fn handle(&mut self, message: Poll, _ctx: &mut Context<Self>) {
        if let Some(watch) = message.watch.filter(|watch| watch.offset == self.high_watermark) {
            self.watchers.add(watch);
        }
        let (log_start, high_watermark) = (self.log_start, self.high_watermark);
        let _ = message.reply.send(Polled { log_start, high_watermark });
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

    /// Hands the new batches to all who wait for them, as far as there is room for answers: who is
    /// handed them may be slow to take them, and they would not be in memory any more without it.
    pub(super) fn wake(&mut self, batches: &[StampedBatch], high_watermark: Offset) {
        if batches.is_empty() {
            return;
        }
        let Some(answers) = self.waiting.first().map(|watch| watch.answers.clone()) else { return };
        let batches = answers.hold(batches);
        for watch in self.waiting.drain(..) {
            let wanted = |batch: &&StampedBatch| batch.header.base_offset >= watch.offset.0;
            let batches = batches.iter().filter(wanted).cloned().collect();
            let _ = watch.calls.send(Grown { tag: watch.tag, batches, high_watermark });
        }
    }
}

impl Drop for Watchers {
    /// Calls all who wait, because nothing more will come from this actor, however it ends.
    fn drop(&mut self) {
        for Watch { tag, offset, calls, .. } in self.waiting.drain(..) {
            let _ = calls.send(Grown { tag, batches: Vec::new(), high_watermark: offset });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_that_gave_up_do_not_pile_up() {
        let mut watchers = Watchers::default();
        let (calls, _kept) = mpsc::unbounded_channel();
        let answers = AnswerBytes::new(0);
        watchers.add(Watch { tag: 0, offset: Offset(0), answers: answers.clone(), calls });
        for tag in 1..1000 {
            let (calls, dropped) = mpsc::unbounded_channel();
            drop(dropped);
            watchers.add(Watch { tag, offset: Offset(0), answers: answers.clone(), calls });
            assert!(watchers.waiting.len() <= SWEEP_MIN + 1);
        }
        assert!(watchers.waiting.iter().any(|watch| watch.tag == 0));
    }
}
