//! The logs of partitions as the index has them, against the journal: each row leads to a whole batch
//! of that partition and base offset, and from a log's start to its end no offset is missing.

use super::finding::{Findings, Place};
use super::rows::Catalogue;
use super::segments::Damage;
use crate::error::{Error, Result};
use crate::ids::{Offset, PartitionId, SegmentId};
use crate::index::{Continue, Index};
use crate::journal::{self, ScannedBatch};
use crate::keys::{self, Table};
use crate::log::reader;
use crate::values::BatchPlace;
use callboard_protocol::batch::header::{BATCH_HEADER_BYTES, BatchHeader, MAGIC};
use std::collections::{BTreeMap, HashMap};

/// What the journal says of the logs.
#[derive(Debug, Default)]
pub struct Journal {
    /// Bytes that cannot be read as records.
    pub damages: Vec<Damage>,
    /// Batches whose content is damaged, by their places.
    pub batches: BTreeMap<(SegmentId, u64), ScannedBatch>,
    /// Behind the last offset of each partition.
    pub ends: HashMap<PartitionId, Offset>,
}

/// Whether the index holds all that counts in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It does.
    All,
    /// As far as its tables go; how far that is differs from table to table.
    Tables,
}

/// Looks at all logs. Answers how many batches they have that may be read.
///
/// # Errors
/// [`Error::Index`].
pub fn check(
    index: &Index,
    reader: &journal::Reader,
    said: &Journal,
    catalogue: &Catalogue,
    holds: Holds,
    findings: &mut Findings,
) -> Result<u64> {
    let mut checking =
        Checking { index, reader, said, catalogue, holds, findings, batches: 0, logs: BTreeMap::new() };
    let mut log: Option<Log> = None;
    index.each_from(Table::Log, &[], &[], |key, value| {
        let row = keys::read_log(key).filter(|_| key.len() == 12).zip(BatchPlace::decode(value).ok());
        let Some(((partition, base), place)) = row else {
            checking.findings.add(Place::Table("log"), "a row cannot be read");
            return Ok(Continue::Yes);
        };
        if log.as_ref().is_none_or(|log| log.partition != partition) {
            let begun = checking.begin(partition)?;
            if let Some(done) = log.replace(begun) {
                checking.end(done);
            }
        }
        if let Some(log) = &mut log {
            checking.row(log, base, &place);
        }
        Ok(Continue::Yes)
    })?;
    log.into_iter().for_each(|log| checking.end(log));
    checking.ends();
    Ok(checking.batches)
}

/// Tells of the batches whose content is damaged, but for those that nobody may read.
pub fn check_batches(said: &Journal, catalogue: &Catalogue, findings: &mut Findings) {
    for ((segment, position), batch) in &said.batches {
        let (from, to) = (Offset(batch.header.base_offset), Offset(batch.header.last_offset() + 1));
        if catalogue.partition(batch.partition).is_some_and(|row| row.log_start >= to) {
            continue;
        }
        let partition = catalogue.named(batch.partition);
        let place = Place::Offsets { partition, from, to, lies: Some((*segment, *position)) };
        findings.add(place, "the content of the batch is damaged");
    }
}

/// A log that is looked at.
struct Log {
    partition: PartitionId,
    /// Whether it may be read at all.
    is_living: bool,
    start: Offset,
    /// Behind the last row.
    end: Offset,
    /// Rows of the other tables that lead to batches: base offset to what is said of it.
    times: BTreeMap<Offset, i64>,
    epochs: BTreeMap<Offset, i32>,
}

struct Checking<'a> {
    index: &'a Index,
    reader: &'a journal::Reader,
    said: &'a Journal,
    catalogue: &'a Catalogue,
    holds: Holds,
    findings: &'a mut Findings,
    batches: u64,
    /// The ends of the logs that have rows.
    logs: BTreeMap<PartitionId, Offset>,
}

impl Checking<'_> {
    fn begin(&mut self, partition: PartitionId) -> Result<Log> {
        let row = self.catalogue.partition(partition).copied();
        let is_living = row.is_some_and(|row| !row.is_deleted());
        let start = row.map_or(Offset(0), |row| row.log_start);
        let mut log =
            Log { partition, is_living, start, end: start, times: BTreeMap::new(), epochs: BTreeMap::new() };
        if row.is_none() && self.holds == Holds::All {
            self.findings.add(self.offsets(partition, start, start, None), "it has batches, and no topic");
        }
        if is_living {
            self.leading(partition, &mut log)?;
        }
        Ok(log)
    }

    /// The rows of `times` and `epochs`.
    fn leading(&mut self, partition: PartitionId, log: &mut Log) -> Result<()> {
        let prefix = keys::partitions(partition);
        for (table, key_bytes) in [(Table::Times, 12), (Table::Epochs, 8)] {
            let mut damaged = 0_u32;
            self.index.each_from(table, &prefix, &prefix, |key, value| {
                let base = value.try_into().ok().map(|bytes| Offset(i64::from_be_bytes(bytes)));
                let Some(base) = base.filter(|_| key.len() == key_bytes) else {
                    damaged += 1;
                    return Ok(Continue::Yes);
                };
                if let Some(epoch) = key.get(4..).and_then(|key| key.try_into().ok()) {
                    log.epochs.insert(base, i32::from_be_bytes(epoch));
                } else if let Some((_, time)) = keys::read_log(key) {
                    log.times.insert(base, time.0);
                }
                Ok(Continue::Yes)
            })?;
            for _ in 0..damaged {
                self.findings.add(Place::Table(table.name()), "a row cannot be read");
            }
        }
        Ok(())
    }

    fn row(&mut self, log: &mut Log, base: Offset, place: &BatchPlace) {
        let end = base.plus(i64::from(place.last_offset_delta) + 1);
        let at = Some((place.segment, place.position));
        if !log.is_living || end <= log.start {
            return;
        }
        self.batches += 1;
        let partition = log.partition;
        if base > log.end {
            self.findings.add(self.offsets(partition, log.end, base, None), "no batch has them");
        } else if base < log.end && log.end > log.start {
            self.findings.add(self.offsets(partition, base, log.end, at), "two batches have them");
        }
        log.end = log.end.max(end);
        let time = log.times.remove(&base).filter(|time| *time != place.max_timestamp);
        let epoch = log.epochs.remove(&base).filter(|epoch| *epoch != place.leader_epoch);
        for (table, is_wrong) in [("times", time.is_some()), ("epochs", epoch.is_some())] {
            if is_wrong {
                let what = format!("table {table} says something else of it than the log");
                self.findings.add(self.offsets(partition, base, end, at), what);
            }
        }
        if let Some(what) = self.wrong_place(partition, base, place) {
            self.findings.add(self.offsets(partition, base, end, at), what);
        }
    }

    /// What is wrong with what a row leads to.
    fn wrong_place(&self, partition: PartitionId, base: Offset, place: &BatchPlace) -> Option<&'static str> {
        if self.said.batches.contains_key(&(place.segment, place.position)) {
            // Told with the others of its kind.
            return None;
        }
        let end = place.position + u64::from(place.length);
        let is_in = |damage: &Damage| {
            damage.segment == place.segment
                && place.position < damage.to.max(damage.from + 1)
                && end > damage.from
        };
        if self.said.damages.iter().any(is_in) {
            // What is damaged may be the record around it.
            let read = self.reader.read(place.segment, place.position, place.length as usize);
            let is_whole = read.is_ok_and(|bytes| reader::check(partition, base, place, &bytes).is_ok());
            return (!is_whole).then_some("it lies where the journal is damaged");
        }
        let from = place.position.saturating_sub(4);
        let bytes = match self.reader.read(place.segment, from, 4 + BATCH_HEADER_BYTES) {
            Ok(bytes) => bytes,
            Err(Error::MissingSegment(..)) => return Some("its segment is missing"),
            Err(_) => return Some("it leads behind the end of its segment"),
        };
        let (owner, batch) = bytes.split_at_checked(4)?;
        let header = BatchHeader::parse(batch)?;
        let is_that = owner == partition.0.to_be_bytes()
            && header.magic == MAGIC
            && header.base_offset == base.0
            && header.total_bytes() == Some(place.length as usize)
            && header.last_offset_delta == place.last_offset_delta
            && header.max_timestamp == place.max_timestamp
            && header.leader_epoch == place.leader_epoch
            && header.attributes.0 == place.attributes;
        (!is_that).then_some("it leads to something else than the batch")
    }

    fn end(&mut self, log: Log) {
        self.logs.insert(log.partition, log.end);
        let leading = log.times.keys().map(|base| ("times", base));
        for (table, base) in leading.chain(log.epochs.keys().map(|base| ("epochs", base))) {
            if *base >= log.start {
                let what = format!("table {table} leads to a batch that is not there");
                self.findings.add(self.offsets(log.partition, *base, *base, None), what);
            }
        }
    }

    /// Each log must end where the journal says.
    fn ends(&mut self) {
        if self.holds == Holds::Tables {
            return;
        }
        for (partition, start) in self.catalogue.living() {
            let end = self.logs.get(&partition).copied().unwrap_or(start);
            let said = self.said.ends.get(&partition).copied().unwrap_or(start);
            if said > end {
                self.findings
                    .add(self.offsets(partition, end, said, None), "the journal has them, the index has not");
            }
        }
    }

    fn offsets(&self, id: PartitionId, from: Offset, to: Offset, lies: Option<(SegmentId, u64)>) -> Place {
        Place::Offsets { partition: self.catalogue.named(id), from, to, lies }
    }
}
