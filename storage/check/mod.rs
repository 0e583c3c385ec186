//! Checking a data folder that no broker runs on: each byte that counts, and whether all of it fits
//! together. Nothing in the folder is changed.
//!
//! - [`segments`]: the journal: headers, records without a gap, batches
//! - [`view`]: the index as an opening would have it, in a temporary folder
//! - [`rows`], [`logs`]: the index's tables, against each other and the journal
//! - [`finding`]: what is told

pub mod finding;
pub mod logs;
pub mod rows;
pub mod segments;
pub mod view;

#[cfg(test)]
pub(crate) mod tests;

pub use finding::{Finding, Findings, NamedPartition, Place};

use crate::checkpoint::Checkpoint;
use crate::disk::OsDisk;
use crate::error::Result;
use crate::folder::Looked;
use crate::ids::{Offset, Sequence};
use crate::index::{files, recover};
use crate::journal;
use logs::{Holds, Journal};
use rows::Catalogue;
use segments::{Found, Walked};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use view::{Opened, View};

/// What was checked, and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// The journal.
    pub journal: Walked,
    /// Topics.
    pub topics: u64,
    /// Batches that may be read.
    pub batches: u64,
    /// Rows of the index.
    pub rows: u64,
    /// Why a broker would not start on the folder.
    pub refusal: Option<String>,
    /// What is wrong.
    pub findings: Findings,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.count() == 0 && self.refusal.is_none()
    }
}

/// Bytes of the journal.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn segments_bytes(folder: &Path) -> Result<u64> {
    segments::bytes(&OsDisk, &folder.join("journal"))
}

/// Bytes that a check reads.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn bytes(folder: &Path) -> Result<u64> {
    Ok(segments_bytes(folder)? + files::bytes(&folder.join("index")))
}

/// Checks a data folder; `read` learns of so many bytes more that were read.
///
/// # Errors
/// [`crate::Error::InUse`] when a broker runs on it; [`crate::Error::Io`].
pub fn check(folder: &Path, read: &mut dyn FnMut(u64)) -> Result<Report> {
    let looked = Looked::at(folder)?;
    let mut report = Report::default();
    if let Err(error) = &looked.identity {
        report.findings.add(Place::File("identity".into()), error.to_string());
    }
    let checkpoint = match Checkpoint::read(&OsDisk, &folder.join("checkpoint")) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            report.findings.add(Place::File("checkpoint".into()), error.to_string());
            None
        }
    };
    let said = check_journal(folder, checkpoint, &mut report, read)?;
    check_index_files(folder, checkpoint, &mut report.findings, read)?;
    let view = View::of(folder)?;
    let (opened, refusal) = view.open();
    report.refusal = refusal;
    let mut catalogue = Catalogue::default();
    let (index, holds) = match &opened {
        Opened::Whole(index) => (index, Holds::All),
        Opened::Tables(index) => (index, Holds::Tables),
        Opened::Not(why) => {
            report.findings.add(Place::File("index".into()), format!("it cannot be opened: {why}"));
            logs::check_batches(&said, &catalogue, &mut report.findings);
            return Ok(report);
        }
    };
    let reader = journal::Reader::new(Arc::new(OsDisk), view.journal());
    let checked = (|| {
        catalogue = rows::catalogue(index, &mut report.findings)?;
        report.topics = catalogue.topics();
        report.rows = rows::check(index, &catalogue, &mut report.findings)?;
        report.batches = logs::check(index, &reader, &said, &catalogue, holds, &mut report.findings)?;
        Ok::<_, crate::Error>(())
    })();
    logs::check_batches(&said, &catalogue, &mut report.findings);
    if let Err(error) = checked {
        report.findings.add(Place::File("index".into()), format!("it cannot be read: {error}"));
    }
    Ok(report)
}

/// The journal by itself, and where the checkpoint leads to.
fn check_journal(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    report: &mut Report,
    read: &mut dyn FnMut(u64),
) -> Result<Journal> {
    let mut said = Journal::default();
    let findings = &mut report.findings;
    let synced = checkpoint.map_or(Sequence(0), |checkpoint| checkpoint.sequence);
    let mut mark = Mark { checkpoint, is_there: false };
    let walked = segments::walk(&OsDisk, &folder.join("journal"), synced, &mut |found| {
        match found {
            Found::Record { segment, record, whole } => {
                read(record.bytes);
                mark.pass(segment, record.header.sequence, record.position, record.bytes);
                for (batch, is_whole) in record.batches.iter().zip(whole) {
                    let end = said.ends.entry(batch.partition).or_default();
                    *end = Offset(batch.header.last_offset() + 1).max(*end);
                    if !is_whole {
                        said.batches.insert((segment, batch.position), *batch);
                    }
                }
            }
            Found::Damage(damage) => {
                let place = Place::Segment { segment: damage.segment, from: damage.from, to: damage.to };
                let records = damage.next.0 - damage.first.0;
                let lost = if records > 0 { format!(" ({records} records)") } else { String::new() };
                findings.add(place, format!("{}{lost}", damage.reason));
                said.damages.push(damage);
            }
        }
        Ok(())
    })?;
    mark.end(&said, &walked, findings);
    report.journal = walked;
    Ok(said)
}

/// Looks for the place that the checkpoint names.
struct Mark {
    checkpoint: Option<Checkpoint>,
    is_there: bool,
}

impl Mark {
    fn pass(&mut self, segment: crate::SegmentId, sequence: Sequence, position: u64, bytes: u64) {
        let Some(checkpoint) = self.checkpoint.filter(|checkpoint| checkpoint.segment == segment) else {
            return;
        };
        let is_before = checkpoint.sequence == sequence && checkpoint.position == position + bytes;
        let is_behind = checkpoint.sequence.next() == sequence && checkpoint.position == position;
        self.is_there |= is_before || is_behind;
    }

    fn end(&self, said: &Journal, walked: &Walked, findings: &mut Findings) {
        let Some(checkpoint) = self.checkpoint.filter(|_| !self.is_there) else { return };
        // A segment that was begun and has nothing yet.
        let is_at_begin = checkpoint.position == journal::segment::SEGMENT_HEADER_BYTES as u64
            && checkpoint.sequence.next() == walked.end;
        let is_damaged = said.damages.iter().any(|damage| damage.segment == checkpoint.segment);
        if !is_at_begin && !is_damaged {
            let what = format!(
                "it says that record {} ends at position {} of segment {}, and none does",
                checkpoint.sequence, checkpoint.position, checkpoint.segment
            );
            findings.add(Place::File("checkpoint".into()), what);
        }
    }
}

/// An index that was not created to its end and that no checkpoint relies on is begun anew by a start, so its
/// files do not matter.
fn check_index_files(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    findings: &mut Findings,
    read: &mut dyn FnMut(u64),
) -> Result<()> {
    let index = folder.join("index");
    if !index.exists() {
        if checkpoint.is_some() {
            findings.add(Place::File("index".into()), "it is missing");
        }
        return Ok(());
    }
    if !folder.join("checkpoint").exists() && !recover::is_complete(&index) {
        return Ok(());
    }
    let mut wrong = |path: PathBuf, what: String| {
        let path = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        findings.add(Place::File(path), what);
    };
    files::check(&index, &mut wrong, read)
}
