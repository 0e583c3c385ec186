//! Appending records to the newest segment, and starting a new one when it is full.

use super::record::{
    BODY_BYTES_MAX, Body, KEY_BYTES_MAX, PlacedBatch, RECORD_HEADER_BYTES, RecordHeader, batch_pieces,
};
use super::segment::{self, SEGMENT_HEADER_BYTES, SegmentHeader};
use super::syncer::{Syncer, Syncing};
use crate::crash_points::{Point, reach, reach_by};
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::ids::{SegmentId, Sequence};
use bytes::{Bytes, BytesMut};
use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

/// Pieces shorter than this are copied into one buffer: a system call's overhead per piece costs more.
const PIECE_BYTES_MIN: usize = 2048;

/// Where an appended record lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPlace {
    /// The segment.
    pub segment: SegmentId,
    /// The record's number.
    pub sequence: Sequence,
    /// Position of each of its batches in the segment, in bytes.
    pub batches: Vec<u64>,
}

/// The writing end of the journal. There is one, and it is used from one thread.
///
/// - A record's number follows the one before without a gap.
/// - The newest segment is synced before the first record of the next one is written.
/// - A record counts as synced when a sync that began after it was written has ended well.
/// - After a failed write or sync nothing is written any more: what is on the disk is not known.
#[derive(Debug)]
pub struct Writer {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    segment_bytes: u64,
    start: u32,
    seed: u32,
    segment: SegmentId,
    file: Arc<dyn DiskFile>,
    position: u64,
    /// Bytes of all records since the writer was created.
    appended_bytes: u64,
    /// The number of the last record that was written.
    written: Sequence,
    /// The number of the last record that was synced.
    synced: Sequence,
    syncer: Syncer,
    /// The sync on its way, and the number of the last record that it covers.
    syncing: Option<(Syncing, Sequence)>,
    failure: Option<String>,
    gather: Gather,
}

/// Where a new writer begins.
#[derive(Debug)]
pub struct WriterStart {
    /// The folder of the segments.
    pub folder: PathBuf,
    /// Bytes after which the next segment is started.
    pub segment_bytes: u64,
    /// Number of this start of the broker.
    pub start: u32,
    /// The segment to create.
    pub segment: SegmentId,
    /// The number of its first record.
    pub first: Sequence,
    /// The seed of its records' checksums.
    pub seed: u32,
}

impl Writer {
    /// Creates a segment that begins with `records`, which are encoded and numbered from
    /// [`WriterStart::first`]; it counts, and they are durable, when this returns.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(disk: Arc<dyn Disk>, start: WriterStart, records: &[Vec<u8>]) -> Result<Self> {
        let WriterStart { segment, first, start: number, seed, .. } = start;
        let header = SegmentHeader { segment, first, start: number, seed };
        let (file, position) = create_segment(disk.as_ref(), &start.folder, &header, records)?;
        let written = Sequence(first.0 + records.len() as u64).previous();
        Ok(Self {
            disk,
            folder: start.folder,
            segment_bytes: start.segment_bytes,
            start: number,
            seed,
            segment,
            file,
            position,
            appended_bytes: 0,
            written,
            synced: written,
            syncer: Syncer::default(),
            syncing: None,
            failure: None,
            gather: Gather::default(),
        })
    }

    /// Writes records, as one group. They survive the process from now on, and a power failure
    /// from the next [`Writer::sync`] on.
    ///
    /// # Errors
    /// [`Error::RecordTooLarge`], with nothing written; [`Error::Io`], after which every call
    /// answers [`Error::Stopped`].
    pub fn append(&mut self, bodies: &[Body]) -> Result<Vec<RecordPlace>> {
        self.check()?;
        for body in bodies {
            check_size(body)?;
        }
        let bytes: u64 = bodies.iter().map(|body| (RECORD_HEADER_BYTES + body.bytes()) as u64).sum();
        if self.position > SEGMENT_HEADER_BYTES as u64 && self.position + bytes > self.segment_bytes {
            self.roll()?;
        }
        let places = bodies.iter().map(|body| self.encode(body)).collect();
        reach(Point::AppendBegins);
        let outcome = self.gather.append_to(self.file.as_ref());
        self.guard("writing", outcome)?;
        reach(Point::Appended);
        Ok(places)
    }

    /// Begins to make durable what was appended so far, on a thread beside this one, unless that is on
    /// its way already. `done` is called there when [`Writer::end_sync`] does not have to wait any more;
    /// until then more may be appended, which the next sync makes durable.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no thread, after which every call answers [`Error::Stopped`].
    pub fn begin_sync(&mut self, done: impl FnOnce() + Send + 'static) -> Result<()> {
        self.check()?;
        if self.syncing.is_none() {
            let begun = self.syncer.begin(self.disk.as_ref(), Arc::clone(&self.file), done);
            let syncing = self.guard("syncing", begun)?;
            self.syncing = Some((syncing, self.written));
        }
        Ok(())
    }

    /// Waits for the sync that was begun, if one was.
    ///
    /// # Errors
    /// [`Error::Io`], after which every call answers [`Error::Stopped`].
    pub fn end_sync(&mut self) -> Result<()> {
        if let Some((syncing, covered)) = self.syncing.take() {
            self.guard("syncing", syncing.wait())?;
            self.synced = covered;
        }
        Ok(())
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// [`Error::Io`], after which every call answers [`Error::Stopped`].
    pub fn sync(&mut self) -> Result<()> {
        // One after the other: of two that run at once the system may tell one of a failure only.
        self.end_sync()?;
        self.check()?;
        if self.synced < self.written {
            reach(Point::SyncBegins);
            let outcome = self.file.sync();
            self.guard("syncing", outcome)?;
            reach(Point::Synced);
            self.synced = self.written;
        }
        Ok(())
    }

    /// The number of the last record written.
    pub fn written(&self) -> Sequence {
        self.written
    }

    /// The number of the last record that is known to be synced.
    pub fn synced(&self) -> Sequence {
        self.synced
    }

    /// Bytes of all records that were appended since the start.
    pub fn appended_bytes(&self) -> u64 {
        self.appended_bytes
    }

    /// The segment that is written to, and the bytes in it.
    pub fn position(&self) -> (SegmentId, u64) {
        (self.segment, self.position)
    }

    /// Bytes that are free on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn free_bytes(&self) -> Result<u64> {
        self.disk.free_bytes(&self.folder).map_err(Error::io("asking for the free space of", &self.folder))
    }

    /// Which start of the broker this is, from 0.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Whether all further writes fail.
    pub fn has_stopped(&self) -> bool {
        self.failure.is_some()
    }

    /// Lets all further writes fail, because what the disk or the index holds is not known any more.
    pub fn stop(&mut self, reason: String) {
        self.failure.get_or_insert(reason);
    }

    fn encode(&mut self, body: &Body) -> RecordPlace {
        self.written = self.written.next();
        let header = RecordHeader { start: self.start, sequence: self.written, synced: self.synced };
        encode_record(&header, self.seed, body, &mut self.gather);
        let end = self.position + (RECORD_HEADER_BYTES + body.bytes()) as u64;
        let mut position = end - body.batches.iter().map(batch_bytes).sum::<u64>();
        let mut batches = Vec::with_capacity(body.batches.len());
        for placed in &body.batches {
            batches.push(position + 4);
            position += batch_bytes(placed);
        }
        self.appended_bytes += end - self.position;
        self.position = end;
        RecordPlace { segment: self.segment, sequence: self.written, batches }
    }

    /// The old segment is whole and synced before the new one can count.
    fn roll(&mut self) -> Result<()> {
        self.sync()?;
        reach(Point::SegmentEnded);
        let header = SegmentHeader {
            segment: self.segment.next(),
            first: self.written.next(),
            start: self.start,
            seed: segment::new_seed(),
        };
        let created = create_segment(self.disk.as_ref(), &self.folder, &header, &[]);
        let (file, position) = match created {
            Ok(created) => created,
            Err(error) => {
                self.stop(error.to_string());
                return Err(error);
            }
        };
        (self.segment, self.seed) = (header.segment, header.seed);
        self.file = file;
        self.position = position;
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.failure.as_ref().map_or(Ok(()), |reason| Err(Error::Stopped(reason.clone())))
    }

    fn guard<T>(&mut self, action: &'static str, outcome: std::io::Result<T>) -> Result<T> {
        outcome.map_err(|error| {
            let error = Error::io(action, segment::path(&self.folder, self.segment))(error);
            self.stop(error.to_string());
            error
        })
    }
}

fn batch_bytes(placed: &PlacedBatch) -> u64 {
    4 + placed.batch.len() as u64
}

/// What reading would refuse must not be written.
fn check_size(body: &Body) -> Result<()> {
    let keys = body.mutations.iter().map(|mutation| (mutation.key.len(), KEY_BYTES_MAX));
    let mut sizes = std::iter::once((body.bytes(), BODY_BYTES_MAX)).chain(keys);
    let too_large = sizes.find(|(bytes, max)| bytes > max);
    too_large.map_or(Ok(()), |(bytes, max)| Err(Error::RecordTooLarge { bytes, max }))
}

fn create_segment(
    disk: &dyn Disk,
    folder: &std::path::Path,
    header: &SegmentHeader,
    records: &[Vec<u8>],
) -> Result<(Arc<dyn DiskFile>, u64)> {
    let temporary = segment::temporary_path(folder, header.segment);
    let path = segment::path(folder, header.segment);
    let file = disk.create(&temporary).map_err(Error::io("creating", &temporary))?;
    reach(Point::SegmentCreated);
    let head = header.encode();
    let mut position = 0;
    for chunk in std::iter::once(&head).chain(records) {
        file.append(&mut [IoSlice::new(chunk)]).map_err(Error::io("writing", &temporary))?;
        position += chunk.len() as u64;
    }
    file.sync().map_err(Error::io("syncing", &temporary))?;
    reach(Point::SegmentWritten);
    disk.rename(&temporary, &path).map_err(Error::io("renaming", &temporary))?;
    reach(Point::SegmentNamed);
    disk.sync_folder(folder).map_err(Error::io("syncing", folder))?;
    Ok((file, position))
}

/// Encodes a record of a segment with that seed into one buffer.
pub fn encode_to_vec(header: &RecordHeader, seed: u32, body: &Body) -> Vec<u8> {
    let mut gather = Gather::default();
    encode_record(header, seed, body, &mut gather);
    gather.concat()
}

fn encode_record(header: &RecordHeader, seed: u32, body: &Body, gather: &mut Gather) {
    let mut head = std::mem::take(&mut gather.scratch);
    head.clear();
    body.write_head(&mut head);
    header.write(&mut gather.open, seed, body.bytes() as u32, body.sum(&head));
    gather.open.extend_from_slice(&head);
    gather.scratch = head;
    for placed in &body.batches {
        let (partition, head, records) = batch_pieces(placed);
        gather.open.extend_from_slice(&partition);
        gather.open.extend_from_slice(head);
        gather.put(records);
    }
}

/// The pieces of a group of records: small ones copied together, large ones by reference.
#[derive(Debug, Default)]
struct Gather {
    pieces: Vec<Bytes>,
    open: BytesMut,
    scratch: Vec<u8>,
}

impl Gather {
    fn put(&mut self, bytes: &Bytes) {
        if bytes.len() < PIECE_BYTES_MIN {
            self.open.extend_from_slice(bytes);
        } else {
            self.close();
            self.pieces.push(bytes.clone());
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push(self.open.split().freeze());
        }
    }

    /// Writes all that was gathered, and forgets it whatever comes of it.
    fn append_to(&mut self, file: &dyn DiskFile) -> std::io::Result<()> {
        self.close();
        let pieces = std::mem::take(&mut self.pieces);
        reach_by(Point::PartlyAppended, || append_part(&pieces, file));
        let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        file.append(&mut slices)
    }

    fn concat(mut self) -> Vec<u8> {
        self.close();
        self.pieces.concat()
    }
}

/// What a process leaves that dies while it writes.
fn append_part(pieces: &[Bytes], file: &dyn DiskFile) {
    let mut bytes = pieces.concat();
    // As many as no two groups have in common.
    bytes.truncate(crc32c::crc32c(&bytes) as usize % bytes.len());
    // Whatever comes of it is what a crash may leave.
    let _ = file.append(&mut [IoSlice::new(&bytes)]);
}
