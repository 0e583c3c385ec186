//! The topic settings about copies of a partition on several brokers.

use super::super::definition::Definition;
use super::super::rule::Rule;
use super::super::value::{Kind, Value};

/// With one replica the smaller number counts, so that acks=all succeeds.
pub(in crate::config) const MIN_INSYNC_REPLICAS: Definition =
    Definition::new("min.insync.replicas", Kind::Int, "1")
        .rule(Rule::AtLeast(1))
        .synonym("min.insync.replicas")
        .documentation(
            "How many replicas must have a record before a producer that asked for acks=all hears \
             of success; never more than the topic has.",
        );

pub(in crate::config) const UNCLEAN_LEADER_ELECTION_ENABLE: Definition =
    Definition::new("unclean.leader.election.enable", Kind::Boolean, "false")
        .synonym("unclean.leader.election.enable")
        .not_yet()
        .documentation(
            "Whether a replica that lags behind may become the leader when no other is left, \
             which loses records.",
        );

pub(in crate::config) const LEADER_THROTTLED_REPLICAS: Definition =
    Definition::new("leader.replication.throttled.replicas", Kind::List, "")
        .rule(Rule::Check(throttled_replicas))
        .not_yet()
        .documentation(
            "The replicas that are slowed down while they send to others: partition:broker pairs \
             separated by commas, or * for all.",
        );

pub(in crate::config) const FOLLOWER_THROTTLED_REPLICAS: Definition =
    Definition::new("follower.replication.throttled.replicas", Kind::List, "")
        .rule(Rule::Check(throttled_replicas))
        .not_yet()
        .documentation(
            "The replicas that are slowed down while they copy from others: partition:broker pairs \
             separated by commas, or * for all.",
        );

fn throttled_replicas(value: &Value) -> Result<(), &'static str> {
    let Value::List(list) = value else {
        return Err("the value must be a list");
    };
    let all = matches!(list.as_slice(), [only] if only == "*");
    if all || list.iter().all(|element| is_partition_and_broker(element)) {
        return Ok(());
    }
    Err("the value must be * or a list of partition:broker pairs, as in 0:1,1:2")
}

fn is_partition_and_broker(element: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    element.split_once(':').is_some_and(|(partition, broker)| digits(partition) && digits(broker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_one_replica_is_in_sync() {
        assert!(MIN_INSYNC_REPLICAS.parse("0").is_err());
        assert!(MIN_INSYNC_REPLICAS.parse("5").is_ok());
    }

    #[test]
    fn throttled_replicas_are_pairs_or_a_star() {
        for text in ["", "*", "0:1", "0:1, 1:2"] {
            assert!(LEADER_THROTTLED_REPLICAS.parse(text).is_ok(), "{text}");
        }
        for text in ["x", "0", "none", "*,0:1", "0:1:2", "-1:1", "0:1,", ":"] {
            assert!(FOLLOWER_THROTTLED_REPLICAS.parse(text).is_err(), "{text}");
        }
    }
}
