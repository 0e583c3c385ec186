//! The committer: the one actor that writes.
//!
//! It gives offsets, builds records, writes them, syncs once for all that gathered, applies them to
//! the index, and then answers. While one group is synced the next gathers, and is written when that is
//! worth it, so there is no timer and no linger, and durability gets cheaper as load grows. It blocks,
//! and so has a thread of its own; syncs run on another.
//!
//! - [`append`]: a partition's batch; the way that most work takes
//! - [`commit`]: any other change, from any actor
//! - [`adopt`]: what a starting partition begins with, after all that was sent before
//! - [`mod@unit`]: rows, batches and offsets of the program around the broker, all or none
//! - [`scan`]: the same for an actor that begins with rows
//! - [`pending`], [`group`], [`synced`], [`answers`]: the way of a group: it gathers, is written, is
//!   durable, and is answered
//! - [`close`]: the end, with a checkpoint
//! - [`crash`]: the end without one, for tests
//!
//! Invariants: what is answered as committed is synced and applied; after a failure of storage
//! everything is answered [`crate::Unavailable`] until a restart; answers to an actor come in the
//! order of its messages.

pub mod adopt;
mod answers;
pub mod append;
pub mod close;
pub mod commit;
pub mod crash;
mod group;
mod pending;
pub mod scan;
mod synced;
pub mod unit;

use crate::courtesy::Courtesy;
use actix::{Actor, AsyncContext, Context};
use callboard_storage::PartitionId;
use callboard_storage::folder::Folder;
use callboard_storage::log::Log;
use pending::Pending;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use synced::Written;

/// How often the committer looks whether a checkpoint is due while nothing is written, and whether
/// there is room on the disk.
const TICK: Duration = Duration::from_secs(1);

/// The writing side of all logs, as an actor.
#[derive(Debug)]
pub struct Committer {
    /// `None` once closed.
    log: Option<Log>,
    /// Keeps other processes out of the data folder until the log is closed.
    folder: Option<Folder>,
    pending: Pending,
    /// What gathers will be committed when the mailbox is drained.
    is_scheduled: bool,
    /// Groups that are written and not known to be durable, the oldest first.
    written: VecDeque<Written>,
    /// A sync was begun, and [`synced::Synced`] will tell of its end.
    is_syncing: bool,
    space: Space,
    /// For partitions that lost batches to a short disk, how many.
    losses: HashMap<PartitionId, u64>,
    versions: unit::Versions,
    courtesy: Courtesy,
}

/// Whether there is room on the disk for more.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// Bytes below which writes are refused.
    pub free_bytes_min: u64,
    /// Whether that is so now.
    pub is_short: bool,
}

impl Committer {
    /// A committer of that log, which refuses to write below `free_bytes_min` bytes of free disk.
    pub fn new(log: Log, folder: Folder, free_bytes_min: u64, courtesy: Courtesy) -> Self {
        Self {
            versions: unit::Versions::new(log.leader_epoch()),
            log: Some(log),
            folder: Some(folder),
            pending: Pending::default(),
            is_scheduled: false,
            written: VecDeque::new(),
            is_syncing: false,
            losses: HashMap::new(),
            space: Space { free_bytes_min, is_short: false },
            courtesy,
        }
    }

    /// Lets the group be committed once the mailbox is drained.
    fn gather(&mut self, ctx: &mut Context<Self>) {
        if !self.is_scheduled {
            self.is_scheduled = true;
            // A notification is handled after all messages that wait in the mailbox.
            ctx.notify(group::CommitGroup);
        }
    }

    fn tick(&mut self) {
        self.checkpoint_when_due();
        if let Some(log) = &self.log {
            self.space.look(log);
        }
    }
}

impl Space {
    fn look(&mut self, log: &Log) {
        let free = match log.free_bytes() {
            Ok(free) => free,
            Err(error) => {
                tracing::warn!(%error, "free space is not known");
                return;
            }
        };
        let is_short = free < self.free_bytes_min;
        if is_short != self.is_short {
            let bytes_min = self.free_bytes_min;
            if is_short {
                tracing::error!(free, bytes_min, "the disk is nearly full: writes are refused");
            } else {
                tracing::info!(free, "there is room on the disk again: writes are taken");
            }
        }
        self.is_short = is_short;
    }
}

impl Actor for Committer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.tick();
        ctx.run_interval(TICK, |committer, _| committer.tick());
    }
}
