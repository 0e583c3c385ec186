//! How far a partition is read at each level of isolation.

use super::*;
use crate::config::Settings;
use crate::config::topic::TopicConfig;
use callboard_storage::{PartitionId, TopicId};

/// A part that reads from an offset of a log of 10 records, of which the first 5 are stable.
fn polled(offset: i64, isolation: Isolation) -> Part {
    let (id, slot) = (TopicId(uuid::Uuid::nil()), PartitionSlot::new(PartitionId(1), 0));
    let config = TopicConfig::restore([], &Settings::default().topics.defaults);
    let topic = Arc::new(TopicView::new(id, "t".into(), config, [slot]));
    let slot = Arc::clone(topic.partition(0).unwrap());
    let wanted = FetchPart { topic, slot, offset: Offset(offset), bytes_max: 100 };
    let mut part = Part::new(wanted, isolation);
    let ends = Polled { log_start: Offset(0), high_watermark: Offset(10), last_stable: Offset(5) };
    part.polled(Ok(ends));
    part
}

#[test]
fn committed_records_are_read_up_to_the_last_stable_offset() {
    let part = polled(3, Isolation::ReadCommitted);
    assert!(part.is_behind());
    assert_eq!(part.end, Offset(5));
    for offset in [5, 7, 10] {
        let part = polled(offset, Isolation::ReadCommitted);
        assert_eq!((part.is_behind(), part.state), (false, State::Watched), "{offset}");
        assert_eq!(part.fetched.last_stable, Offset(5));
    }
    let beyond = polled(11, Isolation::ReadCommitted);
    assert!(matches!(beyond.state, State::Failed(FetchError::OutOfRange(_))));
}

#[test]
fn all_records_are_read_up_to_the_high_watermark() {
    let part = polled(5, Isolation::ReadUncommitted);
    assert!(part.is_behind());
    assert_eq!(part.end, Offset(10));
}
