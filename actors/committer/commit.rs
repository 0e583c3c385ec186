//! Commit: any change of any actor, all of it or nothing.

use super::Committer;
use crate::mail::Unavailable;
use actix::{Context, Handler, Message};
use callboard_storage::log;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// Changes to commit at once.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Commit {
    /// The changes.
    pub commit: log::Commit,
    /// The commits of whoever sends this, if one that is lost is to stop all that follow.
    pub chain: Option<Chain>,
    /// Told when they are durable and readable, or lost.
    pub reply: Told,
}

/// Who is told of a commit's outcome, at once and on the committer's thread: that the commit is lost
/// when this is dropped, as when the committer ends.
pub struct Told(Option<Tell>);

type Tell = Box<dyn FnOnce(Result<(), Unavailable>) + Send>;

impl Told {
    /// Lets `tell` know of the outcome.
    pub fn new(tell: impl FnOnce(Result<(), Unavailable>) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    pub(super) fn tell(mut self, outcome: Result<(), Unavailable>) {
        if let Some(tell) = self.0.take() {
            tell(outcome);
        }
    }
}

impl From<oneshot::Sender<Result<(), Unavailable>>> for Told {
    fn from(reply: oneshot::Sender<Result<(), Unavailable>>) -> Self {
        Self::new(move |outcome| {
            // Who asked may be gone.
            let _ = reply.send(outcome);
        })
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(Err(Unavailable));
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

/// The commits of one actor: when one is lost, none that follows is made, because it rests on it.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<AtomicBool>);

impl Chain {
    /// Whether a commit was lost.
    pub(super) fn is_broken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// A commit is lost. Only the committer says so, and only it asks.
    pub(super) fn break_off(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Handler<Commit> for Committer {
    type Result = ();

    fn handle(&mut self, message: Commit, ctx: &mut Context<Self>) {
        self.pending.commit(message);
        self.gather(ctx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::courtesy::Courtesy;
    use crate::mail::ask;
    use actix::{Actor, Addr};
    use callboard_storage::disk::OsDisk;
    use callboard_storage::folder::{Folder, Identity};
    use callboard_storage::journal::Mutation;
    use callboard_storage::keys::{self, Table};
    use callboard_storage::log::checkpointer::CheckpointBounds;
    use callboard_storage::log::{Log, LogOptions};
    use std::time::Duration;

    async fn commit(
        committer: &Addr<Committer>,
        chain: &Chain,
        group: Option<&str>,
    ) -> Result<(), Unavailable> {
        let row = |group| Mutation { table: Table::Groups, key: keys::groups(group), value: Some(vec![1]) };
        let commit = log::Commit { mutations: group.map(row).into_iter().collect(), batches: Vec::new() };
        let chain = Some(chain.clone());
        ask(committer, |reply: oneshot::Sender<_>| Commit { commit, chain, reply: reply.into() }).await?
    }

    #[actix::test]
    async fn nothing_follows_what_was_lost() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path(), Identity { cluster_id: "c".into(), node_id: 1 }).unwrap();
        let interval = Duration::from_secs(30);
        let checkpoint = CheckpointBounds { bytes: 1 << 30, records: 1000, interval };
        let log = Log::open(Arc::new(OsDisk), &folder, &LogOptions { segment_bytes: 1 << 20, checkpoint });
        // No disk has as much room as that, so that what grows is refused and the rest is not.
        let committer = Committer::new(log.unwrap(), folder, u64::MAX, Courtesy::default()).start();
        let (broken, whole) = (Chain::default(), Chain::default());
        assert_eq!(commit(&committer, &broken, None).await, Ok(()));
        assert_eq!(commit(&committer, &broken, Some("group")).await, Err(Unavailable));
        assert_eq!(commit(&committer, &broken, None).await, Err(Unavailable), "it rests on what was lost");
        assert_eq!(commit(&committer, &whole, None).await, Ok(()));
    }
}
