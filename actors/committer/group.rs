//! Committing what has gathered: one write and one sync for all of it.

use super::Committer;
use super::adopt::Adopt;
use super::append::{Append, Committed, Outcome, Pledge};
use super::commit::{Chain, Commit, Told};
use super::scan::Scan;
use super::unit::{self, Unit, UnitOrigin};
use crate::mail::{Unavailable, post};
use crate::partition::Partition;
use crate::partition::append::{AppendError, Appended};
use actix::{Addr, Context, Handler, Message};
use callboard_storage::PartitionId;
use callboard_storage::keys::Table;
use callboard_storage::log::{self, Group, Log};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use tokio::sync::oneshot;

/// The mailbox is drained: what gathered is to be committed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct CommitGroup;

/// What has gathered, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Pending {
    commits: Vec<log::Commit>,
    origins: Vec<Origin>,
    adopts: Vec<Adopt>,
    scans: Vec<Scan>,
    pub(super) is_scheduled: bool,
}

/// Who waits for a commit.
#[derive(Debug)]
enum Origin {
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
    fn is_broken(&self) -> bool {
        matches!(self, Self::Other { chain: Some(chain), .. } if chain.is_broken())
    }
}

impl Pending {
    pub(super) fn append(&mut self, append: Append) {
        let Append { partition, from, losses, batch, written } = append;
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
        self.adopts.push(adopt);
    }

    pub(super) fn scan(&mut self, scan: Scan) {
        self.scans.push(scan);
    }
}

impl Handler<CommitGroup> for Committer {
    type Result = ();

    fn handle(&mut self, _message: CommitGroup, _ctx: &mut Context<Self>) {
        self.commit_group();
    }
}

impl Committer {
    /// Commits all that gathered, and answers it.
    pub(super) fn commit_group(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let pending = self.refuse(pending);
        let Pending { commits, mut origins, adopts, scans, .. } = self.check_units(pending);
        let committed = match self.log.as_mut() {
            Some(log) if !commits.is_empty() => write(log, commits, &mut origins),
            Some(_) | None => None,
        };
        answer(origins, committed);
        for adopt in adopts {
            self.answer_adopt(adopt);
        }
        for scan in scans {
            self.answer_scan(scan);
        }
        self.checkpoint_when_due();
    }

    /// Answers all that would fill a short disk further, and what was sent behind it by an actor that
    /// did not know yet. What only changes rows may free space.
    fn refuse(&mut self, pending: Pending) -> Pending {
        let is_broken = pending.origins.iter().any(Origin::is_broken);
        if !self.space.is_short && self.losses.is_empty() && !is_broken {
            return pending;
        }
        let mut taken = Pending { adopts: pending.adopts, scans: pending.scans, ..Pending::default() };
        let mut refused = Vec::new();
        for (commit, origin) in pending.commits.into_iter().zip(pending.origins) {
            if self.is_refused(&commit, &origin) {
                refused.push(origin);
            } else {
                taken.commits.push(commit);
                taken.origins.push(origin);
            }
        }
        answer(refused, None);
        taken
    }

    fn is_refused(&mut self, commit: &log::Commit, origin: &Origin) -> bool {
        let is_short = self.space.is_short && (!commit.batches.is_empty() || grows(commit));
        let (id, losses) = match origin {
            Origin::Partition { id, losses, .. } => (id, losses),
            Origin::Unit(_) => return is_short,
            Origin::Other { chain, .. } => {
                let is_refused = is_short || origin.is_broken();
                if let Some(chain) = chain.as_ref().filter(|_| is_refused) {
                    chain.break_off();
                }
                return is_refused;
            }
        };
        let known = self.losses.get(id).copied().unwrap_or(*losses);
        let is_refused = is_short || *losses < known;
        if is_refused {
            self.losses.insert(*id, known + 1);
        } else {
            self.losses.remove(id);
        }
        is_refused
    }

    /// Answers the units that expect something else than there is, and gives the rows of the others
    /// their versions. What stands before a unit in its group counts as done.
    fn check_units(&mut self, pending: Pending) -> Pending {
        if !pending.origins.iter().any(|origin| matches!(origin, Origin::Unit(_))) {
            return pending;
        }
        let mut taken = Pending { adopts: pending.adopts, scans: pending.scans, ..Pending::default() };
        for (mut commit, origin) in pending.commits.into_iter().zip(pending.origins) {
            let origin = match (origin, &self.log) {
                (Origin::Unit(unit), Some(log)) => match self.versions.check(unit, &mut commit, log) {
                    Some(unit) => Origin::Unit(unit),
                    None => continue,
                },
                (origin, _) => origin,
            };
            taken.commits.push(commit);
            taken.origins.push(origin);
        }
        self.versions.end_group();
        taken
    }

    fn answer_adopt(&mut self, adopt: Adopt) {
        // The actor is a new one, which knows of no loss and has sent nothing before this.
        self.losses.remove(&adopt.partition);
        let state = self.log.as_mut().ok_or(Unavailable).and_then(|log| {
            log.state(adopt.partition).map_err(|error| {
                tracing::error!(%error, partition = %adopt.partition, "a partition cannot be read");
                Unavailable
            })
        });
        // The partition may be gone again.
        let _ = adopt.reply.send(state);
    }

    fn answer_scan(&self, scan: Scan) {
        let rows = self.log.as_ref().ok_or(Unavailable).and_then(|log| {
            let rows = scan.prefixes.iter().map(|(table, prefix)| log.rows(*table, prefix));
            rows.collect::<Result<Vec<_>, _>>().map_err(|error| {
                tracing::error!(%error, "rows cannot be read");
                Unavailable
            })
        });
        // Who asked may be gone again.
        let _ = scan.reply.send(rows);
    }

    /// Also called by the clock; but under load its ticks come late, and a checkpoint must not.
    pub(super) fn checkpoint_when_due(&mut self) {
        if let Some(Err(error)) = self.log.as_mut().map(Log::checkpoint_when_due) {
            tracing::error!(%error, "checkpoint failed");
        }
    }
}

/// Whether a change without batches is of those that come all the time. Others may free space.
fn grows(commit: &log::Commit) -> bool {
    let steady = [Table::Offsets, Table::Groups, Table::Configs, Table::Program];
    commit.mutations.iter().any(|row| row.value.is_some() && steady.contains(&row.table))
}

/// Write, answer those who asked for no more, sync, apply.
fn write(log: &mut Log, commits: Vec<log::Commit>, origins: &mut [Origin]) -> Option<Group> {
    let group = log.append(commits).inspect_err(report).ok()?;
    answer_written(log, &group, origins);
    log.sync().inspect_err(report).ok()?;
    log.apply(&group).inspect_err(report).ok()?;
    Some(group)
}

fn report(error: &callboard_storage::Error) {
    // The first of them says what happened; the others follow from it.
    if matches!(error, callboard_storage::Error::Stopped(_)) {
        tracing::debug!(%error, "not committed");
    } else {
        tracing::error!(%error, "writing has stopped until a restart; reads go on");
    }
}

fn answer_written(log: &Log, group: &Group, origins: &mut [Origin]) {
    for (placed, origin) in group.placed().zip(origins) {
        let Origin::Partition { id, written, .. } = origin else { continue };
        if let (Some(written), Some(first)) = (written.take(), placed.first()) {
            let _ = written.send(Ok(Appended::new(&first.batch.header, log.log_start(*id))));
        }
    }
}

/// Answers each partition once, and each other one.
fn answer(origins: Vec<Origin>, group: Option<Group>) {
    let is_committed = group.is_some();
    let mut placed = group.into_iter().flat_map(Group::into_placed);
    let mut partitions: HashMap<PartitionId, (Addr<Partition>, Committed)> = HashMap::new();
    let mut units = Vec::new();
    for origin in origins {
        let batches = placed.next();
        match origin {
            Origin::Partition { id, from, .. } => {
                let Some(actor) = from.fulfil() else { continue };
                let batch = batches.and_then(|batches| batches.into_iter().next());
                let outcome = batch.map_or(Outcome::Lost, |placed| Outcome::Appended(placed.batch));
                outcomes_of(&mut partitions, id, actor).push(outcome);
            }
            Origin::Unit(unit) => {
                let (to_tell, answer) = unit.outcome(batches);
                for (id, actor, batch) in to_tell {
                    outcomes_of(&mut partitions, id, actor).push(Outcome::OfUnit(batch));
                }
                units.push(answer);
            }
            Origin::Other { reply, .. } => {
                reply.tell(if is_committed { Ok(()) } else { Err(Unavailable) });
            }
        }
    }
    partitions.into_values().for_each(deliver);
    // Who learns of a unit finds its events.
    units.into_iter().for_each(unit::Answer::send);
}

/// The list of a partition's outcomes. A new actor may have taken the place of one that died.
fn outcomes_of(
    partitions: &mut HashMap<PartitionId, (Addr<Partition>, Committed)>,
    id: PartitionId,
    actor: Addr<Partition>,
) -> &mut Vec<Outcome> {
    let none = Committed { batches: Vec::new() };
    let (_, committed) = match partitions.entry(id) {
        Entry::Occupied(entry) if entry.get().0 == actor => entry.into_mut(),
        Entry::Occupied(mut entry) => {
            deliver(entry.insert((actor, none)));
            entry.into_mut()
        }
        Entry::Vacant(entry) => entry.insert((actor, none)),
    };
    &mut committed.batches
}

fn deliver((actor, committed): (Addr<Partition>, Committed)) {
    // An actor that is gone answers nobody; the one after it adopts what is committed.
    let _ = post(&actor, committed);
}
