//! A partition as the soak sees it: what was sent to it, what was read of it, and since when nobody reads.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

/// What is known of a partition from what the programs say.
#[derive(Default)]
pub(crate) struct Partition {
    /// How many records are acknowledged. Their offsets begin at 0.
    pub(crate) sent: u64,
    /// The offsets that anybody has read.
    pub(crate) read: BTreeSet<u64>,
    /// One more than the last offset that an owner has read.
    pub(crate) next: u64,
    /// The offset that is committed.
    pub(crate) committed: u64,
    /// Since when there has been something to read and no owner has read anything; `None` while there is
    /// nothing to read.
    pub(crate) unread_since: Option<Instant>,
    /// The member that read last, if it was in the group then and somebody has read in this step.
    pub(crate) reader: Option<usize>,
}

impl Partition {
    /// One more record is acknowledged.
    pub(crate) fn add(&mut self, at: Instant) {
        self.sent += 1;
        if self.sent > self.next {
            self.unread_since = self.unread_since.or(Some(at));
        }
    }

    /// A member that is in the group has read a record.
    pub(crate) fn read_by_owner(&mut self, member: usize, offset: u64, at: Instant) {
        self.reader = Some(member);
        self.read.insert(offset);
        self.next = self.next.max(offset + 1);
        self.unread_since = (self.sent > self.next).then_some(at);
    }

    /// Somebody has read a record who may be out of the group: that says nothing of an owner.
    pub(crate) fn read_by_another(&mut self, offset: u64) {
        self.read.insert(offset);
    }

    /// Whether somebody has read as many records as are acknowledged.
    pub(crate) fn is_read_whole(&self) -> bool {
        self.read.len() as u64 >= self.sent
    }

    /// Whether no offset was left out on the way to the last one that was read.
    pub(crate) fn is_read_without_holes(&self) -> bool {
        (0..).zip(&self.read).all(|(expected, offset)| expected == *offset)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, read, next, committed, .. } = self;
        write!(formatter, "{sent} sent, {} read, by owners up to {next}, {committed} committed", read.len())
    }
}

#[test]
fn a_partition_is_unread_since_it_had_something_to_read_and_only_an_owner_changes_that() {
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let mut partition = Partition::default();
    partition.add(after(1));
    partition.add(after(2));
    assert_eq!(partition.unread_since, Some(after(1)));
    partition.read_by_owner(1, 0, after(3));
    assert_eq!(partition.unread_since, Some(after(3)));
    partition.read_by_another(1);
    assert_eq!(partition.unread_since, Some(after(3)));
    partition.read_by_owner(1, 1, after(4));
    assert_eq!(partition.unread_since, None);
    partition.add(after(9));
    assert_eq!(partition.unread_since, Some(after(9)));
}

#[test]
fn what_is_missing_at_the_end_or_before_it_is_seen() {
    let mut partition = Partition::default();
    let now = Instant::now();
    (0..3).for_each(|_| partition.add(now));
    partition.read_by_owner(1, 0, now);
    partition.read_by_owner(1, 2, now);
    assert!(!partition.is_read_whole() && !partition.is_read_without_holes());
    partition.read_by_another(1);
    assert!(partition.is_read_whole() && partition.is_read_without_holes());
}
