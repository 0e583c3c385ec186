//! Writing what has its place already, when a damaged folder is copied into a new one.

use super::Log;
use crate::error::Result;
use crate::journal::{Mutation, PlacedBatch};

/// A commit whose batches have base offsets and leader epochs.
#[derive(Debug, Clone, Default)]
pub struct PlacedCommit {
    /// Changed rows.
    pub mutations: Vec<Mutation>,
    /// Batches, each behind the end of its partition.
    pub batches: Vec<PlacedBatch>,
}

impl Log {
    /// Writes commits with the places that they have, and makes them durable and readable.
    ///
    /// # Errors
    /// A fault of the journal or the index; nothing may be appended then.
    pub fn restore(&mut self, commits: Vec<PlacedCommit>) -> Result<()> {
        if commits.is_empty() {
            return Ok(());
        }
        let body = |(number, commit): (u64, PlacedCommit)| {
            let PlacedCommit { mutations, batches } = commit;
            self.body(number, mutations, batches)
        };
        let bodies = (1..).zip(commits).map(body).collect();
        let group = self.write_bodies(bodies)?;
        self.sync()?;
        self.apply(&[group])?;
        self.checkpoint_when_due()
    }
}
