//! Reading a segment record by record, when the journal is opened or checked.

use super::record::{
    BODY_BYTES_MAX, BODY_HEADER_BYTES, KEY_BYTES_MAX, Kind, Mutation, RECORD_HEADER_BYTES, RECORD_MAGIC,
    RecordHeader, sum_batch,
};
use crate::disk::DiskFile;
use crate::ids::{PartitionId, Sequence};
use crate::keys::Table;
use bytes::Buf;
use callboard_protocol::batch::header::{BATCH_HEADER_BYTES, BATCH_UNSUMMED_BYTES, BatchHeader};
use std::io;
use std::sync::Arc;

/// Bytes that are read at once.
const WINDOW_BYTES: usize = 256 << 10;

/// A record that was found whole: everything of it but the batches' content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedRecord {
    /// Its header.
    pub header: RecordHeader,
    /// Where it starts in the segment, in bytes.
    pub position: u64,
    /// Its bytes, header included.
    pub bytes: u64,
    /// The sum over its body, from which a header's checksum is made.
    pub body_sum: u32,
    /// The leader's term.
    pub term: u64,
    /// Changed rows.
    pub mutations: Vec<Mutation>,
    /// Its batches.
    pub batches: Vec<ScannedBatch>,
}

/// A batch in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScannedBatch {
    /// Its partition.
    pub partition: PartitionId,
    /// Its header.
    pub header: BatchHeader,
    /// Where the batch starts in the segment, in bytes.
    pub position: u64,
    /// Bytes of the whole batch.
    pub length: u32,
}

/// What is found at a position of a segment.
#[derive(Debug)]
pub enum Step {
    /// A whole record.
    Record(ScannedRecord),
    /// The end of the file.
    End,
    /// Something that is not a whole record, and why.
    Torn(&'static str),
}

/// Why bytes are not a record, or that they could not be read.
enum Fault {
    Torn(&'static str),
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a segment forwards.
#[derive(Debug)]
pub struct Scanner {
    file: Arc<dyn DiskFile>,
    seed: u32,
    file_bytes: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl Scanner {
    /// A scanner of a segment with that seed, as long as it is now.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(file: Arc<dyn DiskFile>, seed: u32) -> io::Result<Self> {
        let file_bytes = file.len()?;
        Ok(Self { file, seed, file_bytes, window: Vec::new(), window_start: 0 })
    }

    /// Bytes of the segment.
    pub fn bytes(&self) -> u64 {
        self.file_bytes
    }

    /// What stands at a position.
    ///
    /// # Errors
    /// What the system says.
    pub fn at(&mut self, position: u64) -> io::Result<Step> {
        if position >= self.file_bytes {
            return Ok(Step::End);
        }
        match self.record(position) {
            Ok(record) => Ok(Step::Record(record)),
            Err(Fault::Torn(reason)) => Ok(Step::Torn(reason)),
            Err(Fault::Io(error)) => Err(error),
        }
    }

    /// The first whole record behind a position for which `wanted` holds.
    ///
    /// # Errors
    /// What the system says.
    pub fn find(
        &mut self,
        after: u64,
        wanted: impl Fn(&ScannedRecord) -> bool,
    ) -> io::Result<Option<ScannedRecord>> {
        let magic = RECORD_MAGIC.to_be_bytes();
        let mut position = after + 1;
        while position + magic.len() as u64 <= self.file_bytes {
            let count = ((self.file_bytes - position) as usize).min(WINDOW_BYTES / 2);
            let Ok(window) = self.slice(position, count) else { break };
            let Some(found) = window.windows(magic.len()).position(|bytes| bytes == magic) else {
                position += (count - (magic.len() - 1)) as u64;
                continue;
            };
            position += found as u64;
            if let Step::Record(record) = self.at(position)?
                && wanted(&record)
            {
                return Ok(Some(record));
            }
            position += 1;
        }
        Ok(None)
    }

    /// Whether the content of a batch matches the batch's own checksum.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_batch_whole(&self, batch: &ScannedBatch) -> io::Result<bool> {
        let length = batch.length as usize;
        let bytes = self.file.read_at(batch.position, length)?;
        let checksum = callboard_protocol::batch::validate::checksum(&bytes);
        Ok(bytes.len() == length && checksum == batch.header.crc)
    }

    fn record(&mut self, position: u64) -> Result<ScannedRecord, Fault> {
        let mut field = self.slice(position, RECORD_HEADER_BYTES)?;
        if field.get_u32() != RECORD_MAGIC {
            return Err(Fault::Torn("no record starts here"));
        }
        let checksum = field.get_u32();
        let body_bytes = field.get_u32();
        let header = RecordHeader {
            start: field.get_u32(),
            sequence: Sequence(field.get_u64()),
            synced: Sequence(field.get_u64()),
        };
        let body = position + RECORD_HEADER_BYTES as u64;
        let end = body + u64::from(body_bytes);
        if body_bytes as usize > BODY_BYTES_MAX || end > self.file_bytes {
            return Err(Fault::Torn("the record is longer than the file"));
        }
        let mut cursor = Cursor { scanner: self, position: body, end, sum: 0 };
        let (term, mutations, batches) = cursor.body()?;
        let body_sum = cursor.sum;
        if header.checksum(self.seed, body_bytes, body_sum) != checksum {
            return Err(Fault::Torn("the record's checksum does not match"));
        }
        Ok(ScannedRecord { header, position, bytes: end - position, body_sum, term, mutations, batches })
    }

    /// `count` bytes at a position, from the window.
    fn slice(&mut self, position: u64, count: usize) -> Result<&[u8], Fault> {
        if position + count as u64 > self.file_bytes {
            return Err(Fault::Torn("the file ends inside a record"));
        }
        let window_end = self.window_start + self.window.len() as u64;
        if position < self.window_start || position + count as u64 > window_end {
            let wanted = count.max(WINDOW_BYTES).min((self.file_bytes - position) as usize);
            self.window = self.file.read_at(position, wanted)?;
            self.window_start = position;
        }
        let start = (position - self.window_start) as usize;
        self.window.get(start..start + count).ok_or(Fault::Torn("the file ends inside a record"))
    }
}

/// Walks through one body, summing as it goes.
struct Cursor<'a> {
    scanner: &'a mut Scanner,
    position: u64,
    end: u64,
    sum: u32,
}

type BodyParts = (u64, Vec<Mutation>, Vec<ScannedBatch>);

impl Cursor<'_> {
    fn body(&mut self) -> Result<BodyParts, Fault> {
        let mut field = self.take(BODY_HEADER_BYTES)?;
        let _group = field.get_u32();
        let term = field.get_u64();
        let _index = field.get_u64();
        if field.get_u8() != Kind::Commit as u8 {
            return Err(Fault::Torn("a record of an unknown kind"));
        }
        let (mutation_count, batch_count) = (field.get_u32(), field.get_u32());
        let mut mutations = Vec::new();
        for _ in 0..mutation_count {
            mutations.push(self.mutation()?);
        }
        let mut batches = Vec::new();
        for _ in 0..batch_count {
            batches.push(self.batch()?);
        }
        if self.position == self.end {
            Ok((term, mutations, batches))
        } else {
            Err(Fault::Torn("bytes are left behind the record's last batch"))
        }
    }

    fn mutation(&mut self) -> Result<Mutation, Fault> {
        let mut field = self.take(5)?;
        let table = Table::from_number(field.get_u8()).ok_or(Fault::Torn("an unknown table"))?;
        let key_bytes = field.get_u32() as usize;
        if key_bytes > KEY_BYTES_MAX {
            return Err(Fault::Torn("a key is too long"));
        }
        let key = self.take(key_bytes)?.to_vec();
        let value = match self.take(4)?.get_u32() {
            0 => None,
            bytes => Some(self.take(bytes as usize - 1)?.to_vec()),
        };
        Ok(Mutation { table, key, value })
    }

    fn batch(&mut self) -> Result<ScannedBatch, Fault> {
        let bytes = self.peek(4 + BATCH_HEADER_BYTES)?;
        let damaged = Fault::Torn("a batch's header is damaged");
        let Some((mut partition, batch)) = bytes.split_at_checked(4) else { return Err(damaged) };
        let partition = PartitionId(partition.get_u32());
        let unsummed: Vec<u8> = batch.iter().take(BATCH_UNSUMMED_BYTES).copied().collect();
        let Some(header) = BatchHeader::parse(batch) else { return Err(damaged) };
        let Some(length) = header.total_bytes() else { return Err(damaged) };
        let position = self.position + 4;
        if position + length as u64 > self.end {
            return Err(damaged);
        }
        self.sum = sum_batch(self.sum, partition, &unsummed);
        self.position = position + length as u64;
        Ok(ScannedBatch { partition, header, position, length: length as u32 })
    }

    fn peek(&mut self, count: usize) -> Result<&[u8], Fault> {
        if self.position + count as u64 > self.end {
            return Err(Fault::Torn("the record ends too early"));
        }
        self.scanner.slice(self.position, count)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Fault> {
        if self.position + count as u64 > self.end {
            return Err(Fault::Torn("the record ends too early"));
        }
        let bytes = self.scanner.slice(self.position, count)?;
        self.sum = crc32c::crc32c_append(self.sum, bytes);
        self.position += count as u64;
        Ok(bytes)
    }
}
