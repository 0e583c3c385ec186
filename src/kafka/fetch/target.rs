//! One partition of a fetch: found, checked against the leader's epoch, and read.

use super::session::{TopicRef, Wanted};
use crate::kafka::Edge;
use callboard_actors::broker::long_poll::{FetchError, FetchedPart};
use callboard_actors::broker::topics::{PartitionSlot, TopicView};
use callboard_protocol::kafka::ErrorCode;
use callboard_storage::{Offset, TopicId};
use std::sync::Arc;

/// A partition that a client wants, and what came of it.
pub(super) struct Target {
    pub(super) wanted: Wanted,
    pub(super) found: Result<Found, ErrorCode>,
    /// The end of the epoch in which the client's log and ours part, when they do.
    pub(super) diverging: Option<(i32, Offset)>,
    pub(super) fetched: Option<Result<FetchedPart, FetchError>>,
}

pub(super) struct Found {
    pub(super) topic: Arc<TopicView>,
    pub(super) slot: Arc<PartitionSlot>,
}

impl Target {
    pub(super) fn find(edge: &Edge, wanted: Wanted, refusal: Option<ErrorCode>) -> Self {
        let refusal = refusal.or((wanted.bytes_max < 0).then_some(ErrorCode::UNKNOWN_SERVER_ERROR));
        let found = refusal.map_or_else(|| find(edge, &wanted), Err);
        Self { wanted, found, diverging: None, fetched: None }
    }

    /// Compares the epoch that the client read last with ours: where they part, it must go back.
    /// Of the current epoch the log's end tells, which is known when it is read.
    pub(super) async fn check_divergence(&mut self, edge: &Edge) {
        let (Ok(found), epoch) = (&self.found, self.wanted.last_fetched_epoch) else { return };
        let current = edge.broker.leader_epoch();
        if epoch < 0 || epoch == current {
            return;
        }
        if epoch > current {
            self.found = Err(ErrorCode::OFFSET_OUT_OF_RANGE);
            return;
        }
        let end = edge.broker.epoch_end(&found.topic, &found.slot, epoch).await;
        if let Ok(Some((known, end))) = end
            && (known < epoch || end.0 < self.wanted.offset)
        {
            self.diverging = Some((known, end));
        }
    }

    /// Takes what was read. Who read beyond the end in the current epoch has parted from us too.
    pub(super) fn read(&mut self, fetched: Result<FetchedPart, FetchError>, current: i32) {
        if let Err(FetchError::OutOfRange(ends)) = fetched
            && self.diverging.is_none()
            && self.wanted.last_fetched_epoch == current
            && self.wanted.offset > ends.high_watermark.0
        {
            self.diverging = Some((current, ends.high_watermark));
        }
        self.fetched = Some(fetched);
    }

    /// Whether the client must act on what is known already.
    pub(super) fn is_urgent(&self) -> bool {
        let is_fatal = |code: &ErrorCode| {
            matches!(
                *code,
                ErrorCode::FENCED_LEADER_EPOCH
                    | ErrorCode::UNKNOWN_LEADER_EPOCH
                    | ErrorCode::OFFSET_OUT_OF_RANGE
            )
        };
        self.diverging.is_some() || self.found.as_ref().is_err_and(is_fatal)
    }
}

fn find(edge: &Edge, wanted: &Wanted) -> Result<Found, ErrorCode> {
    let topics = edge.broker.topics();
    let topic = match &wanted.topic {
        TopicRef::Name(name) => topics.get(name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?,
        TopicRef::Id(id) => topics.get_by_id(TopicId(*id)).ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?,
    };
    let slot = topic.partition(wanted.index).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    check_epoch(wanted.leader_epoch, edge.broker.leader_epoch())?;
    Ok(Found { topic: Arc::clone(topic), slot: Arc::clone(slot) })
}

/// Whether a client and the leader mean the same leadership. A negative epoch means any.
pub(crate) fn check_epoch(given: i32, current: i32) -> Result<(), ErrorCode> {
    match given {
        any if any < 0 => Ok(()),
        old if old < current => Err(ErrorCode::FENCED_LEADER_EPOCH),
        new if new > current => Err(ErrorCode::UNKNOWN_LEADER_EPOCH),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_epochs_are_fenced_and_new_ones_unknown() {
        assert_eq!(check_epoch(-1, 3), Ok(()));
        assert_eq!(check_epoch(3, 3), Ok(()));
        assert_eq!(check_epoch(2, 3), Err(ErrorCode::FENCED_LEADER_EPOCH));
        assert_eq!(check_epoch(4, 3), Err(ErrorCode::UNKNOWN_LEADER_EPOCH));
    }
}
