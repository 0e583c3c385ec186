//! Append: batches to partitions, in the order in which they are sent.

use super::BrokerHandle;
use super::topics::{PartitionSlot, TopicView};
use crate::mail::{Unavailable, post};
use crate::partition::Partition;
use crate::partition::append::{Acks, Append, AppendError, Appended};
use actix::Addr;
use bytes::Bytes;
use tokio::sync::oneshot;

/// The way to the outcome of an append; dropping it takes nothing back.
#[derive(Debug)]
pub struct Outcome(oneshot::Receiver<Result<Appended, AppendError>>);

impl Outcome {
    /// Waits for it.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn wait(self) -> Result<Appended, AppendError> {
        self.0.await.map_err(|_| Unavailable)?
    }
}

/// Sends a batch to a partition's actor. It is in the mailbox when this returns.
pub fn append(partition: &Addr<Partition>, records: Bytes, acks: Acks) -> Outcome {
    let (reply, outcome) = oneshot::channel();
    // An actor that is gone drops the message and with it the reply, which says so.
    let _ = post(partition, Append { records, acks, reply });
    Outcome(outcome)
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
        append(&partition, records, acks).wait().await
    }
}
