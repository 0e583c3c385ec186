//! Expire: offsets are forgotten in which nobody has been interested for long (KIP-211).

use super::Offsets;
use super::commit::expires_at;
use actix::Message;
use callboard_storage::TopicId;
use callboard_storage::journal::Mutation;
use callboard_storage::values::OffsetRow;
use std::time::Duration;

/// It is time to look for offsets that nobody is interested in.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct ExpireOffsets;

/// From when on an offset's time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Its commit.
    Commit,
    /// A moment of the group, in milliseconds since 1970: when its last member was gone.
    Moment(i64),
    /// Nothing expires now.
    Never,
}

impl Offsets {
    /// When the first offset expires should nothing change until then, in milliseconds since 1970;
    /// `None` when none does.
    pub fn next_expiry_ms(&self, since: Since, retention: Duration) -> Option<i64> {
        let rows = self.committed.values();
        match since {
            Since::Commit => rows.map(|row| expires_at(row, row.committed_at_ms, retention)).min(),
            Since::Moment(moment_ms) => rows.map(|row| expires_at(row, moment_ms, retention)).min(),
            Since::Never => None,
        }
    }

    /// Forgets what has expired, and the offsets of topics that are gone, as rows to write.
    /// `name_of` tells the name of a topic that is there, `is_subscribed` whether members read it.
    pub fn expire<'a>(
        &mut self,
        now_ms: i64,
        since: Since,
        retention: Duration,
        name_of: impl Fn(TopicId) -> Option<&'a str>,
        is_subscribed: impl Fn(&str) -> bool,
    ) -> Vec<Mutation> {
        let has_expired = |row: &OffsetRow| match since {
            Since::Commit => now_ms >= expires_at(row, row.committed_at_ms, retention),
            Since::Moment(moment_ms) => now_ms >= expires_at(row, moment_ms, retention),
            Since::Never => false,
        };
        let is_over = |(topic, _): &(TopicId, i32), row: &OffsetRow| {
            name_of(*topic).is_none_or(|name| has_expired(row) && !is_subscribed(name))
        };
        let over = self.committed.iter().filter(|(partition, row)| is_over(partition, row));
        let over: Vec<_> = over.map(|(partition, _)| *partition).collect();
        over.into_iter().filter_map(|partition| self.forget(partition)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::commit::{CommitRules, NewOffset, Retention};
    use super::super::tests::{replay, topic};
    use super::*;

    const RETENTION: Duration = Duration::from_millis(100);

    fn names(topic: TopicId) -> Option<&'static str> {
        match topic.0.as_u128() {
            1 => Some("orders"),
            2 => Some("audit"),
            _ => None,
        }
    }

    fn committed(topics: &[u128], retention: Option<Retention>) -> Offsets {
        let new = |number: &u128| NewOffset {
            partition: (topic(*number), 0),
            offset: 1,
            leader_epoch: -1,
            metadata: String::new(),
        };
        let new: Vec<_> = topics.iter().map(new).collect();
        let mut offsets = replay(&[]);
        offsets.commit(&new, CommitRules::new(1000, retention, 0)).0.into_iter().for_each(|one| one.unwrap());
        offsets
    }

    fn left(offsets: &Offsets) -> Vec<u128> {
        offsets.committed.keys().map(|(topic, _)| topic.0.as_u128()).collect()
    }

    #[test]
    fn an_offset_expires_when_its_time_is_over_unless_somebody_reads_the_topic() {
        let mut offsets = committed(&[1, 2], None);
        let reads_audit = |name: &str| name == "audit";
        assert!(offsets.expire(1099, Since::Commit, RETENTION, names, reads_audit).is_empty());
        assert!(offsets.expire(9999, Since::Never, RETENTION, names, reads_audit).is_empty());
        assert!(offsets.expire(1100, Since::Moment(1001), RETENTION, names, reads_audit).is_empty());
        assert_eq!(offsets.expire(1100, Since::Commit, RETENTION, names, reads_audit).len(), 1);
        assert_eq!(left(&offsets), [2]);
    }

    #[test]
    fn a_clients_own_retention_counts_instead() {
        let mut offsets = committed(&[1], Some(Retention(10)));
        assert!(offsets.expire(1009, Since::Moment(0), RETENTION, names, |_| false).is_empty());
        assert_eq!(offsets.expire(1010, Since::Moment(9999), RETENTION, names, |_| false).len(), 1);
    }

    #[test]
    fn offsets_of_a_topic_that_is_gone_go_at_once() {
        let mut offsets = committed(&[1, 3], None);
        let rows = offsets.expire(1000, Since::Never, RETENTION, names, |_| true);
        assert_eq!((rows.len(), left(&offsets)), (1, vec![1]));
    }
}
