//! What the leader of a classic consumer group writes for a member: the partitions that it is to read.
//!
//! It is opaque to the broker, which reads and writes it only where members of the classic protocol
//! share a group with those that the broker assigns to. All versions, 0 to 3, are alike.

use crate::subscription::{NamedPartitions, read_partitions, read_user_data, read_version};
use bytes::BufMut;

/// The newest version.
const NEWEST: i16 = 3;

/// What a member is to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignment {
    /// The partitions.
    pub partitions: NamedPartitions,
    /// Whether an assignor put data of its own beside them.
    pub has_user_data: bool,
}

/// An assignment; `None` when the bytes are not one.
pub fn read(mut bytes: &[u8]) -> Option<Assignment> {
    let _version = read_version(&mut bytes)?;
    let partitions = read_partitions(&mut bytes)?;
    let has_user_data = !read_user_data(&mut bytes)?.is_empty();
    Some(Assignment { partitions, has_user_data })
}

/// The bytes of an assignment of that version, or of the newest when it is newer.
pub fn write(version: i16, partitions: &NamedPartitions) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_i16(version.clamp(0, NEWEST));
    bytes.put_i32(partitions.len() as i32);
    for (topic, partitions) in partitions {
        bytes.put_i16(topic.len() as i16);
        bytes.put_slice(topic.as_bytes());
        bytes.put_i32(partitions.len() as i32);
        partitions.iter().for_each(|partition| bytes.put_i32(*partition));
    }
    // No data of a user.
    bytes.put_i32(-1);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes_are_written_and_read_back() {
        let partitions = vec![("ab".to_owned(), vec![0, 7])];
        let bytes = b"\0\x01\0\0\0\x01\0\x02ab\0\0\0\x02\0\0\0\0\0\0\0\x07\xff\xff\xff\xff";
        assert_eq!(write(1, &partitions), bytes);
        assert_eq!(write(9, &partitions)[..2], [0, 3]);
        assert_eq!(read(bytes), Some(Assignment { partitions, has_user_data: false }));
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), None, "{end}");
        }
    }

    #[test]
    fn data_of_a_user_is_noticed() {
        let read = |bytes: &[u8]| read(bytes).unwrap().has_user_data;
        assert!(read(b"\0\0\0\0\0\0\0\0\0\x01x"));
        assert!(!read(b"\0\0\0\0\0\0\0\0\0\0"));
    }
}
