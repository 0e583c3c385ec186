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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::broker::create_topics::tests::Trial;
    use crate::broker::delete_topics::DeleteTopics;
    use crate::mail::ask;
    use callboard_protocol::batch::{Batch, BatchHeader};
    use callboard_storage::Offset;

    /// A batch of one record, the `sequence`th of a producer.
    pub(in crate::broker) fn batch(sequence: i32) -> Bytes {
        let header = BatchHeader {
            producer_id: 7,
            producer_epoch: 0,
            base_sequence: sequence,
            ..BatchHeader::new(1, 0)
        };
        Batch::seal(header, b"\x0c\0\0\0\x01\x01\0").bytes
    }

    async fn partition(trial: &Trial) -> Addr<Partition> {
        let topic = trial.create_one("orders", 1).await.unwrap();
        trial.broker.locate(&topic, &topic.partitions[0]).await.unwrap()
    }

    #[actix::test]
    async fn batches_get_offsets_in_the_order_in_which_they_are_sent() {
        let trial = Trial::start(&[]);
        let partition = partition(&trial).await;
        let sent: Vec<_> =
            (0..50).map(|sequence| append(&partition, batch(sequence), Acks::Synced)).collect();
        for (number, outcome) in (0..).zip(sent) {
            assert_eq!(outcome.wait().await.unwrap().base_offset, Offset(number));
        }
    }

    #[actix::test]
    async fn a_batch_sent_twice_at_once_is_stored_once_and_answered_twice() {
        let trial = Trial::start(&[]);
        let partition = partition(&trial).await;
        for acks in [Acks::Synced, Acks::Written] {
            let first = append(&partition, batch(0), acks);
            let second = append(&partition, batch(0), Acks::Synced);
            assert_eq!(first.wait().await.unwrap().base_offset, Offset(0));
            assert_eq!(second.wait().await.unwrap().base_offset, Offset(0));
        }
        assert_eq!(append(&partition, batch(1), Acks::Synced).wait().await.unwrap().base_offset, Offset(1));
    }

    #[actix::test]
    async fn an_append_that_comes_after_the_end_of_writing_is_answered() {
        let trial = Trial::start(&[]);
        let partition = partition(&trial).await;
        append(&partition, batch(0), Acks::Synced).wait().await.unwrap();
        trial.broker.shutdown().await;
        for acks in [Acks::Synced, Acks::Written] {
            let refused = append(&partition, batch(1), acks).wait().await.unwrap_err();
            assert_eq!(refused, AppendError::Unavailable(Unavailable));
        }
    }

    #[actix::test]
    async fn nothing_is_written_while_the_disk_is_short_but_topics_can_be_deleted() {
        let trial = Trial::start(&[("storage.free.bytes.min", "9000000000000000000")]);
        let topic = trial.create_one("orders", 1).await.unwrap();
        let partition = trial.broker.locate(&topic, &topic.partitions[0]).await.unwrap();
        let sent: Vec<_> = (0..3).map(|sequence| append(&partition, batch(sequence), Acks::Synced)).collect();
        for outcome in sent {
            assert_eq!(outcome.wait().await.unwrap_err(), AppendError::Unavailable(Unavailable));
        }
        let topics = vec![topic.id];
        let deleted = ask(trial.broker.broker(), |reply| DeleteTopics { topics, reply }).await.unwrap();
        assert_eq!(deleted, [Ok(())]);
        let refused = append(&partition, batch(0), Acks::Synced).wait().await.unwrap_err();
        assert!(matches!(refused, AppendError::Unavailable(_) | AppendError::Deleted));
    }
}
