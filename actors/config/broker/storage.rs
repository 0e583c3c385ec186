//! The broker's settings about the journal, its checkpoints and the room on the disk.

use super::super::definition::{Definition, Importance};
use super::super::rule::Rule;
use super::super::value::Kind;

pub(super) const ALL: &[Definition] = &[
    Definition::new("journal.segment.bytes", Kind::Long, "268435456")
        .rule(Rule::Between(1_048_576, 2_147_483_647))
        .read_only()
        .documentation("The size of a file of the journal that all partitions share, in bytes."),
    Definition::new("checkpoint.bytes", Kind::Long, "134217728")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("After how many bytes in the journal a checkpoint is made."),
    Definition::new("checkpoint.records", Kind::Int, "100000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("After how many commits in the journal a checkpoint is made."),
    Definition::new("checkpoint.interval.ms", Kind::Long, "30000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("After how many milliseconds a checkpoint is made if anything changed."),
    Definition::new("storage.free.bytes.min", Kind::Long, "1073741824")
        .rule(Rule::AtLeast(0))
        .importance(Importance::High)
        .read_only()
        .documentation(
            "How many bytes must be free on the disk; below it writes are refused until there is \
             room again.",
        ),
    Definition::new("log.retention.check.interval.ms", Kind::Long, "300000")
        .rule(Rule::AtLeast(1))
        .not_yet()
        .read_only()
        .documentation("How many milliseconds lie between two looks for records that are too old."),
    Definition::new("log.cleaner.backoff.ms", Kind::Long, "15000")
        .rule(Rule::AtLeast(0))
        .not_yet()
        .documentation("How many milliseconds compaction rests when it finds nothing to do."),
];

#[cfg(test)]
mod tests {
    use super::super::find;

    #[test]
    fn a_segment_is_neither_tiny_nor_huge() {
        let segment = find("journal.segment.bytes").unwrap();
        assert!(segment.parse("1048576").is_ok());
        assert!(segment.parse("1048575").is_err());
        assert!(segment.parse("2147483648").is_err());
    }

    #[test]
    fn a_checkpoint_comes_at_last() {
        for name in ["checkpoint.bytes", "checkpoint.records", "checkpoint.interval.ms"] {
            assert!(find(name).unwrap().parse("0").is_err(), "{name}");
        }
    }
}
