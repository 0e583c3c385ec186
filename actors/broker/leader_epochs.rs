//! Leader epochs: whether a client and the broker mean the same leader, and where an epoch ended (KIP-320).
//!
//! The broker leads all its partitions in one epoch, one higher at each start. A partition in which
//! nothing was written since the start has its current epoch too: it begins at the log's end.

use super::BrokerHandle;
use super::long_poll::FetchError;
use super::topics::{PartitionSlot, TopicView};
use crate::partition::poll::Polled;
use callboard_storage::Offset;
use callboard_storage::log::reader::Extent;
use futures_util::future::join_all;
use std::sync::Arc;

/// A leader epoch that is not the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaderEpochError {
    /// The client missed that a new leader began.
    #[error("leader epoch {known} is over, it is {current} now")]
    Old {
        /// What the client knows.
        known: i32,
        /// What is.
        current: i32,
    },
    /// The client knows of a leader that this broker does not know of.
    #[error("leader epoch {known} is not known, it is {current} now")]
    Unknown {
        /// What the client knows.
        known: i32,
        /// What is.
        current: i32,
    },
}

/// A leader epoch of a partition whose end is asked for.
#[derive(Debug, Clone)]
pub struct EpochWanted {
    /// Its topic.
    pub topic: Arc<TopicView>,
    /// The partition.
    pub slot: Arc<PartitionSlot>,
    /// The epoch.
    pub epoch: i32,
}

/// The largest leader epoch that is at most the wanted one, and the offset behind its last record.
pub type EpochEnd = (i32, Offset);

impl BrokerHandle {
    /// Compares the leader epoch that a client knows with the current one. Clients that know none
    /// are not fenced.
    ///
    /// # Errors
    /// [`LeaderEpochError`] when it is another.
    pub fn check_leader_epoch(&self, known: Option<i32>) -> Result<(), LeaderEpochError> {
        check(known, self.leader_epoch())
    }

    /// Where each of the epochs ended, in the order of `wanted`; `None` for those still to come.
    pub async fn epoch_ends(&self, wanted: Vec<EpochWanted>) -> Vec<Result<Option<EpochEnd>, FetchError>> {
        let ends = wanted.iter().map(|wanted| self.epoch_end(&wanted.topic, &wanted.slot, wanted.epoch));
        join_all(ends).await
    }

    /// Where an epoch ended; `None` when it is still to come, or is -1. An epoch before all that
    /// the log has ended where the log begins.
    ///
    /// # Errors
    /// [`FetchError`], never that an offset is out of range.
    pub async fn epoch_end(
        &self,
        topic: &TopicView,
        slot: &PartitionSlot,
        epoch: i32,
    ) -> Result<Option<EpochEnd>, FetchError> {
        let Polled { log_start, high_watermark, .. } = self.ends(topic, slot).await?;
        let current = self.leader_epoch();
        if epoch == -1 || epoch > current {
            return Ok(None);
        }
        if epoch == current {
            return Ok(Some((epoch, high_watermark)));
        }
        let extent = Extent { partition: slot.id, start: log_start, end: high_watermark };
        let found = self.read_log(topic, slot, move |reader| reader.epoch_end(extent, epoch)).await?;
        Ok(Some(found.unwrap_or((epoch, log_start))))
    }
}

fn check(known: Option<i32>, current: i32) -> Result<(), LeaderEpochError> {
    match known {
        Some(known) if known < current => Err(LeaderEpochError::Old { known, current }),
        Some(known) if known > current => Err(LeaderEpochError::Unknown { known, current }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_epoch_passes_and_none_at_all() {
        assert_eq!(check(None, 3), Ok(()));
        assert_eq!(check(Some(3), 3), Ok(()));
        assert_eq!(check(Some(2), 3), Err(LeaderEpochError::Old { known: 2, current: 3 }));
        assert_eq!(check(Some(4), 3), Err(LeaderEpochError::Unknown { known: 4, current: 3 }));
    }
}
