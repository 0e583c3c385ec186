//! Random histories of appends, syncs, crashes and power failures, against a plain list.

use super::{SEGMENT_BYTES, assert_all, body, reopen};
use crate::checkpoint::Checkpoint;
use crate::disk::simulated::SimulatedDisk;
use crate::error::Result;
use crate::ids::Sequence;
use crate::journal::{Body, Writer};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<usize>),
    Sync,
    /// A sync is begun, and the next records are written before its end is heard of.
    BeginSync,
    EndSync,
    Checkpoint,
    /// The process dies; the operating system keeps what was written.
    Crash,
    /// The power fails; each unsynced page is kept or lost.
    PowerFailure(u64),
    /// So many operations later the disk fails for good, until the process is started again.
    DiskFails(usize),
    /// The operation after so many more fails, and no other.
    DiskFailsOnce(usize),
    /// So many bytes later the disk is full, until the process is started again.
    DiskFills(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => prop::collection::vec(0..SEGMENT_BYTES as usize, 1..5).prop_map(Step::Append),
        4 => Just(Step::Sync),
        3 => Just(Step::BeginSync),
        3 => Just(Step::EndSync),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Crash),
        2 => any::<u64>().prop_map(Step::PowerFailure),
        1 => (0..6usize).prop_map(Step::DiskFails),
        2 => (0..6usize).prop_map(Step::DiskFailsOnce),
        1 => (0..4000usize).prop_map(Step::DiskFills),
    ];
    prop::collection::vec(step, 1..40)
}

/// A small generator, so that a failing history is repeated exactly.
fn coin(seed: u64) -> impl FnMut() -> bool {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state & 1 == 0
    }
}

struct Model {
    disk: SimulatedDisk,
    writer: Writer,
    /// All that was handed to the journal and is not known to be lost.
    written: Vec<Body>,
    /// How many of them must survive a power failure.
    synced: usize,
    /// How many of them the sync covers whose end was not heard of yet.
    syncing: usize,
    /// How many must survive the process.
    appended: usize,
    /// Whether a write or sync has failed since the start.
    is_stopped: bool,
    checkpoint: Option<Checkpoint>,
}

impl Model {
    fn new() -> Self {
        let disk = SimulatedDisk::new();
        let (writer, _) = reopen(&disk, None).unwrap();
        let written = Vec::new();
        Self {
            disk,
            writer,
            written,
            synced: 0,
            syncing: 0,
            appended: 0,
            is_stopped: false,
            checkpoint: None,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(sizes) => self.append(sizes),
            Step::Sync => {
                let synced = self.writer.sync();
                self.note(&synced);
                if synced.is_ok() {
                    self.synced = self.appended;
                }
            }
            Step::BeginSync => self.begin_sync(),
            Step::EndSync => {
                // After a failed write it may still have ended well.
                match self.writer.end_sync() {
                    Ok(()) => self.synced = self.synced.max(self.syncing),
                    Err(_) => (self.is_stopped, self.syncing) = (true, 0),
                }
            }
            Step::Checkpoint => self.checkpoint(),
            Step::Crash => {
                self.disk = self.disk.copy();
                self.restart(self.appended);
            }
            Step::PowerFailure(seed) => {
                self.disk = self.disk.after_power_failure(coin(*seed));
                self.restart(self.synced);
            }
            Step::DiskFails(after) => self.disk.fail_after(Some(*after)),
            Step::DiskFailsOnce(after) => self.disk.fail_once_after(*after),
            Step::DiskFills(room) => self.disk.set_room(Some(*room)),
        }
    }

    fn append(&mut self, sizes: &[usize]) {
        let first = self.written.len() as u64 + 1;
        let bodies: Vec<_> = (first..).zip(sizes).map(|(number, size)| body(number, *size)).collect();
        let appended = self.writer.append(&bodies);
        if !self.is_stopped {
            // When it failed, some of them may have reached the disk.
            self.written.extend(bodies);
        }
        self.note(&appended);
        if appended.is_ok() {
            self.appended = self.written.len();
        }
    }

    /// The disk has done its part when this returns, for better or worse.
    fn begin_sync(&mut self) {
        let (done, is_done) = std::sync::mpsc::channel();
        let begun = self.writer.begin_sync(move || done.send(()).unwrap());
        self.note(&begun);
        // Nothing begins while another is on its way.
        if begun.is_ok() && is_done.recv().is_ok() {
            self.syncing = self.appended;
        }
    }

    /// After a failure everything fails until a restart.
    fn note<T>(&mut self, outcome: &Result<T>) {
        assert!(outcome.is_err() || !self.is_stopped, "nothing is written after a failure");
        if outcome.is_err() {
            // It may be the sync on its way that failed, and was heard of.
            (self.is_stopped, self.syncing) = (true, 0);
        }
    }

    fn checkpoint(&mut self) {
        if self.synced == self.written.len() && self.synced > 0 {
            let (segment, position) = self.writer.position();
            self.checkpoint = Some(Checkpoint { sequence: Sequence(self.synced as u64), segment, position });
        }
    }

    /// All of what must be there is, in order and whole, and nothing that was never written.
    fn restart(&mut self, expected: usize) {
        let (writer, recovered) = reopen(&self.disk, self.checkpoint).unwrap();
        let skipped = self.checkpoint.map_or(0, |checkpoint| checkpoint.sequence.0 as usize);
        let count = skipped + recovered.len();
        assert!(count >= expected, "{count} of {expected} records are left");
        assert!(count <= self.written.len());
        assert_all(&self.disk, &recovered, &self.written[skipped..count]);
        self.written.truncate(count);
        (self.synced, self.syncing, self.appended, self.is_stopped) = (count, 0, count, false);
        self.writer = writer;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_was_synced_survives_everything(steps in steps(), seed in any::<u64>()) {
        let mut model = Model::new();
        for step in &steps {
            model.take(step);
        }
        model.take(&Step::Crash);
        // What opening returned is durable at once.
        model.take(&Step::PowerFailure(seed));
        model.take(&Step::PowerFailure(!seed));
    }

    #[test]
    fn opening_survives_a_failure_at_each_of_its_steps(
        sizes in prop::collection::vec(0..400usize, 1..12), synced in 0..12usize,
        failure in 0..6usize, seed in any::<u64>(),
    ) {
        let mut model = Model::new();
        let (first, second) = sizes.split_at(synced.min(sizes.len()));
        model.append(first);
        model.take(&Step::Sync);
        model.append(second);
        // The second opening dies at a step, then the power fails.
        model.disk = model.disk.copy();
        model.disk.fail_after(Some(failure));
        let opened = reopen(&model.disk, None).is_ok();
        model.disk = model.disk.after_power_failure(coin(seed));
        model.restart(if opened { model.appended } else { model.synced });
    }
}
