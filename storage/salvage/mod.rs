//! Salvaging: copying into a new data folder all that can be read of a damaged one.
//!
//! Batches come from the journal and keep their offsets; those of damaged records where the index knows
//! them. Where some are lost, batches without records for anybody ([`Batch::gap`]) have their offsets:
//! who reads goes on behind them, and no offset is given a second time. Rows come from the index as of
//! its last checkpoint, and behind it from the journal. Where the index cannot be read, they are as the
//! segments that are left have them.
//!
//! [`Batch::gap`]: callboard_protocol::batch::Batch::gap
//!
//! - [`source`]: what can be read of the damaged folder
//! - [`target`]: the new one, to which it is written
//! - [`topics`]: topics and partitions that lost rows

mod source;
mod target;
mod topics;

#[cfg(test)]
mod tests;

use crate::check::segments::{self, Damage, Found};
use crate::check::{Finding, NamedPartition, Place};
use crate::checkpoint::Checkpoint;
use crate::disk::OsDisk;
use crate::error::{Error, Result};
use crate::folder::{Folder, Identity, Looked};
use crate::ids::{Offset, Sequence};
use source::Source;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use target::Target;

/// What was copied, and what could not be.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// Topics.
    pub topics: u64,
    /// Batches.
    pub batches: u64,
    /// Offsets that batches with records have.
    pub offsets: u64,
    /// Rows of all kinds.
    pub rows: u64,
    /// Offsets that are lost, each part by itself.
    pub lost: Vec<Lost>,
    /// What of the damaged folder could not be read.
    pub damages: Vec<Finding>,
    /// What whoever uses the new folder must know.
    pub notes: Vec<String>,
}

/// Offsets of a partition that are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The partition.
    pub partition: NamedPartition,
    /// The first offset.
    pub from: Offset,
    /// Behind the last offset.
    pub to: Offset,
}

/// How the new folder is written.
#[derive(Debug, Clone)]
pub struct SalvageOptions {
    /// Bytes after which the journal starts its next segment.
    pub segment_bytes: u64,
    /// Whether the index is read.
    pub index: IndexUse,
    /// Who the new folder is where the old identity cannot be read.
    pub identity: Identity,
}

/// Whether the index is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// It is, as far as it can be.
    Read,
    /// It is not: its damage takes the database, and the process with it, to where they end.
    Leave,
}

/// Copies what can be read of the data folder `damaged` into `target`, which must be empty or not be
/// there; `read` learns of so many bytes more that were read. `damaged` is not changed.
///
/// # Errors
/// [`Error::InUse`]; [`Error::NotEmpty`]; [`Error::Io`] and [`Error::Index`] when the target cannot be
/// written, which no broker starts on then.
pub fn salvage(
    damaged: &Path,
    target: &Path,
    options: SalvageOptions,
    read: &mut dyn FnMut(u64),
) -> Result<Salvaged> {
    let looked = Looked::at(damaged)?;
    check_empty(target)?;
    let mut salvaged = Salvaged::default();
    let identity = looked.identity.unwrap_or_else(|error| {
        let node = options.identity.node_id;
        let what = format!("{error}; the new folder has a cluster id of its own and node.id {node}");
        salvaged.damages.push(Finding { place: Place::File("identity".into()), what });
        options.identity.clone()
    });
    let source = Source::open(damaged, options.index, &mut salvaged)?;
    let journal = damaged.join("journal");
    let folder = Folder::begin(target, identity)?;
    let mut target =
        Target::create(&folder, segments::last_start(&OsDisk, &journal)?, options.segment_bytes)?;
    if !source.is_whole() {
        segments::walk(&OsDisk, &journal, source.synced(), &mut |found| match found {
            Found::Record { record, .. } if source.may_lack(record.header.sequence) => {
                target.rows(record.mutations.clone())
            }
            Found::Record { .. } | Found::Damage(_) => Ok(()),
        })?;
    }
    source.rows(&mut |rows| target.rows(rows), &mut salvaged.notes)?;
    segments::walk(&OsDisk, &journal, source.synced(), &mut |found| match found {
        Found::Record { segment, record, whole } => {
            read(record.bytes);
            let is_behind = source.is_behind(record.header.sequence);
            target.record(&source.file(segment)?, record, whole, is_behind)
        }
        Found::Damage(damage) => {
            salvaged.damages.push(told(&damage, source.checkpoint()));
            let batches = source.rescued(&damage);
            if batches.is_empty() { Ok(()) } else { target.batches(&source.file(damage.segment)?, &batches) }
        }
    })?;
    target.finish(source.ends(), &mut salvaged)?;
    folder.finish()?;
    Ok(salvaged)
}

fn check_empty(target: &Path) -> Result<()> {
    match fs::read_dir(target).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::NotEmpty(target.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("opening", target)(error)),
    }
}

fn told(damage: &Damage, checkpoint: Sequence) -> Finding {
    let place = Place::Segment { segment: damage.segment, from: damage.from, to: damage.to };
    let records = damage.next.0 - damage.first.0;
    let what = match records {
        0 => damage.reason.clone(),
        _ if damage.next.previous() <= checkpoint => format!("{} ({records} records)", damage.reason),
        _ => format!(
            "{} ({records} records); what they changed of topics, settings, groups and committed offsets is \
             lost, and batches in them that nothing else tells of",
            damage.reason
        ),
    };
    Finding { place, what }
}

/// The place in the journal behind which the journal's rows count more than the index's.
fn read_checkpoint(folder: &Path) -> Result<Option<Checkpoint>, Finding> {
    let read = Checkpoint::read(&OsDisk, &folder.join("checkpoint"));
    read.map_err(|error| Finding { place: Place::File("checkpoint".into()), what: error.to_string() })
}
