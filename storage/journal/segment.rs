//! A segment file: its name, its header, and how one comes into being.
//!
//! A segment counts from the moment at which its name ends in `.journal`: it is written and synced
//! under another name first. So a segment that is there has a whole header, and begins with whole,
//! synced records where it was created with some.

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::ids::{SegmentId, Sequence};
use bytes::{Buf, BufMut};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

/// The first bytes of a segment; the last of them is the format of the journal.
pub const SEGMENT_MAGIC: [u8; 8] = *b"CBJOURN\x01";
/// Bytes of a segment before its first record.
pub const SEGMENT_HEADER_BYTES: usize = 36;
const EXTENSION: &str = "journal";

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Its number.
    pub segment: SegmentId,
    /// The number of its first record. Records of earlier segments from this number on do not count:
    /// they were never known to be synced and stand here again.
    pub first: Sequence,
    /// Which start of the broker wrote it.
    pub start: u32,
    /// Goes into the checksum of every record in it, so that no client can make what looks like one.
    pub seed: u32,
}

/// A seed that nobody outside can know.
pub fn new_seed() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}

impl SegmentHeader {
    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut header = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        header.put_slice(&SEGMENT_MAGIC);
        header.put_u64(self.segment.0);
        header.put_u64(self.first.0);
        header.put_u32(self.start);
        header.put_u32(self.seed);
        header.put_u32(crc32c::crc32c(&header));
        header
    }

    /// Reads a header; `None` when it is damaged.
    pub fn decode(header: &[u8]) -> Option<Self> {
        let (fields, mut checksum) = header.split_at_checked(SEGMENT_HEADER_BYTES - 4)?;
        let mut rest = fields.strip_prefix(&SEGMENT_MAGIC)?;
        if checksum.try_get_u32().ok()? != crc32c::crc32c(fields) {
            return None;
        }
        Some(Self {
            segment: SegmentId(rest.try_get_u64().ok()?),
            first: Sequence(rest.try_get_u64().ok()?),
            start: rest.try_get_u32().ok()?,
            seed: rest.try_get_u32().ok()?,
        })
    }

    /// Reads the header of a segment file.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is damaged or another segment's; [`Error::Io`].
    pub fn read(disk: &dyn Disk, folder: &Path, segment: SegmentId) -> Result<Self> {
        let path = path(folder, segment);
        let file = disk.open(&path).map_err(Error::io("opening", &path))?;
        let bytes = file.read_at(0, SEGMENT_HEADER_BYTES).map_err(Error::io("reading", &path))?;
        Self::decode(&bytes).filter(|header| header.segment == segment).ok_or(Error::Corrupt {
            segment,
            position: 0,
            sequence: Sequence(0),
            reason: "the segment's header is damaged",
        })
    }
}

/// The file of a segment.
pub fn path(folder: &Path, segment: SegmentId) -> PathBuf {
    folder.join(format!("{:020}.{EXTENSION}", segment.0))
}

/// The file of a segment that does not count yet.
pub fn temporary_path(folder: &Path, segment: SegmentId) -> PathBuf {
    folder.join(format!("{:020}.tmp", segment.0))
}

/// The segments in a folder, in order.
///
/// # Errors
/// [`Error::Io`].
pub fn list(disk: &dyn Disk, folder: &Path) -> Result<Vec<SegmentId>> {
    let paths = disk.list(folder).map_err(Error::io("listing", folder))?;
    let mut segments: Vec<_> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
        .filter_map(|path| path.file_stem()?.to_str()?.parse().ok().map(SegmentId))
        .collect();
    segments.sort_unstable();
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::simulated::SimulatedDisk;
    use std::io::IoSlice;

    #[test]
    fn golden_header() {
        let header = SegmentHeader { segment: SegmentId(1), first: Sequence(2), start: 3, seed: 4 };
        let bytes = header.encode();
        assert_eq!(&bytes[..24], b"CBJOURN\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02");
        assert_eq!(bytes[24..32], [0, 0, 0, 3, 0, 0, 0, 4]);
        assert_eq!(&bytes[32..], crc32c::crc32c(&bytes[..32]).to_be_bytes());
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
    }

    #[test]
    fn a_damaged_header_is_none() {
        let bytes = SegmentHeader { segment: SegmentId(1), first: Sequence(2), start: 3, seed: 4 }.encode();
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1;
            assert_eq!(SegmentHeader::decode(&damaged), None);
            assert_eq!(SegmentHeader::decode(&bytes[..position]), None);
        }
    }

    #[test]
    fn the_header_of_another_segment_is_told() {
        let disk = SimulatedDisk::new();
        let folder = Path::new("journal");
        let header = SegmentHeader { segment: SegmentId(1), first: Sequence(2), start: 3, seed: 4 };
        for segment in [SegmentId(1), SegmentId(2)] {
            let file = disk.create(&path(folder, segment)).unwrap();
            file.append(&mut [IoSlice::new(&header.encode())]).unwrap();
        }
        assert_eq!(SegmentHeader::read(&disk, folder, SegmentId(1)).unwrap(), header);
        let told = SegmentHeader::read(&disk, folder, SegmentId(2));
        assert!(matches!(told, Err(Error::Corrupt { segment: SegmentId(2), .. })));
    }
}
