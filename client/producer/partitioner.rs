//! Choosing partitions.

use crate::record::Record;
use rand::Rng;
use std::fmt;

/// Chooses the partition of a record that does not name one.
pub trait Partitioner: fmt::Debug + Send + 'static {
    /// The partition, below `partitions`, which is at least 1.
    fn partition(&mut self, record: &Record, partitions: u32) -> u32;

    /// A batch of the topic is full or sent: where records without keys stay together in a batch, they
    /// may go elsewhere from here on.
    fn batch_ended(&mut self, _topic: &str) {}
}

/// As Kafka's clients choose: the key's murmur2 hash, and without a key one partition for a batch.
#[derive(Debug, Default)]
pub struct Sticky {
    /// The topics' present partitions; a topic is not in it until a record without a key comes.
    present: std::collections::HashMap<String, u32>,
}

impl Partitioner for Sticky {
    fn partition(&mut self, record: &Record, partitions: u32) -> u32 {
        if let Some(key) = &record.key {
            return (murmur2(key) & 0x7fff_ffff) % partitions;
        }
        if let Some(present) = self.present.get(&*record.topic).filter(|present| **present < partitions) {
            return *present;
        }
        let present = rand::rng().random_range(0..partitions);
        self.present.insert(record.topic.to_string(), present);
        present
    }

    fn batch_ended(&mut self, topic: &str) {
        self.present.remove(topic);
    }
}

/// The hash of 32 bits by which Kafka's clients spread keys.
pub fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    let mut hash = SEED ^ bytes.len() as u32;
    let mut chunks = bytes.chunks_exact(4);
    for chunk in &mut chunks {
        let word = chunk.try_into().map_or(0, u32::from_le_bytes).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (word ^ word >> R).wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = (hash ^ word).wrapping_mul(M);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_kafkas_clients() {
        // From Kafka's own test of its hash.
        let known: &[(&str, i32)] = &[
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (text, hash) in known {
            assert_eq!(murmur2(text.as_bytes()) as i32, *hash, "{text}");
        }
    }

    #[test]
    fn records_without_keys_stay_together_until_the_batch_ends() {
        let (mut sticky, record) = (Sticky::default(), Record::to("orders"));
        let first = sticky.partition(&record, 1000);
        assert!((0..100).all(|_| sticky.partition(&record, 1000) == first));
        sticky.batch_ended("orders");
        let others = (0..20).map(|_| {
            sticky.batch_ended("orders");
            sticky.partition(&record, 1000)
        });
        assert!(others.into_iter().any(|other| other != first));
    }

    #[test]
    fn keys_keep_their_partition() {
        let (mut sticky, record) = (Sticky::default(), Record::to("orders").key("alice"));
        let first = sticky.partition(&record, 12);
        sticky.batch_ended("orders");
        assert_eq!(sticky.partition(&record, 12), first);
        assert_eq!(first, (murmur2(b"alice") & 0x7fff_ffff) % 12);
    }
}
