//! Identifiers and counters, each its own type so that one is never taken for another.

use std::fmt;
use uuid::Uuid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A partition of a topic, within this broker; never used again after the topic is deleted.
    PartitionId(u32)
}
number! {
    /// Position of a record in a partition's log, from 0.
    Offset(i64)
}
number! {
    /// A producer whose batches carry sequence numbers.
    ProducerId(i64)
}
number! {
    /// A file of the journal, from 1.
    SegmentId(u64)
}
number! {
    /// Number of a record in the journal, from 1, without gaps.
    Sequence(u64)
}

impl Offset {
    /// The offset `count` records further on.
    #[must_use]
    pub fn plus(self, count: i64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl Sequence {
    /// The next number.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number before; 0 stays 0.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl SegmentId {
    /// The segment after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Identity of a topic, which survives neither its deletion nor its creation under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TopicId(pub Uuid);

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
