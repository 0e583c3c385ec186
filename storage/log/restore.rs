//! Writing what has its place already, when a damaged folder is copied into a new one.

use super::{Group, Log, end_of};
use crate::error::Result;
use crate::journal::{Body, Kind, Mutation, PlacedBatch};

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
        let written = self.writer.written();
        let body = |(number, commit): (u64, PlacedCommit)| Body {
            group: 0,
            term: u64::from(self.writer.start()),
            index: written.0 + number,
            kind: Kind::Commit,
            mutations: commit.mutations,
            batches: commit.batches,
        };
        let bodies: Vec<_> = (1..).zip(commits).map(body).collect();
        let places = self.writer.append(&bodies)?;
        self.writer.sync()?;
        let group = Group { bodies, places, end: end_of(&self.writer) };
        self.apply(&[group])?;
        self.checkpoint_when_due()
    }
}
