//! A member of a group: the task that says that the consumer lives, and hears what it is to read.

use crate::client::Client;
use crate::error::Error;
use callboard_protocol::native::groups::{Beat, Beaten, Leave};
use callboard_protocol::native::{Code, TopicPartition};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

/// How long one heartbeat may take before it is repeated.
const BEAT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a member waits before it tries again what failed.
const BACKOFF: Duration = Duration::from_millis(250);

/// What a member joins with.
#[derive(Debug, Clone)]
pub(super) struct Joining {
    pub(super) group: String,
    pub(super) instance: Option<String>,
    pub(super) rack: Option<String>,
    pub(super) topics: Vec<String>,
    pub(super) pattern: Option<String>,
    pub(super) assignor: Option<String>,
    pub(super) rebalance_timeout: Duration,
}

/// A consumer's place in its group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) instance: Option<String>,
    /// The epoch that the member is in; 0 while it is in none.
    pub(super) epoch: watch::Receiver<i32>,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
    orders: mpsc::UnboundedSender<Order>,
}

/// What a member hears.
#[derive(Debug)]
pub(super) enum Event {
    /// It is to read these.
    Assigned(Vec<TopicPartition>),
    /// The group took it for dead: others read what it had.
    Lost,
    /// It cannot be in the group.
    Failed(Error),
}

#[derive(Debug)]
enum Order {
    /// It has these now.
    Owned(Vec<TopicPartition>),
    /// It leaves, and says so there when it has.
    Leave(oneshot::Sender<()>),
}

impl Member {
    /// Enters a group; the task ends when this is dropped, and leaves the group.
    pub(super) fn join(client: Client, joining: Joining) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (told, events) = mpsc::unbounded_channel();
        let (epochs, epoch) = watch::channel(0);
        let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string();
        let instance = joining.instance.clone();
        let life = Life { client, joining, id: id.clone(), epoch: 0, owned: None, epochs, told };
        tokio::spawn(life.run(inbox));
        Self { id, instance, epoch, events, orders }
    }

    /// Says what the consumer has now.
    pub(super) fn owns(&self, partitions: Vec<TopicPartition>) {
        // A task that is gone has said why.
        let _ = self.orders.send(Order::Owned(partitions));
    }

    /// Leaves the group.
    pub(super) async fn leave(self) {
        let (left, done) = oneshot::channel();
        if self.orders.send(Order::Leave(left)).is_ok() {
            let _ = done.await;
        }
    }
}

/// The task of a member.
struct Life {
    client: Client,
    joining: Joining,
    id: String,
    epoch: i32,
    /// What is to be said of what it has; none when that is known.
    owned: Option<Vec<TopicPartition>>,
    epochs: watch::Sender<i32>,
    told: mpsc::UnboundedSender<Event>,
}

impl Life {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            let rest = match timeout(BEAT_TIMEOUT, self.beat()).await.unwrap_or(Err(Error::TimedOut)) {
                Ok(beaten) => self.beaten(beaten),
                Err(error) => match self.failed(error) {
                    Some(rest) => rest,
                    None => return,
                },
            };
            let left = tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Owned(owned)) => {
                        self.owned = Some(owned);
                        None
                    }
                    Some(Order::Leave(left)) => Some(Some(left)),
                    None => Some(None),
                },
                () = sleep(rest) => None,
            };
            if let Some(left) = left {
                self.leave().await;
                // Nobody may wait for it.
                let _ = left.map(|left| left.send(()));
                return;
            }
        }
    }

    async fn beat(&self) -> Result<Beaten, Error> {
        let enters = self.epoch == 0;
        let joining = &self.joining;
        let rebalance_timeout = i32::try_from(joining.rebalance_timeout.as_millis()).unwrap_or(i32::MAX);
        let beat = Beat {
            group: joining.group.clone(),
            member: self.id.clone(),
            epoch: self.epoch,
            instance: joining.instance.clone(),
            rack: joining.rack.clone().filter(|_| enters),
            rebalance_timeout_ms: enters.then_some(rebalance_timeout),
            topics: enters.then(|| joining.topics.clone()),
            pattern: joining.pattern.clone().filter(|_| enters),
            assignor: joining.assignor.clone().filter(|_| enters),
            owned: if enters { Some(Vec::new()) } else { self.owned.clone() },
        };
        self.client.ask(beat).await
    }

    fn beaten(&mut self, beaten: Beaten) -> Duration {
        self.epoch = beaten.epoch;
        self.owned = None;
        self.epochs.send_replace(beaten.epoch);
        if let Some(assignment) = beaten.assignment {
            // A consumer that is gone has closed the other channel too.
            let _ = self.told.send(Event::Assigned(assignment));
        }
        Duration::from_millis(u64::from(beaten.interval_ms))
    }

    /// How long to wait before trying again; none when that is of no use.
    fn failed(&mut self, error: Error) -> Option<Duration> {
        match error.code() {
            Some(Code::UNKNOWN_MEMBER | Code::FENCED_EPOCH | Code::UNKNOWN_GROUP) if self.epoch > 0 => {
                self.epoch = 0;
                self.owned = None;
                self.epochs.send_replace(0);
                let _ = self.told.send(Event::Lost);
                Some(Duration::ZERO)
            }
            _ if error.is_retriable() => Some(BACKOFF),
            _ => {
                let _ = self.told.send(Event::Failed(error));
                None
            }
        }
    }

    async fn leave(&self) {
        let leave = Leave {
            group: self.joining.group.clone(),
            member: self.id.clone(),
            instance: self.joining.instance.clone(),
            // A static member is expected back.
            for_a_while: self.joining.instance.is_some(),
        };
        match timeout(BEAT_TIMEOUT, self.client.ask(leave)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the group did not see the member leave"),
            Err(_) => tracing::debug!("the group did not see the member leave in time"),
        }
    }
}
