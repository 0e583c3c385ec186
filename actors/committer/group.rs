//! Committing what has gathered: one write for all of it, and one sync.

use super::Committer;
use super::answers::answer;
use super::pending::{Origin, Pending};
use super::synced::Written;
use crate::partition::append::Appended;
use actix::{AsyncContext, Context, Handler, Message};
use callboard_storage::keys::Table;
use callboard_storage::log::{self, Group, Log};

/// The mailbox is drained: what gathered is to be committed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct CommitGroup;

impl Handler<CommitGroup> for Committer {
    type Result = ();

    fn handle(&mut self, _message: CommitGroup, ctx: &mut Context<Self>) {
        self.is_scheduled = false;
        if !self.is_syncing || self.pending.is_worth_writing() {
            self.write();
            self.sync(ctx.address());
        }
        self.checkpoint_when_due();
    }
}

impl Committer {
    /// Writes all that gathered, and answers those who asked for no more.
    pub(super) fn write(&mut self) {
        self.courtesy.short_work_is_wanted();
        let pending = std::mem::take(&mut self.pending);
        let is_worth_overlap = pending.is_worth_writing();
        let pending = self.refuse(pending);
        let Pending { commits, mut origins, questions, .. } = self.check_units(pending);
        let group = match self.log.as_mut() {
            Some(log) if !commits.is_empty() => log.append(commits).inspect_err(report).ok(),
            Some(_) | None => None,
        };
        if let (Some(log), Some(group)) = (&self.log, group) {
            answer_written(log, &group, &mut origins);
            self.written.push_back(Written { group, origins, questions, is_worth_overlap });
            return;
        }
        if !origins.is_empty() {
            // They are lost, and answered behind those in front of them.
            self.settle();
            answer(origins, None);
        }
        match self.written.back_mut() {
            Some(written) => written.questions.add(questions),
            None => self.answer_questions(questions),
        }
    }

    /// Answers all that would fill a short disk further, and what was sent behind it by an actor that
    /// did not know yet. What only changes rows may free space.
    fn refuse(&mut self, pending: Pending) -> Pending {
        if !self.space.is_short && self.losses.is_empty() && !pending.has_broken() {
            return pending;
        }
        // An actor is answered in the order of what it sent.
        self.settle();
        let mut taken = Pending::of(pending.questions);
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
        if !pending.has_units() {
            return pending;
        }
        // The rows of the groups before are read from the index.
        self.settle();
        let mut taken = Pending::of(pending.questions);
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

pub(super) fn report(error: &callboard_storage::Error) {
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
