//! Actors that subscribe: batches come as messages, and a reply is an acknowledgement.

use crate::broker::Broker;
use actix::dev::RecipientRequest;
use actix::{MailboxError, Message, Recipient};
use callboard_actors::clock;
use callboard_client::consumer::{Batch, Consumer, ConsumerBuilder, Membership, Reset};
use callboard_client::{Client, Error};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long [`Subscription::stop`] waits for the reply to what the actor has in hand.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long a subscription waits before it sends again what was not taken.
const BACKOFF: Duration = Duration::from_millis(100);

/// Records of one partition, in order, for an actor that subscribes.
///
/// The actor's reply is its acknowledgement: after `Ok` they count as read, and are committed; after
/// `Err` they come again. A handler that answers later answers with a future.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Again>")]
pub struct Records {
    /// The records.
    pub batch: Batch,
    /// The member of the group that they came to, for [`Unit::acknowledge`](crate::Unit::acknowledge).
    pub membership: Option<Membership>,
    pub(crate) by_unit: Arc<ByUnit>,
}

/// Whether a unit acknowledges records.
#[derive(Debug, Default)]
pub(crate) struct ByUnit {
    /// One is to do so: whether it did may stay unknown when the actor dies.
    pub(crate) is_begun: AtomicBool,
    /// One has done so.
    pub(crate) is_done: AtomicBool,
}

/// An actor could not take records now: they are to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again;

/// An actor's subscription. Dropping it ends it as [`Subscription::stop`] does, in the background.
#[derive(Debug)]
pub struct Subscription {
    /// Ends it, with how long the actor's reply may still take, which needs no saying.
    stop: Option<oneshot::Sender<Duration>>,
    ended: oneshot::Receiver<Ended>,
}

/// Why a subscription ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// It was ended here.
    #[error("the subscription was ended")]
    Stopped,
    /// The actor is gone. What it did not acknowledge was not committed.
    #[error("the actor is gone")]
    ActorGone,
    /// The member cannot be in the group.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Broker {
    /// Lets an actor read topics as a member of a group, from their beginning where the group has
    /// committed nothing.
    ///
    /// One message is on its way to the actor at a time, and no more than 8 MiB wait behind it: an
    /// actor that is slow makes the broker keep nothing. Offsets are committed in the background after
    /// the actor's replies, so a crash may bring again what was acknowledged last, and never passes
    /// over anything. When the actor dies the subscription ends, and what it did not acknowledge comes
    /// to the group's next member: subscribe its successor.
    ///
    /// Dropping the future may leave a subscription that ends at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the group or the topics have no name.
    pub async fn subscribe(
        &self,
        group: impl Into<String>,
        topics: impl IntoIterator<Item = impl Into<String>>,
        recipient: Recipient<Records>,
    ) -> Result<Subscription, Error> {
        let client = Client::in_process(self);
        let consumer = client.consumer().group(group).topics(topics).auto_offset_reset(Reset::Earliest);
        self.subscribe_with(consumer, recipient).await
    }

    /// Lets an actor read what a consumer is set up for; what that commits by itself is turned off. Dropping
    /// the future is as for [`Broker::subscribe`].
    ///
    /// # Errors
    /// As for [`ConsumerBuilder::build`].
    pub async fn subscribe_with(
        &self,
        consumer: ConsumerBuilder,
        recipient: Recipient<Records>,
    ) -> Result<Subscription, Error> {
        let consumer = consumer.auto_commit(None);
        let (ready, begun) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        // On one of the broker's threads, whatever runtime the program has.
        self.actors().placement().connection().spawn(async move {
            let consumer = match consumer.build().await {
                Ok(consumer) => consumer,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let _ = ready.send(Ok(()));
            let ended = deliver(consumer, &recipient, stopped).await;
            // Nobody may want to know.
            let _ = end.send(ended);
        });
        begun.await.unwrap_or(Err(Error::Closed))?;
        Ok(Subscription { stop: Some(stop), ended })
    }
}

impl Subscription {
    /// Waits until the subscription ends by itself, and says why. Cancel safe.
    pub async fn ended(&mut self) -> Ended {
        (&mut self.ended).await.unwrap_or(Ended::Stopped)
    }

    /// Ends the subscription, and waits until what was acknowledged is committed and the group left: for
    /// at most 5 s also for the actor's reply, if it has records in hand. [`Subscription::stop_within`]
    /// says what happens after that. Dropping the future ends it all the same.
    pub async fn stop(self) {
        self.stop_within(STOP_PATIENCE).await;
    }

    /// Ends the subscription as [`Subscription::stop`] does, and waits so long for the actor's reply.
    ///
    /// Records to which it has not replied by then are withdrawn: a handler that has not begun with them
    /// never does, the reply of one that has comes to nobody, and they come again to the group's next
    /// member. So does what a unit acknowledges after that: it is refused, because the member has left.
    ///
    /// What is committed and said to the group is durable when this returns, unless storage fails. Dropping the
    /// future ends the subscription all the same.
    pub async fn stop_within(mut self, patience: Duration) {
        // The task has ended already when it does not listen.
        let _ = self.stop.take().map(|stop| stop.send(patience));
        let _ = (&mut self.ended).await;
    }
}

/// Sends batches one after the other until the actor is gone, or nobody wants it to go on.
async fn deliver(
    mut consumer: Consumer,
    recipient: &Recipient<Records>,
    mut stopped: oneshot::Receiver<Duration>,
) -> Ended {
    // A commit that is on its way could take back what a unit commits meanwhile.
    let mut has_units = false;
    let ended = loop {
        let batch = tokio::select! {
            biased;
            _ = &mut stopped => break Ended::Stopped,
            batch = consumer.next_batch() => batch,
        };
        let batch = match batch {
            Ok(batch) => batch,
            Err(error @ (Error::Closed | Error::Invalid(_))) => break error.into(),
            Err(error) => {
                // What cannot be read is left out.
                tracing::error!(%error, "a subscription cannot read");
                continue;
            }
        };
        let (membership, by_unit) = (consumer.membership(), Arc::<ByUnit>::default());
        let records = Records { batch: batch.clone(), membership, by_unit: Arc::clone(&by_unit) };
        let (outcome, is_last) = reply(recipient.send(records), &mut stopped).await;
        has_units |= by_unit.is_begun.load(Ordering::Acquire);
        // The partition may have been given up meanwhile; then it is another member's.
        if by_unit.is_done.load(Ordering::Acquire) {
            let _ = consumer.is_committed(&batch.topic, batch.partition, batch.next_offset());
        } else if matches!(outcome, Reply::Came(Ok(Ok(())))) {
            acknowledge(&mut consumer, has_units).await;
        } else if has_units {
            let _ = consumer.give_again(&batch);
        } else {
            let _ = consumer.seek(&batch.topic, batch.partition, batch.first_offset());
        }
        match outcome {
            Reply::Came(Err(_)) => break Ended::ActorGone,
            Reply::Came(Ok(_)) | Reply::Withdrawn if is_last => break Ended::Stopped,
            Reply::Came(Ok(Ok(()))) | Reply::Withdrawn => {}
            Reply::Came(Ok(Err(Again))) => clock::pass(BACKOFF).await,
        }
    };
    if let Err(error) = consumer.commit().await {
        tracing::warn!(%error, "what a subscription read last is not committed");
    }
    if let Err(error) = consumer.close().await {
        tracing::warn!(%error, "a subscription did not end well");
    }
    ended
}

/// What came of records that an actor was sent.
enum Reply {
    Came(Result<Result<(), Again>, MailboxError>),
    /// The subscription was to end, and there was no reply in time.
    Withdrawn,
}

/// Waits for an actor's reply; once the subscription is to end only for as long as it is said then. Tells whether
/// it is to end, which can be heard only once.
async fn reply(
    request: RecipientRequest<Records>,
    stopped: &mut oneshot::Receiver<Duration>,
) -> (Reply, bool) {
    let mut request = pin!(request);
    let patience = tokio::select! {
        biased;
        came = &mut request => return (Reply::Came(came), false),
        patience = stopped => patience.unwrap_or(STOP_PATIENCE),
    };
    let reply = tokio::select! {
        biased;
        came = request => Reply::Came(came),
        () = clock::pass(patience) => Reply::Withdrawn,
    };
    (reply, true)
}

/// Commits what the actor acknowledged by its answer.
async fn acknowledge(consumer: &mut Consumer, has_units: bool) {
    if !has_units {
        consumer.commit_async();
    } else if let Err(error) = consumer.commit().await {
        tracing::warn!(%error, "what a subscription read is not committed; it is with the next");
    }
}

#[cfg(test)]
mod tests;
