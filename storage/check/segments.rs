//! Walking through all that counts of a journal, over damage.
//!
//! What counts is what an opening would find: records of a segment count up to the first number of
//! the next one, and in the newest segment what is not whole and not known to be synced is a torn end
//! and no damage. Behind damage the walk goes on at the next whole record.

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::ids::{SegmentId, Sequence};
use crate::journal::ScannedRecord;
use crate::journal::scan::{Scanner, Step};
use crate::journal::segment::{self, SEGMENT_HEADER_BYTES, SegmentHeader};
use std::collections::VecDeque;
use std::path::Path;

/// Something in the journal.
#[derive(Debug)]
pub enum Found<'a> {
    /// A whole record.
    Record {
        /// Its segment.
        segment: SegmentId,
        /// The record.
        record: &'a ScannedRecord,
        /// For each of its batches whether the batch's own checksum matches.
        whole: &'a [bool],
    },
    /// Bytes that should be records and are not.
    Damage(Damage),
}

/// Bytes that should be whole records, or a part of a segment that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub segment: SegmentId,
    /// The first damaged byte.
    pub from: u64,
    /// Behind the last one; the same where bytes are missing.
    pub to: u64,
    /// The record that should begin there.
    pub first: Sequence,
    /// The next record that is whole, or the first that cannot be in there.
    pub next: Sequence,
    /// What is wrong.
    pub reason: String,
}

/// What was walked through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Segments.
    pub segments: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Whole records that count.
    pub records: u64,
    /// Batches in them.
    pub batches: u64,
    /// The last start of the broker that a segment tells of, and for each segment that does not tell
    /// any more one start more.
    pub start: u32,
    /// Behind the last record that counts.
    pub end: Sequence,
}

/// Bytes of all segments, for whoever shows progress.
///
/// # Errors
/// [`Error::Io`].
pub fn bytes(disk: &dyn Disk, folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for segment in segment::list(disk, folder)? {
        let path = segment::path(folder, segment);
        let file = disk.open(&path).map_err(Error::io("opening", &path))?;
        bytes += file.len().map_err(Error::io("reading", &path))?;
    }
    Ok(bytes)
}

/// The last start of the broker that a segment tells of, as [`Walked::start`].
///
/// # Errors
/// [`Error::Io`] when the folder cannot be listed.
pub fn last_start(disk: &dyn Disk, folder: &Path) -> Result<u32> {
    let mut walk = Walk { disk, folder, found: &mut |_| Ok(()), next: None, walked: Walked::default() };
    for segment in segment::list(disk, folder)? {
        walk.header(segment);
    }
    Ok(walk.walked.start)
}

/// Walks through the journal in a folder. Records up to `synced` are known to be synced from elsewhere.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be listed; those of `found`.
pub fn walk(
    disk: &dyn Disk,
    folder: &Path,
    synced: Sequence,
    found: &mut dyn FnMut(Found<'_>) -> Result<()>,
) -> Result<Walked> {
    let segments = segment::list(disk, folder)?;
    let mut walk = Walk { disk, folder, found, next: None, walked: Walked::default() };
    let mut heads: VecDeque<_> = segments.iter().map(|segment| walk.header(*segment)).collect();
    let mut before = None;
    while let Some(Head { header, damage }) = heads.pop_front() {
        walk.walked.segments += 1;
        if let Some(damage) = damage {
            (walk.found)(Found::Damage(damage))?;
        }
        if let Some(header) = &header {
            walk.check_number(before, header)?;
            let limit = match heads.iter().find_map(|head| head.header) {
                Some(next) if next.segment == header.segment.next() => Limit::Next(next.first),
                Some(later) => Limit::Told { synced: Sequence(0), before: later.first },
                None => Limit::Told { synced, before: Sequence(u64::MAX) },
            };
            walk.segment(header, limit)?;
        }
        before = header.map(|header| header.segment);
    }
    walk.walked.end = walk.next.unwrap_or(Sequence(1));
    Ok(walk.walked)
}

/// Up to where the records of a segment must be whole.
#[derive(Debug, Clone, Copy)]
enum Limit {
    /// Up to the first record of the next segment, which does not count here.
    Next(Sequence),
    /// The next segment does not tell, because there is none, it was freed, or it is damaged: as far as
    /// something says that it was synced, this record at least, and never up to the other.
    Told { synced: Sequence, before: Sequence },
}

/// A segment's header as far as it can be told.
struct Head {
    header: Option<SegmentHeader>,
    damage: Option<Damage>,
}

struct Walk<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    found: &'a mut dyn FnMut(Found<'_>) -> Result<()>,
    /// The number of the next record; `None` before the first.
    next: Option<Sequence>,
    walked: Walked,
}

impl Walk<'_> {
    /// A segment's header, and what is wrong with it. One wrong byte is put right, because the checksum
    /// says which it was.
    fn header(&mut self, segment: SegmentId) -> Head {
        let read = SegmentHeader::read(self.disk, self.folder, segment);
        let (header, reason) = match read {
            Ok(header) => (Some(header), None),
            Err(Error::Corrupt { reason, .. }) => (self.repaired(segment), Some(reason.to_owned())),
            Err(error) => (None, Some(error.to_string())),
        };
        match header {
            Some(header) => self.walked.start = self.walked.start.max(header.start),
            None => self.walked.start += 1,
        }
        let damage = reason.map(|reason| {
            let told = (SEGMENT_HEADER_BYTES as u64, reason.clone());
            let untold = || {
                (self.length(segment), format!("{reason}, so that its records cannot be told from chance"))
            };
            let (to, reason) = header.map_or_else(untold, |_| told);
            Damage { segment, from: 0, to, first: Sequence(0), next: Sequence(0), reason }
        });
        Head { header, damage }
    }

    fn length(&self, segment: SegmentId) -> u64 {
        let file = self.disk.open(&segment::path(self.folder, segment));
        file.and_then(|file| file.len()).unwrap_or(0)
    }

    fn repaired(&self, segment: SegmentId) -> Option<SegmentHeader> {
        let file = self.disk.open(&segment::path(self.folder, segment)).ok()?;
        let mut bytes = file.read_at(0, SEGMENT_HEADER_BYTES).ok()?;
        for place in 0..bytes.len() {
            let byte = *bytes.get(place)?;
            for value in 0..=u8::MAX {
                *bytes.get_mut(place)? = value;
                let header = SegmentHeader::decode(&bytes);
                if let Some(header) = header.filter(|header| header.segment == segment) {
                    return Some(header);
                }
            }
            *bytes.get_mut(place)? = byte;
        }
        None
    }

    /// Between two segments that follow each other no record is missing. A gap of segments is one that
    /// was freed, or whose loss shows in the logs of the partitions.
    fn check_number(&mut self, before: Option<SegmentId>, header: &SegmentHeader) -> Result<()> {
        let follows = before.is_some_and(|before| before.next() == header.segment);
        let expected = self.next.replace(header.first).filter(|_| follows);
        match expected.filter(|expected| *expected < header.first) {
            Some(first) => {
                self.damage(header.segment, (0, 0), first, header.first, "records are missing before it")
            }
            None => Ok(()),
        }
    }

    fn damage(
        &mut self,
        segment: SegmentId,
        (from, to): (u64, u64),
        first: Sequence,
        next: Sequence,
        reason: &str,
    ) -> Result<()> {
        self.next = Some(next);
        (self.found)(Found::Damage(Damage { segment, from, to, first, next, reason: reason.to_owned() }))
    }

    fn segment(&mut self, header: &SegmentHeader, limit: Limit) -> Result<()> {
        let path = segment::path(self.folder, header.segment);
        let file = self.disk.open(&path).map_err(Error::io("opening", &path))?;
        let mut scanner = Scanner::new(file, header.seed).map_err(Error::io("reading", &path))?;
        self.walked.bytes += scanner.bytes();
        let mut position = SEGMENT_HEADER_BYTES as u64;
        let walked = self.records(&mut scanner, header, limit, &mut position);
        match walked {
            Err(Error::Io { source, .. }) => {
                let (next, end) = (self.next.unwrap_or(header.first), scanner.bytes());
                let reason = format!("the disk cannot read it: {source}");
                self.damage(header.segment, (position, end), next, next.next(), &reason)
            }
            walked => walked,
        }
    }

    fn records(
        &mut self,
        scanner: &mut Scanner,
        header: &SegmentHeader,
        limit: Limit,
        position: &mut u64,
    ) -> Result<()> {
        let path = segment::path(self.folder, header.segment);
        let reading = || Error::io("reading", &path);
        let (end, before) = match limit {
            Limit::Next(next) => (next, next),
            Limit::Told { synced, before } => {
                let synced = known_synced(scanner, header).map_err(reading())?.max(synced);
                (synced.next().min(before), before)
            }
        };
        loop {
            let next = self.next.unwrap_or(header.first);
            if next >= before {
                return Ok(());
            }
            let is_synced = next < end;
            let reason = match scanner.at(*position).map_err(reading())? {
                Step::Record(record) if record.header.sequence == next => {
                    if !self.take(scanner, header.segment, &record, is_synced)? {
                        return Ok(());
                    }
                    *position += record.bytes;
                    continue;
                }
                Step::Record(record) if record.header.sequence > next => {
                    let found = record.header.sequence;
                    self.damage(header.segment, (*position, *position), next, found, "a record is missing")?;
                    continue;
                }
                Step::Record(_) => "a record stands there twice",
                Step::End | Step::Torn(_) if !is_synced => return Ok(()),
                Step::End => {
                    return self.damage(
                        header.segment,
                        (*position, *position),
                        next,
                        end,
                        "the segment is too short",
                    );
                }
                Step::Torn(reason) => reason,
            };
            let is_later =
                |record: &ScannedRecord| record.header.sequence > next && record.header.sequence < before;
            let resumed = scanner.find(*position, is_later).map_err(reading())?;
            let Some(resumed) = resumed else {
                return self.damage(header.segment, (*position, scanner.bytes()), next, end, reason);
            };
            let found = resumed.header.sequence;
            self.damage(header.segment, (*position, resumed.position), next, found, reason)?;
            *position = resumed.position;
        }
    }

    /// Hands out a record. Answers false where the torn end of the journal begins with it.
    fn take(
        &mut self,
        scanner: &Scanner,
        segment: SegmentId,
        record: &ScannedRecord,
        is_synced: bool,
    ) -> Result<bool> {
        let mut whole = Vec::with_capacity(record.batches.len());
        for batch in &record.batches {
            whole.push(scanner.is_batch_whole(batch).unwrap_or(false));
        }
        if !is_synced && whole.contains(&false) {
            return Ok(false);
        }
        self.walked.records += 1;
        self.walked.batches += whole.len() as u64;
        self.next = Some(record.header.sequence.next());
        (self.found)(Found::Record { segment, record, whole: &whole })?;
        Ok(true)
    }
}

/// The last record that something in the segment says was synced.
fn known_synced(scanner: &mut Scanner, header: &SegmentHeader) -> std::io::Result<Sequence> {
    let mut synced = header.first.previous();
    let mut position = SEGMENT_HEADER_BYTES as u64;
    loop {
        let record = match scanner.at(position)? {
            Step::Record(record) => record,
            Step::End => return Ok(synced),
            Step::Torn(_) => match scanner.find(position, |_| true)? {
                Some(record) => record,
                None => return Ok(synced),
            },
        };
        synced = synced.max(record.header.synced);
        position = record.position + record.bytes;
    }
}
