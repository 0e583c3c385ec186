//! What a check found: where, what of whose records it concerns, and what is wrong there.

use crate::ids::{Offset, PartitionId, SegmentId};
use std::fmt;

/// Findings that are kept; further ones are only counted.
pub const FINDINGS_MAX: usize = 1000;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What is wrong, as a part of a sentence.
    pub what: String,
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, by its path in the data folder.
    File(String),
    /// Bytes of a journal segment.
    Segment {
        /// The segment.
        segment: SegmentId,
        /// The first byte.
        from: u64,
        /// Behind the last byte.
        to: u64,
    },
    /// Offsets of a partition.
    Offsets {
        /// The partition.
        partition: NamedPartition,
        /// The first offset.
        from: Offset,
        /// Behind the last offset.
        to: Offset,
        /// Where the journal has it, as far as that is known.
        lies: Option<(SegmentId, u64)>,
    },
    /// Rows of a table of the index.
    Table(&'static str),
}

/// A partition, by its number and the name that people know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPartition {
    /// Its number on the disk.
    pub id: PartitionId,
    /// Its topic's name and its number within the topic, where the index tells.
    pub name: Option<(String, u32)>,
}

impl fmt::Display for NamedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some((topic, index)) => write!(f, "partition {index} of {topic}"),
            None => write!(f, "the partition with number {}", self.id),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {path}"),
            Self::Segment { segment, from, to } if from < to => {
                write!(f, "segment {segment}, bytes {from} to {}", to - 1)
            }
            Self::Segment { segment, from, .. } => write!(f, "segment {segment}, position {from}"),
            Self::Offsets { partition, from, to, lies } => {
                write!(f, "{partition}")?;
                match to.0 - from.0 {
                    ..=0 => {}
                    1 => write!(f, ", offset {from}")?,
                    2.. => write!(f, ", offsets {from} to {}", to.0 - 1)?,
                }
                lies.map_or(Ok(()), |(segment, position)| {
                    write!(f, " (segment {segment}, position {position})")
                })
            }
            Self::Table(table) => write!(f, "table {table}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// The findings so far.
#[derive(Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    count: u64,
}

impl Findings {
    /// Adds one. What continues the one before is made one with it.
    pub fn add(&mut self, place: Place, what: impl Into<String>) {
        let what = what.into();
        if let Some(last) = self.kept.last_mut().filter(|last| last.what == what)
            && last.place.extend(&place)
        {
            return;
        }
        self.count += 1;
        if self.kept.len() < FINDINGS_MAX {
            self.kept.push(Finding { place, what });
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first of them, [`FINDINGS_MAX`] at most.
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }
}

impl Place {
    /// Takes in the offsets behind its own; answers whether `next` was that.
    fn extend(&mut self, next: &Self) -> bool {
        match (self, next) {
            (
                Self::Offsets { partition, to, lies: Some((segment, _)), .. },
                Self::Offsets { partition: other, from, to: end, lies: Some((same, _)) },
            ) if partition.id == other.id && to == from && segment == same => {
                *to = *end;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(id: u32, from: i64, to: i64) -> Place {
        let partition = NamedPartition { id: PartitionId(id), name: Some(("orders".into(), id)) };
        let lies = Some((SegmentId(1), from as u64));
        Place::Offsets { partition, from: Offset(from), to: Offset(to), lies }
    }

    #[test]
    fn what_continues_the_one_before_is_one_finding() {
        let mut findings = Findings::default();
        findings.add(offsets(0, 1, 3), "lost");
        findings.add(offsets(0, 3, 4), "lost");
        findings.add(offsets(0, 5, 6), "lost");
        findings.add(offsets(1, 6, 7), "lost");
        findings.add(offsets(1, 7, 8), "damaged");
        let told: Vec<_> = findings.kept().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "partition 0 of orders, offsets 1 to 3 (segment 1, position 1): lost",
                "partition 0 of orders, offset 5 (segment 1, position 5): lost",
                "partition 1 of orders, offset 6 (segment 1, position 6): lost",
                "partition 1 of orders, offset 7 (segment 1, position 7): damaged",
            ]
        );
    }

    #[test]
    fn only_so_many_are_kept_and_all_are_counted() {
        let mut findings = Findings::default();
        for _ in 0..=FINDINGS_MAX {
            findings.add(Place::Table("log"), "a row is damaged");
        }
        assert_eq!((findings.kept().len(), findings.count()), (FINDINGS_MAX, FINDINGS_MAX as u64 + 1));
    }
}
