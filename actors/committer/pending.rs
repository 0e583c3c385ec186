//! What gathers while other commits are on their way.

use super::adopt::Adopt;
use super::append::{Append, Pledge};
use super::commit::{Chain, Commit, Told};
use super::scan::Scan;
use super::unit::{Unit, UnitOrigin};
use crate::mail::Unavailable;
use crate::partition::append::{AppendError, Appended};
use callboard_storage::PartitionId;
use callboard_storage::log;
use tokio::sync::oneshot;

/// Bytes of batches that are worth writing while a sync is on its way. Less waits for it, so that one
/// write serves more.
const BYTES_WORTH_WRITING: usize = 256 << 10;

/// What has gathered, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) commits: Vec<log::Commit>,
    pub(super) origins: Vec<Origin>,
    pub(super) questions: Questions,
    /// Bytes of the partitions' batches.
    batch_bytes: usize,
    /// Somebody waits only until what he sent is written.
    is_hurried: bool,
}

/// Who asks for what is there when all that came before is applied.
#[derive(Debug, Default)]
pub(super) struct Questions {
    pub(super) adopts: Vec<Adopt>,
    pub(super) scans: Vec<Scan>,
}

/// Who waits for a commit.
#[derive(Debug)]
pub(super) enum Origin {
    Partition {
        id: PartitionId,
        from: Pledge,
        losses: u64,
        written: Option<oneshot::Sender<Result<Appended, AppendError>>>,
    },
    Other {
        chain: Option<Chain>,
        reply: Told,
    },
    Unit(UnitOrigin),
}

impl Origin {
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::Other { chain: Some(chain), .. } if chain.is_broken())
    }
}

impl Questions {
    pub(super) fn add(&mut self, other: Self) {
        self.adopts.extend(other.adopts);
        self.scans.extend(other.scans);
    }
}

impl Pending {
    /// Nothing but questions.
    pub(super) fn of(questions: Questions) -> Self {
        Self { questions, ..Self::default() }
    }

    /// Whether it is better to write it now than when the sync on its way has ended.
    pub(super) fn is_worth_writing(&self) -> bool {
        self.is_hurried || self.batch_bytes >= BYTES_WORTH_WRITING
    }

    /// Whether there are units among it.
    pub(super) fn has_units(&self) -> bool {
        self.origins.iter().any(|origin| matches!(origin, Origin::Unit(_)))
    }

    /// Whether there are commits among it that rest on one that was lost.
    pub(super) fn has_broken(&self) -> bool {
        self.origins.iter().any(Origin::is_broken)
    }

    pub(super) fn append(&mut self, append: Append) {
        let Append { partition, from, losses, batch, written } = append;
        self.batch_bytes += batch.bytes.len();
        // Who wants no answer at all does not wait.
        self.is_hurried |= written.as_ref().is_some_and(|written| !written.is_closed());
        self.commits.push(log::Commit { batches: vec![(partition, batch)], mutations: Vec::new() });
        self.origins.push(Origin::Partition { id: partition, from, losses, written });
    }

    pub(super) fn commit(&mut self, commit: Commit) {
        if !commit.commit.fits() {
            tracing::error!(rows = commit.commit.mutations.len(), "a change is too large to be written");
            if let Some(chain) = &commit.chain {
                chain.break_off();
            }
            commit.reply.tell(Err(Unavailable));
            return;
        }
        self.commits.push(commit.commit);
        self.origins.push(Origin::Other { chain: commit.chain, reply: commit.reply });
    }

    pub(super) fn unit(&mut self, unit: Unit) {
        let (commit, origin) = unit.split();
        self.commits.push(commit);
        self.origins.push(Origin::Unit(origin));
    }

    pub(super) fn adopt(&mut self, adopt: Adopt) {
        self.questions.adopts.push(adopt);
    }

    pub(super) fn scan(&mut self, scan: Scan) {
        self.questions.scans.push(scan);
    }
}
