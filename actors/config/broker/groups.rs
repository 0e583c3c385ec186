//! The broker's settings about groups and their committed offsets.

use super::super::definition::{Definition, Importance};
use super::super::rule::Rule;
use super::super::value::{Kind, Value};

const MIGRATIONS: [&str; 4] = ["disabled", "downgrade", "upgrade", "bidirectional"];

pub(super) const ALL: &[Definition] = &[
    Definition::new("group.initial.rebalance.delay.ms", Kind::Int, "0")
        .rule(Rule::AtLeast(0))
        .read_only()
        .documentation(
            "How many milliseconds an empty consumer group waits for more members before its \
             first assignment.",
        ),
    Definition::new("group.min.session.timeout.ms", Kind::Int, "6000")
        .read_only()
        .documentation("The shortest session timeout, in milliseconds, that a member may ask for."),
    Definition::new("group.max.session.timeout.ms", Kind::Int, "1800000")
        .read_only()
        .documentation("The longest session timeout, in milliseconds, that a member may ask for."),
    Definition::new("group.max.size", Kind::Int, "2147483647")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How many members one group has at most."),
    Definition::new("group.consumer.session.timeout.ms", Kind::Int, "45000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation(
            "After how many milliseconds without a sign of life a member is out of a group that the \
             broker assigns to.",
        ),
    Definition::new("group.consumer.heartbeat.interval.ms", Kind::Int, "5000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How often, in milliseconds, members speak in groups that the broker assigns to."),
    Definition::new("group.consumer.min.session.timeout.ms", Kind::Int, "45000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("The shortest session timeout, in milliseconds, of groups that the broker assigns to."),
    Definition::new("group.consumer.max.session.timeout.ms", Kind::Int, "60000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("The longest session timeout, in milliseconds, of groups that the broker assigns to."),
    Definition::new("group.consumer.min.heartbeat.interval.ms", Kind::Int, "5000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation(
            "The shortest time, in milliseconds, between two heartbeats in groups that the broker assigns to.",
        ),
    Definition::new("group.consumer.max.heartbeat.interval.ms", Kind::Int, "15000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation(
            "The longest time, in milliseconds, between two heartbeats in groups that the broker assigns to.",
        ),
    Definition::new("group.consumer.max.size", Kind::Int, "2147483647")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How many members a group has at most that the broker assigns to."),
    Definition::new("group.consumer.assignment.interval.ms", Kind::Int, "0")
        .rule(Rule::AtLeast(0))
        .documentation(
            "How many milliseconds lie at least between two assignments of a group that the broker \
             assigns to.",
        ),
    Definition::new("group.consumer.min.assignment.interval.ms", Kind::Int, "0")
        .rule(Rule::AtLeast(0))
        .read_only()
        .documentation(
            "The shortest time, in milliseconds, between two assignments of a group that the broker assigns to.",
        ),
    Definition::new("group.consumer.max.assignment.interval.ms", Kind::Int, "15000")
        .rule(Rule::AtLeast(0))
        .read_only()
        .documentation(
            "The longest time, in milliseconds, between two assignments of a group that the broker assigns to.",
        ),
    Definition::new("group.consumer.migration.policy", Kind::String, "bidirectional")
        .rule(Rule::Check(|value| match value {
            Value::Text(text) if MIGRATIONS.iter().any(|known| known.eq_ignore_ascii_case(text)) => Ok(()),
            _ => Err("the value must be one of disabled, downgrade, upgrade, bidirectional"),
        }))
        .read_only()
        .documentation(
            "Whether a classic group with members becomes one that the broker assigns to when such a \
             member comes (upgrade), and the other way when the last such member goes (downgrade); or \
             both (bidirectional), or neither (disabled).",
        ),
    Definition::new("max.groups", Kind::Int, "100000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How many groups the broker has at most."),
    Definition::new("offset.metadata.max.bytes", Kind::Int, "4096")
        .importance(Importance::High)
        .read_only()
        .documentation("How much a client may write beside an offset that it commits."),
    Definition::new("offsets.retention.minutes", Kind::Int, "10080")
        .rule(Rule::AtLeast(1))
        .importance(Importance::High)
        .read_only()
        .documentation(
            "After how many minutes an offset is forgotten that no member of its group is \
             interested in any more.",
        ),
    Definition::new("offsets.retention.check.interval.ms", Kind::Long, "600000")
        .rule(Rule::AtLeast(1))
        .importance(Importance::High)
        .read_only()
        .documentation("How many milliseconds lie between two looks for offsets to forget."),
];
