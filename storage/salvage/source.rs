//! What can be read of a damaged folder's index, and the files of its journal.

use super::{IndexUse, Salvaged, read_checkpoint};
use crate::check::segments::Damage;
use crate::check::view::View;
use crate::check::{Finding, Place};
use crate::disk::{Disk, DiskFile, OsDisk};
use crate::error::{Error, Result};
use crate::ids::{Offset, PartitionId, SegmentId, Sequence};
use crate::index::{CHECKPOINT_KEY, Continue, Index};
use crate::journal::{Mutation, ScannedBatch, segment};
use crate::keys::{self, Table};
use crate::log::reader;
use crate::values::BatchPlace;
use callboard_protocol::batch::BatchHeader;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The tables whose rows do not follow from batches alone.
const TABLES: [Table; 8] = [
    Table::Topics,
    Table::Partitions,
    Table::Configs,
    Table::Meta,
    Table::Groups,
    Table::Offsets,
    Table::Producers,
    Table::Program,
];
/// Rows that are handed on at once.
const ROWS_AT_ONCE: usize = 1000;

/// A damaged folder.
pub(super) struct Source {
    journal: PathBuf,
    /// In front of the view that it lies in, so that it is closed first.
    index: Option<Index>,
    /// The last record that the index holds.
    checkpoint: Sequence,
    /// The last record that is known to be synced.
    synced: Sequence,
    /// Whether all rows of the index can be read.
    is_whole: bool,
    view: View,
}

impl Source {
    pub(super) fn open(folder: &Path, index: IndexUse, salvaged: &mut Salvaged) -> Result<Self> {
        let view = View::of(folder)?;
        let read = read_checkpoint(folder);
        let checkpoint = read.as_ref().ok().copied().flatten();
        let mut source = Self {
            journal: folder.join("journal"),
            index: None,
            checkpoint: Sequence(0),
            synced: checkpoint.map_or(Sequence(0), |checkpoint| checkpoint.sequence),
            is_whole: false,
            view,
        };
        if let Ok(None) = read {
            // All of the index follows from the journal.
            source.is_whole = true;
            return Ok(source);
        }
        salvaged.damages.extend(read.err());
        let opened = match index {
            IndexUse::Read => source.view.open_tables(),
            IndexUse::Leave => Err("it was not to be read".into()),
        };
        let opened = opened.and_then(|index| {
            let noted = index.noted_checkpoint().map_err(|error| error.to_string())?;
            Ok((index, noted))
        });
        match opened {
            Ok((index, noted)) => {
                source.checkpoint = checkpoint.map_or(noted, |checkpoint| checkpoint.sequence);
                source.synced = source.checkpoint;
                source.index = Some(index);
                source.is_whole = source.each_row(&mut |_| Ok(())).is_ok();
            }
            Err(why) => salvaged.damages.push(Finding { place: Place::File("index".into()), what: why }),
        }
        if !source.is_whole {
            salvaged.notes.push(
                "the index cannot be read, or not all of it: topics, settings, groups and committed offsets \
                 are as the journal's segments that are left have them. What was last changed in a segment \
                 that is gone is missing or older than it was"
                    .into(),
            );
        }
        Ok(source)
    }

    /// Up to which record all was synced, whatever the journal looks like.
    pub(super) fn synced(&self) -> Sequence {
        self.synced
    }

    /// The last record whose rows are in the index.
    pub(super) fn checkpoint(&self) -> Sequence {
        self.checkpoint
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether rows of that record are to be taken from the journal before those of the index.
    pub(super) fn may_lack(&self, sequence: Sequence) -> bool {
        self.index.is_none() || sequence <= self.checkpoint
    }

    /// Whether rows of that record are newer than the index's.
    pub(super) fn is_behind(&self, sequence: Sequence) -> bool {
        self.index.is_none() || sequence > self.checkpoint
    }

    pub(super) fn file(&self, segment: SegmentId) -> Result<Arc<dyn DiskFile>> {
        let path = segment::path(&self.journal, segment);
        OsDisk.open(&path).map_err(Error::io("opening", &path))
    }

    /// Hands on the rows of the index, as far as they can be read.
    pub(super) fn rows(
        &self,
        take: &mut dyn FnMut(Vec<Mutation>) -> Result<()>,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let (mut rows, mut count, mut written) = (Vec::new(), 0_u64, Ok(()));
        let read = self.each_row(&mut |row| {
            count += 1;
            rows.push(row);
            if rows.len() >= ROWS_AT_ONCE && written.is_ok() {
                written = take(std::mem::take(&mut rows));
            }
            Ok(())
        });
        if let Err(error) = read {
            notes.push(format!("of the index {count} rows could be read: {error}"));
        }
        written?;
        take(rows)
    }

    fn each_row(&self, take: &mut dyn FnMut(Mutation) -> Result<()>) -> Result<()> {
        let Some(index) = &self.index else { return Ok(()) };
        for table in TABLES {
            index.each_from(table, &[], &[], |key, value| {
                let is_own = table == Table::Meta && key == CHECKPOINT_KEY;
                if !is_own {
                    take(Mutation { table, key: key.to_vec(), value: Some(value.to_vec()) })?;
                }
                Ok(Continue::Yes)
            })?;
        }
        Ok(())
    }

    /// The batches in a damaged part of the journal that are whole, as the index knows them.
    pub(super) fn rescued(&self, damage: &Damage) -> Vec<ScannedBatch> {
        let mut batches = Vec::new();
        let Some(index) = &self.index else { return batches };
        let Ok(file) = self.file(damage.segment) else { return batches };
        // As far as it goes.
        let _ = index.each_from(Table::Log, &[], &[], |key, value| {
            let row = keys::read_log(key).zip(BatchPlace::decode(value).ok());
            let row = row.filter(|(_, place)| {
                place.segment == damage.segment && (damage.from..damage.to).contains(&place.position)
            });
            if let Some(((partition, base), place)) = row
                && let Ok(bytes) = file.read_exact_at(place.position, place.length as usize)
                && reader::check(partition, base, &place, &bytes).is_ok()
                && let Some(header) = BatchHeader::parse(&bytes)
            {
                let BatchPlace { position, length, .. } = place;
                batches.push(ScannedBatch { partition, header, position, length });
            }
            Ok(Continue::Yes)
        });
        batches.sort_unstable_by_key(|batch| batch.position);
        batches
    }

    /// Behind the last offset of each partition, as the index has it.
    pub(super) fn ends(&self) -> HashMap<PartitionId, Offset> {
        let mut ends = HashMap::new();
        let Some(index) = &self.index else { return ends };
        // As far as it goes.
        let _ = index.each_from(Table::Log, &[], &[], |key, value| {
            if let (Some((partition, base)), Ok(place)) = (keys::read_log(key), BatchPlace::decode(value)) {
                ends.insert(partition, base.plus(i64::from(place.last_offset_delta) + 1));
            }
            Ok(Continue::Yes)
        });
        ends
    }
}
