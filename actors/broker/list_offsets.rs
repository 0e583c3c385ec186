//! List offsets: the ends of partitions' logs, and their records by their time.

use super::BrokerHandle;
use super::long_poll::FetchError;
use super::topics::{PartitionSlot, TopicView};
use crate::mail::{Unavailable, ask};
use crate::partition::poll::{Isolation, Poll, Polled, Watch};
use callboard_storage::log::reader::Extent;
use callboard_storage::log::{LogReader, TimedOffset};
use callboard_storage::values::DELETED;
use futures_util::future::join_all;
use std::sync::Arc;

/// Which offset is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// That of the first record that may be read.
    Earliest,
    /// The one behind the last record that may be read.
    Latest,
    /// That of the first record whose timestamp is at least so many milliseconds since 1970.
    AtTime(i64),
    /// That of the first record with the largest timestamp.
    MaxTime,
}

/// An offset of a partition that is asked for.
#[derive(Debug, Clone)]
pub struct OffsetWanted {
    /// Its topic.
    pub topic: Arc<TopicView>,
    /// The partition.
    pub slot: Arc<PartitionSlot>,
    /// Which of its offsets.
    pub position: Position,
    /// What may be read.
    pub isolation: Isolation,
}

impl BrokerHandle {
    /// Where a partition's log begins and ends.
    ///
    /// # Errors
    /// [`FetchError`], never that an offset is out of range.
    pub async fn ends(&self, topic: &TopicView, slot: &PartitionSlot) -> Result<Polled, FetchError> {
        self.poll(topic, slot, None).await
    }

    /// The same, with a watch that is left there.
    pub(super) async fn poll(
        &self,
        topic: &TopicView,
        slot: &PartitionSlot,
        watch: Option<Watch>,
    ) -> Result<Polled, FetchError> {
        let partition = self.locate(topic, slot).await?;
        let polled = ask(&partition, |reply| Poll { watch, reply }).await?;
        // An actor that was started when the deletion was on its way finds itself deleted.
        if polled.log_start == DELETED { Err(FetchError::Deleted) } else { Ok(polled) }
    }

    /// One offset of each partition, in the order of `wanted`; `None` when no record has such a
    /// time.
    pub async fn list_offsets(
        &self,
        wanted: Vec<OffsetWanted>,
    ) -> Vec<Result<Option<TimedOffset>, FetchError>> {
        join_all(wanted.iter().map(|wanted| self.list_offset(wanted))).await
    }

    async fn list_offset(&self, wanted: &OffsetWanted) -> Result<Option<TimedOffset>, FetchError> {
        let OffsetWanted { topic, slot, position, isolation } = wanted;
        let ends = self.ends(topic, slot).await?;
        let (log_start, end) = (ends.log_start, ends.end(*isolation));
        let extent = Extent { partition: slot.id, start: log_start, end };
        // What is written at the log's end will be of the current epoch.
        let at_end = TimedOffset { offset: end, timestamp: -1, leader_epoch: self.leader_epoch() };
        match *position {
            Position::Latest => Ok(Some(at_end)),
            Position::Earliest if log_start == end => Ok(Some(at_end)),
            Position::Earliest => {
                self.read_log(topic, slot, move |reader| reader.with_epoch(extent, log_start).map(Some)).await
            }
            Position::AtTime(timestamp) => {
                self.read_log(topic, slot, move |reader| reader.find_time(extent, timestamp)).await
            }
            Position::MaxTime => self.read_log(topic, slot, move |reader| reader.find_max_time(extent)).await,
        }
    }

    /// Reads a partition's log on a reader thread.
    pub(super) async fn read_log<T, J>(
        &self,
        topic: &TopicView,
        slot: &PartitionSlot,
        job: J,
    ) -> Result<T, FetchError>
    where
        T: Send + 'static,
        J: FnOnce(&LogReader) -> Result<T, callboard_storage::Error> + Send + 'static,
    {
        self.readers().read(job).await?.map_err(|error| {
            tracing::error!(%error, topic = %topic.name, partition = slot.index, "a partition cannot be read");
            Unavailable.into()
        })
    }
}
