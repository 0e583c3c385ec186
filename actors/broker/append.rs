//! Append: batches to partitions, in the order in which they are sent.

use super::BrokerHandle;
use super::topics::{PartitionSlot, TopicView};
use crate::mail::{Unavailable, post};
use crate::partition::Partition;
use crate::partition::append::{Acks, Append, AppendError, Appended};
use actix::Addr;
use bytes::Bytes;
use std::future::Future;
use tokio::sync::oneshot;

/// Sends a batch to a partition's actor. It is in the mailbox when this returns; the future is the
/// answer, and dropping it takes nothing back.
///
/// # Errors
/// [`AppendError`], as the answer.
pub fn append(
    partition: &Addr<Partition>,
    records: Bytes,
    acks: Acks,
) -> impl Future<Output = Result<Appended, AppendError>> + Send + use<> {
    let (reply, answer) = oneshot::channel();
    let sent = post(partition, Append { records, acks, reply });
    async move {
        sent?;
        answer.await.map_err(|_| Unavailable)?
    }
}

impl BrokerHandle {
    /// Appends a batch to a partition, and waits for the outcome.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn append(
        &self,
        topic: &TopicView,
        slot: &PartitionSlot,
        records: Bytes,
        acks: Acks,
    ) -> Result<Appended, AppendError> {
        let partition = self.locate(topic, slot).await?;
        append(&partition, records, acks).await
    }
}
