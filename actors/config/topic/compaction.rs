//! The topic settings of log compaction.

use super::super::definition::Definition;
use super::super::rule::Rule;
use super::super::value::Kind;

pub(in crate::config) const DELETE_RETENTION_MS: Definition =
    Definition::new("delete.retention.ms", Kind::Long, "86400000")
        .rule(Rule::AtLeast(0))
        .synonym("log.cleaner.delete.retention.ms")
        .not_yet()
        .documentation(
            "How many milliseconds compaction keeps a record that deletes a key, so that a slow \
             reader still learns of the deletion.",
        );

pub(in crate::config) const MIN_COMPACTION_LAG_MS: Definition =
    Definition::new("min.compaction.lag.ms", Kind::Long, "0")
        .rule(Rule::AtLeast(0))
        .synonym("log.cleaner.min.compaction.lag.ms")
        .not_yet()
        .documentation("How many milliseconds a record is safe from compaction at least.");

pub(in crate::config) const MAX_COMPACTION_LAG_MS: Definition =
    Definition::new("max.compaction.lag.ms", Kind::Long, "9223372036854775807")
        .rule(Rule::AtLeast(1))
        .synonym("log.cleaner.max.compaction.lag.ms")
        .not_yet()
        .documentation("How many milliseconds a record may stay without compaction at most.");

pub(in crate::config) const MIN_CLEANABLE_DIRTY_RATIO: Definition =
    Definition::new("min.cleanable.dirty.ratio", Kind::Double, "0.5")
        .rule(Rule::Ratio)
        .synonym("log.cleaner.min.cleanable.ratio")
        .not_yet()
        .documentation(
            "The share of a log, from 0 to 1, that has to be new before it is compacted: a small \
             one saves space, a large one saves work.",
        );

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags_and_ratio_are_held_at_their_bounds() {
        assert!(DELETE_RETENTION_MS.parse("-1").is_err());
        assert!(MIN_COMPACTION_LAG_MS.parse("-1").is_err());
        assert!(MIN_COMPACTION_LAG_MS.parse("0").is_ok());
        assert!(MAX_COMPACTION_LAG_MS.parse("0").is_err());
        assert!(MAX_COMPACTION_LAG_MS.parse("1").is_ok());
        assert!(MIN_CLEANABLE_DIRTY_RATIO.parse("1.1").is_err());
        assert!(MIN_CLEANABLE_DIRTY_RATIO.parse("NaN").is_err());
    }
}
