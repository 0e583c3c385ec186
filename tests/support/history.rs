//! What was seen of the partitions' logs: what was acknowledged or read once must stay as it was.

use bytes::Bytes;
use callboard_protocol::batch::validate::checksum;
use callboard_protocol::batch::{BATCH_HEADER_BYTES, BatchHeader};
use callboard_protocol::wire::Records;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use uuid::Uuid;

/// A partition: its topic's id, and its index.
pub(crate) type Place = (Uuid, i32);

/// A batch as all must see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) producer: i64,
    /// Of its first record.
    pub(crate) sequence: i32,
    pub(crate) records: i32,
    /// Of all that the records say.
    content: u64,
}

impl Entry {
    /// A whole batch, sent or read.
    pub(crate) fn of(batch: &Bytes) -> Self {
        let header = BatchHeader::parse(batch).unwrap();
        let mut hasher = DefaultHasher::new();
        batch[BATCH_HEADER_BYTES..].hash(&mut hasher);
        Self {
            producer: header.producer_id,
            sequence: header.base_sequence,
            records: header.record_count,
            content: hasher.finish(),
        }
    }
}

/// The batches of each partition that were seen, by their offsets.
#[derive(Debug, Default)]
pub(crate) struct Histories(Mutex<HashMap<Place, BTreeMap<i64, Entry>>>);

impl Histories {
    /// A batch was acknowledged or read.
    pub(crate) fn see(&self, place: Place, offset: i64, entry: Entry) {
        let mut histories = self.0.lock().unwrap();
        let seen = *histories.entry(place).or_default().entry(offset).or_insert(entry);
        assert_eq!(seen, entry, "two batches were seen at offset {offset} of {place:?}");
    }

    /// The whole log of a partition was read: it holds all that was seen, and each producer's batches
    /// once and in order.
    pub(crate) fn see_all(&self, place: Place, log: &[(i64, Entry)]) {
        let found: BTreeMap<_, _> = log.iter().copied().collect();
        let mut histories = self.0.lock().unwrap();
        for (offset, entry) in histories.entry(place).or_default().iter() {
            let there = found.get(offset);
            assert_eq!(there, Some(entry), "what was seen at offset {offset} of {place:?} is not there");
        }
        histories.insert(place, found);
        let mut next = HashMap::<i64, i32>::new();
        for (offset, entry) in log {
            let next = next.entry(entry.producer).or_default();
            assert_eq!(entry.sequence, *next, "order is broken at offset {offset} of {place:?}: {entry:?}");
            *next += entry.records;
        }
    }

    /// How many batches were seen.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().values().map(BTreeMap::len).sum()
    }

    /// Forgets the partitions of topics that are gone.
    pub(crate) fn retain(&self, is_there: impl Fn(Uuid) -> bool) {
        self.0.lock().unwrap().retain(|(id, _), _| is_there(*id));
    }
}

/// The batches of a fetch with their offsets, and the offset behind the last. They follow each other from
/// `next` on; the first may begin before it.
pub(crate) fn entries(records: Option<&Records>, mut next: i64) -> (Vec<(i64, Entry)>, i64) {
    let mut bytes = records.cloned().unwrap_or_default().into_bytes();
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let header = BatchHeader::parse(&bytes).expect("half a header was read");
        let batch = bytes.split_to(header.total_bytes().unwrap());
        assert_eq!(checksum(&batch), header.crc, "the batch at offset {} is damaged", header.base_offset);
        let follows = header.base_offset == next || entries.is_empty() && header.base_offset < next;
        assert!(follows, "offset {} follows {next}", header.base_offset);
        entries.push((header.base_offset, Entry::of(&batch)));
        next = header.last_offset() + 1;
    }
    (entries, next)
}
