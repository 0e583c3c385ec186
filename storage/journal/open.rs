//! Opening the journal after a stop of any kind: what counts, what is cut, what is written again.

use super::record::{RECORD_HEADER_BYTES, RecordHeader};
use super::scan::{ScannedRecord, Scanner, Step};
use super::segment::{self, SEGMENT_HEADER_BYTES, SegmentHeader};
use super::writer::{Writer, WriterStart};
use crate::checkpoint::Checkpoint;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::ids::{SegmentId, Sequence};
use bytes::BufMut;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A record to apply, and the segment that it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The segment.
    pub segment: SegmentId,
    /// The record.
    pub record: ScannedRecord,
}

/// How the journal is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The folder of the segments.
    pub folder: PathBuf,
    /// Bytes after which the next segment is started.
    pub segment_bytes: u64,
    /// From where on records must be applied; `None` from the very first.
    pub checkpoint: Option<Checkpoint>,
}

/// Reads what must be applied, and creates a new segment to write to. All that is returned is
/// durable: what was not known to be so stands in the new segment again.
///
/// # Errors
/// [`Error::MissingSegment`] and [`Error::Corrupt`] when something that was synced is not there
/// whole, with nothing changed; [`Error::Io`].
pub fn open(disk: Arc<dyn Disk>, options: OpenOptions) -> Result<(Writer, Vec<Recovered>)> {
    let segments = relevant_segments(disk.as_ref(), &options)?;
    let Some((last, before)) = segments.split_last() else {
        let first = WriterStart {
            folder: options.folder,
            segment_bytes: options.segment_bytes,
            start: 0,
            segment: SegmentId(1),
            first: Sequence(1),
            seed: segment::new_seed(),
        };
        return Ok((Writer::create(disk, first, &[])?, Vec::new()));
    };
    let mut reading = Reading::new(disk.as_ref(), &options);
    for (header, next) in before.iter().zip(segments.iter().skip(1)) {
        reading.read_sealed(header, next.first)?;
    }
    let tail = reading.read_last(last)?;
    let (synced, mut recovered) = (reading.synced, reading.recovered);
    let start = WriterStart {
        folder: options.folder.clone(),
        segment_bytes: options.segment_bytes,
        start: last.start + 1,
        segment: last.segment.next(),
        // The tail, if there is one, begins right behind what is known to be synced.
        first: synced.next(),
        seed: segment::new_seed(),
    };
    // The newest may have its name from a start that died before it made that durable. With the next one's
    // name on the disk and not its own, a segment would be missing.
    disk.sync_folder(&options.folder).map_err(Error::io("syncing", &options.folder))?;
    let moved = move_tail(disk.as_ref(), &options.folder, last.segment, &start, tail)?;
    recovered.extend(moved.records.into_iter().map(|record| Recovered { segment: start.segment, record }));
    Ok((Writer::create(disk, start, &moved.encoded)?, recovered))
}

/// The headers of the segments from the checkpoint's on, without a gap.
fn relevant_segments(disk: &dyn Disk, options: &OpenOptions) -> Result<Vec<SegmentHeader>> {
    let all = segment::list(disk, &options.folder)?;
    let first = options.checkpoint.map_or(SegmentId(1), |checkpoint| checkpoint.segment);
    let relevant: Vec<_> = all.into_iter().filter(|segment| *segment >= first).collect();
    let missing = |segment| Error::MissingSegment(segment, options.folder.clone());
    if relevant.is_empty() && options.checkpoint.is_some() {
        return Err(missing(first));
    }
    for (segment, expected) in relevant.iter().zip((first.0..).map(SegmentId)) {
        if *segment != expected {
            return Err(missing(expected));
        }
    }
    relevant.into_iter().map(|segment| SegmentHeader::read(disk, &options.folder, segment)).collect()
}

/// The state of reading through the segments.
struct Reading<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    /// Where the first segment's first record to apply stands.
    skip: Option<Checkpoint>,
    /// The number of the next record.
    next: Sequence,
    /// The largest number known to be synced.
    synced: Sequence,
    recovered: Vec<Recovered>,
}

impl<'a> Reading<'a> {
    fn new(disk: &'a dyn Disk, options: &'a OpenOptions) -> Self {
        let applied = options.checkpoint.map_or(Sequence(0), |checkpoint| checkpoint.sequence);
        Self {
            disk,
            folder: &options.folder,
            skip: options.checkpoint,
            next: applied.next(),
            synced: applied,
            recovered: Vec::new(),
        }
    }

    /// A segment that others follow: all of its records before the next segment's first are synced,
    /// and those from it on do not count, because they stand in the next segment again.
    fn read_sealed(&mut self, header: &SegmentHeader, next_first: Sequence) -> Result<()> {
        self.synced = self.synced.max(next_first.previous());
        let (mut scanner, mut position) = self.begin(header)?;
        while self.next < next_first {
            match scanner.at(position).map_err(Error::io("reading", self.folder))? {
                Step::Record(record) if record.header.sequence == self.next => {
                    position += record.bytes;
                    self.take(header.segment, record);
                }
                Step::Record(_) => return Err(self.corrupt(header, position, "a record is missing")),
                Step::End => return Err(self.corrupt(header, position, "the segment is too short")),
                Step::Torn(reason) => return Err(self.corrupt(header, position, reason)),
            }
        }
        Ok(())
    }

    /// The newest segment: read to the first record that is not whole. Answers the whole records
    /// that are not known to be synced, which are not counted as recovered yet.
    fn read_last(&mut self, header: &SegmentHeader) -> Result<Vec<ScannedRecord>> {
        self.synced = self.synced.max(header.first.previous());
        let (mut scanner, mut position) = self.begin(header)?;
        let begun = self.recovered.len();
        let torn = loop {
            match scanner.at(position).map_err(Error::io("reading", self.folder))? {
                Step::Record(record) if record.header.sequence == self.next => {
                    position += record.bytes;
                    self.take(header.segment, record);
                }
                Step::Record(_) => return Err(self.corrupt(header, position, "a record is missing")),
                Step::Torn(reason) => break Some(reason),
                Step::End => break None,
            }
        };
        if self.next <= self.synced {
            return Err(self.corrupt(header, position, torn.unwrap_or("the segment is too short")));
        }
        if let Some(reason) = torn {
            self.check_cut(&mut scanner, header, position, reason)?;
        }
        let synced = self.synced;
        let unsynced = self.recovered.iter().skip(begun).position(|it| it.record.header.sequence > synced);
        let tail = unsynced.map_or(Vec::new(), |at| self.recovered.split_off(begun + at));
        self.whole_part(&scanner, tail.into_iter().map(|it| it.record).collect())
    }

    /// Refuses to cut where a later record says that what is cut had been synced.
    fn check_cut(
        &self,
        scanner: &mut Scanner,
        header: &SegmentHeader,
        position: u64,
        reason: &'static str,
    ) -> Result<()> {
        let next = self.next;
        // What was written into other segments is not whole here, because of its seed.
        let contradicts = |record: &ScannedRecord| record.header.synced >= next;
        let later = scanner.find(position, contradicts).map_err(Error::io("reading", self.folder))?;
        later.map_or(Ok(()), |_| Err(self.corrupt(header, position, reason)))
    }

    /// The records before the first whose batches are not whole.
    fn whole_part(&self, scanner: &Scanner, mut tail: Vec<ScannedRecord>) -> Result<Vec<ScannedRecord>> {
        let mut whole = 0;
        'records: for record in &tail {
            for batch in &record.batches {
                if !scanner.is_batch_whole(batch).map_err(Error::io("reading", self.folder))? {
                    break 'records;
                }
            }
            whole += 1;
        }
        tail.truncate(whole);
        Ok(tail)
    }

    fn begin(&mut self, header: &SegmentHeader) -> Result<(Scanner, u64)> {
        let path = segment::path(self.folder, header.segment);
        let file = self.disk.open(&path).map_err(Error::io("opening", &path))?;
        let scanner = Scanner::new(file, header.seed).map_err(Error::io("reading", &path))?;
        let position = match self.skip.take() {
            Some(checkpoint) if checkpoint.segment == header.segment => {
                if checkpoint.position > scanner.bytes() {
                    return Err(self.corrupt(header, checkpoint.position, "the segment is too short"));
                }
                checkpoint.position
            }
            Some(_) | None => {
                if header.first != self.next {
                    return Err(self.corrupt(header, 0, "the segment does not begin with the next record"));
                }
                SEGMENT_HEADER_BYTES as u64
            }
        };
        Ok((scanner, position))
    }

    fn take(&mut self, segment: SegmentId, record: ScannedRecord) {
        self.synced = self.synced.max(record.header.synced);
        self.next = record.header.sequence.next();
        self.recovered.push(Recovered { segment, record });
    }

    fn corrupt(&self, header: &SegmentHeader, position: u64, reason: &'static str) -> Error {
        Error::Corrupt { segment: header.segment, position, sequence: self.next, reason }
    }
}

/// Records on their way into a new segment.
struct Moved {
    encoded: Vec<Vec<u8>>,
    records: Vec<ScannedRecord>,
}

/// Encodes the tail again, under the new start, with the places that it will have.
fn move_tail(
    disk: &dyn Disk,
    folder: &Path,
    from: SegmentId,
    to: &WriterStart,
    tail: Vec<ScannedRecord>,
) -> Result<Moved> {
    let path = segment::path(folder, from);
    let file = disk.open(&path).map_err(Error::io("opening", &path))?;
    let mut moved = Moved { encoded: Vec::new(), records: Vec::new() };
    let mut position = SEGMENT_HEADER_BYTES as u64;
    for mut record in tail {
        let body_bytes = record.bytes as usize - RECORD_HEADER_BYTES;
        let body = file
            .read_exact_at(record.position + RECORD_HEADER_BYTES as u64, body_bytes)
            .map_err(Error::io("reading", &path))?;
        record.header = RecordHeader {
            start: to.start,
            sequence: record.header.sequence,
            synced: record.header.sequence.previous(),
        };
        let mut bytes = Vec::with_capacity(record.bytes as usize);
        record.header.write(&mut bytes, to.seed, body.len() as u32, record.body_sum);
        bytes.put_slice(&body);
        for batch in &mut record.batches {
            batch.position = batch.position - record.position + position;
        }
        record.position = position;
        position += record.bytes;
        moved.encoded.push(bytes);
        moved.records.push(record);
    }
    Ok(moved)
}
