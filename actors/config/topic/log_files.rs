//! The topic settings about the files of a log, of which Kafka has several per partition.
//!
//! Here all partitions share one journal, so that most of these are kept for their users' tools alone.

use super::super::definition::Definition;
use super::super::rule::Rule;
use super::super::value::Kind;

pub(in crate::config) const SEGMENT_BYTES: Definition =
    Definition::new("segment.bytes", Kind::Int, "1073741824")
        .rule(Rule::AtLeast(1_048_576))
        .synonym("log.segment.bytes")
        .not_yet()
        .documentation(
            "The size of a log's part, 1 MiB or more, in bytes: retention and compaction work on \
             whole parts.",
        );

pub(in crate::config) const SEGMENT_MS: Definition = Definition::new("segment.ms", Kind::Long, "604800000")
    .rule(Rule::AtLeast(1))
    .synonym("log.roll.ms")
    .not_yet()
    .documentation(
        "After how many milliseconds a new part of a log begins although the last one is not \
             full.",
    );

pub(in crate::config) const SEGMENT_JITTER_MS: Definition =
    Definition::new("segment.jitter.ms", Kind::Long, "0")
        .rule(Rule::AtLeast(0))
        .synonym("log.roll.jitter.ms")
        .not_yet()
        .documentation(
            "Up to how many milliseconds are taken off segment.ms by chance, so that not all logs \
             begin a new part at once.",
        );

pub(in crate::config) const SEGMENT_INDEX_BYTES: Definition =
    Definition::new("segment.index.bytes", Kind::Int, "10485760")
        .rule(Rule::AtLeast(4))
        .synonym("log.index.size.max.bytes")
        .not_yet()
        .documentation("The largest index of a part of a log, in bytes.");

pub(in crate::config) const INDEX_INTERVAL_BYTES: Definition =
    Definition::new("index.interval.bytes", Kind::Int, "4096")
        .rule(Rule::AtLeast(0))
        .synonym("log.index.interval.bytes")
        .not_yet()
        .documentation(
            "After how many bytes of records an index gets its next entry. This broker's index has \
             an entry for every batch.",
        );

pub(in crate::config) const FLUSH_MESSAGES: Definition =
    Definition::new("flush.messages", Kind::Long, "9223372036854775807")
        .rule(Rule::AtLeast(1))
        .synonym("log.flush.interval.messages")
        .not_yet()
        .documentation(
            "After how many records a log is forced to the disk. This broker forces every write to \
             the disk before it is acknowledged to acks=all.",
        );

pub(in crate::config) const FLUSH_MS: Definition =
    Definition::new("flush.ms", Kind::Long, "9223372036854775807")
        .rule(Rule::AtLeast(0))
        .synonym("log.flush.interval.ms")
        .not_yet()
        .documentation(
            "After how many milliseconds a log is forced to the disk. This broker forces every \
             write to the disk before it is acknowledged to acks=all.",
        );

pub(in crate::config) const FILE_DELETE_DELAY_MS: Definition =
    Definition::new("file.delete.delay.ms", Kind::Long, "60000")
        .rule(Rule::AtLeast(0))
        .synonym("log.segment.delete.delay.ms")
        .not_yet()
        .documentation("How many milliseconds a file that is no longer needed stays before it is deleted.");

pub(in crate::config) const PREALLOCATE: Definition = Definition::new("preallocate", Kind::Boolean, "false")
    .synonym("log.preallocate")
    .not_yet()
    .documentation("Whether the whole space of a new file is reserved when it is created.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_held_at_their_bounds() {
        assert!(SEGMENT_BYTES.parse("1048575").is_err());
        assert!(SEGMENT_BYTES.parse("1048576").is_ok());
        assert!(SEGMENT_BYTES.parse("2147483648").is_err());
        assert!(SEGMENT_INDEX_BYTES.parse("3").is_err());
        assert!(SEGMENT_MS.parse("0").is_err());
        assert!(SEGMENT_JITTER_MS.parse("-1").is_err());
        assert!(INDEX_INTERVAL_BYTES.parse("-1").is_err());
        assert!(FLUSH_MESSAGES.parse("0").is_err());
        assert!(FLUSH_MS.parse("-1").is_err());
        assert!(FLUSH_MS.parse("0").is_ok());
        assert!(FILE_DELETE_DELAY_MS.parse("-1").is_err());
        assert!(PREALLOCATE.parse("yes").is_err());
    }
}
