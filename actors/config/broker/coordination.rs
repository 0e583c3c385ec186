//! The broker's settings about topics as a whole and producers.

use super::super::definition::{Definition, Importance};
use super::super::rule::Rule;
use super::super::value::Kind;

pub(super) const ALL: &[Definition] = &[
    Definition::new("num.partitions", Kind::Int, "4")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How many partitions a topic has whose creator does not say."),
    Definition::new("default.replication.factor", Kind::Int, "1")
        .rule(Rule::Between(1, 32_767))
        .read_only()
        .documentation("How many replicas a topic has whose creator does not say."),
    Definition::new("auto.create.topics.enable", Kind::Boolean, "true")
        .importance(Importance::High)
        .read_only()
        .documentation(
            "Whether a topic is created when a client that allows it asks for one that is not \
             there.",
        ),
    Definition::new("delete.topic.enable", Kind::Boolean, "true")
        .importance(Importance::High)
        .read_only()
        .documentation("Whether clients may delete topics."),
    Definition::new("max.partitions", Kind::Int, "100000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How many partitions all topics of the broker have together at most."),
    Definition::new("producer.id.expiration.ms", Kind::Int, "86400000")
        .rule(Rule::AtLeast(1))
        .importance(Importance::Low)
        .documentation(
            "After how many milliseconds without a batch a partition forgets an idempotent \
             producer.",
        ),
];

#[cfg(test)]
mod tests {
    use super::super::find;

    #[test]
    fn a_topic_has_a_partition_and_a_replica() {
        for name in ["num.partitions", "default.replication.factor", "max.partitions"] {
            assert!(find(name).unwrap().parse("0").is_err(), "{name}");
            assert!(find(name).unwrap().parse("1").is_ok(), "{name}");
        }
    }
}
