//! The checkpoint: up to which record the index holds, durably, what the journal says.
//!
//! It is a small file of its own and not a row of the index, because the index's own write-ahead
//! log is thrown away at each start: what a checkpoint covers is in the index's tables, and all
//! later rows follow from the journal.

use crate::disk::{self, Disk};
use crate::error::{Error, Result};
use crate::ids::{SegmentId, Sequence};
use bytes::{Buf, BufMut};
use std::io::ErrorKind;
use std::path::Path;

const MAGIC: [u8; 8] = *b"CBCHECK\x01";
const BYTES: usize = 36;

/// A place in the journal behind which records must be applied again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record that the index holds for good.
    pub sequence: Sequence,
    /// The segment of the record after it.
    pub segment: SegmentId,
    /// Where in that segment the record after it starts, in bytes.
    pub position: u64,
}

impl Checkpoint {
    /// Reads the checkpoint of a data folder; `None` before the first.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is damaged, which no crash explains; [`Error::Io`].
    pub fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Self>> {
        match disk::read_file(disk, path, BYTES) {
            Ok(bytes) => Self::decode(&bytes).map(Some).ok_or(Error::Corrupt {
                segment: SegmentId(0),
                position: 0,
                sequence: Sequence(0),
                reason: "the checkpoint file is damaged",
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("reading", path)(error)),
        }
    }

    /// Replaces the checkpoint of a data folder, durably.
    ///
    /// # Errors
    /// [`Error::Io`]; the old one or the new one is there.
    pub fn write(&self, disk: &dyn Disk, path: &Path) -> Result<()> {
        disk::replace_file(disk, path, &self.encode()).map_err(Error::io("writing", path))
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.put_slice(&MAGIC);
        bytes.put_u64(self.sequence.0);
        bytes.put_u64(self.segment.0);
        bytes.put_u64(self.position);
        bytes.put_u32(crc32c::crc32c(&bytes));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, mut checksum) = bytes.split_at_checked(BYTES - 4)?;
        let mut rest = fields.strip_prefix(&MAGIC)?;
        if checksum.try_get_u32().ok()? != crc32c::crc32c(fields) {
            return None;
        }
        Some(Self {
            sequence: Sequence(rest.try_get_u64().ok()?),
            segment: SegmentId(rest.try_get_u64().ok()?),
            position: rest.try_get_u64().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::simulated::SimulatedDisk;

    #[test]
    fn golden_checkpoint_and_every_damage_is_told() {
        let checkpoint = Checkpoint { sequence: Sequence(1), segment: SegmentId(2), position: 3 };
        let bytes = checkpoint.encode();
        assert_eq!(&bytes[..32], b"CBCHECK\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03");
        assert_eq!(Checkpoint::decode(&bytes), Some(checkpoint));
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1;
            assert_eq!(Checkpoint::decode(&damaged), None);
        }
    }

    #[test]
    fn a_power_failure_leaves_the_old_or_the_new_one() {
        let path = Path::new("data/checkpoint");
        let old = Checkpoint { sequence: Sequence(1), segment: SegmentId(1), position: 1 };
        let new = Checkpoint { sequence: Sequence(2), segment: SegmentId(2), position: 2 };
        let disk = SimulatedDisk::new();
        old.write(&disk, path).unwrap();
        for fail_after in 0..5 {
            for keep in [false, true] {
                let disk = disk.copy();
                disk.fail_after(Some(fail_after));
                let written = new.write(&disk, path);
                let left = Checkpoint::read(&disk.after_power_failure(|| keep), path).unwrap();
                assert!(left == Some(old) || left == Some(new));
                assert!(written.is_err() || left == Some(new));
            }
        }
    }
}
