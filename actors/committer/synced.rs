//! Synced: what was written is durable. It is applied and answered.
//!
//! A sync runs on a thread of its own where the next group will probably be written meanwhile, because
//! the one before was worth that. Otherwise the way there and back would only cost time.

use super::Committer;
use super::adopt::Adopt;
use super::answers::answer;
use super::group::report;
use super::pending::{Origin, Questions};
use super::scan::Scan;
use crate::mail::{Unavailable, post};
use actix::{Addr, AsyncContext, Context, Handler, Message};
use callboard_storage::log::{Group, Log};

/// The sync that was begun is over.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Synced;

/// A group that is written, and not durable as far as is known.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) group: Group,
    pub(super) origins: Vec<Origin>,
    pub(super) questions: Questions,
    /// Whether it would have been written while a sync was on its way.
    pub(super) is_worth_overlap: bool,
}

impl Handler<Synced> for Committer {
    type Result = ();

    fn handle(&mut self, _message: Synced, ctx: &mut Context<Self>) {
        self.is_syncing = false;
        if let Some(Err(error)) = self.log.as_mut().map(Log::end_sync) {
            report(&error);
        }
        self.finish();
        self.write();
        self.sync(ctx.address());
        self.checkpoint_when_due();
    }
}

impl Committer {
    /// Makes what is written durable, unless that is on its way already.
    pub(super) fn sync(&mut self, committer: Addr<Self>) {
        if self.is_syncing || self.written.is_empty() {
            return;
        }
        if !self.written.iter().any(|written| written.is_worth_overlap) {
            self.settle();
            return;
        }
        let done = move || {
            // A committer that is gone has nothing to finish.
            let _ = post(&committer, Synced);
        };
        match self.log.as_mut().map(|log| log.begin_sync(done)) {
            Some(Ok(())) => self.is_syncing = true,
            Some(Err(error)) => {
                report(&error);
                self.finish();
            }
            None => self.finish(),
        }
    }

    /// Waits until all that is written is durable, or lost, and answers it.
    pub(super) fn settle(&mut self) {
        if self.written.is_empty() {
            return;
        }
        if let Some(Err(error)) = self.log.as_mut().map(Log::sync) {
            report(&error);
        }
        self.finish();
    }

    /// Applies and answers what is durable; after a failure, also what is lost.
    fn finish(&mut self) {
        let Some(log) = self.log.as_mut() else { return };
        let mut done = Done::default();
        while let Some(written) = self.written.pop_front_if(|written| log.is_synced(&written.group)) {
            done.add(written);
        }
        if done.groups.is_empty() || log.apply(&done.groups).inspect_err(report).is_ok() {
            answer(done.origins, Some(done.groups));
        } else {
            answer(done.origins, None);
        }
        if log.has_stopped() {
            let lost = std::mem::take(&mut self.written);
            for written in lost {
                answer(written.origins, None);
                done.questions.add(written.questions);
            }
        }
        self.answer_questions(done.questions);
    }

    pub(super) fn answer_questions(&mut self, questions: Questions) {
        for adopt in questions.adopts {
            self.answer_adopt(adopt);
        }
        for scan in questions.scans {
            self.answer_scan(scan);
        }
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
}

/// Groups that are durable.
#[derive(Default)]
struct Done {
    groups: Vec<Group>,
    origins: Vec<Origin>,
    questions: Questions,
}

impl Done {
    fn add(&mut self, written: Written) {
        let Written { group, origins, questions, .. } = written;
        self.groups.push(group);
        self.origins.extend(origins);
        self.questions.add(questions);
    }
}

#[cfg(test)]
mod tests;
