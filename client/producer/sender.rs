//! The task of a producer: it owns all lanes, and alone changes them.

use super::batch::{Settled, ToSend};
use super::builder::Settings;
use super::delivery::Outcome;
use super::lane::{Lane, Next};
use super::metrics::Counters;
use super::partitioner::Partitioner;
use super::route::{TopicState, ask_topic};
use crate::client::Client;
use crate::error::Error;
use crate::record::Record;
use crate::transport::Reply;
use callboard_protocol::native::produce::{
    BatchAppended, NewProducer, Produce, ProducedBatch, ProducerGiven,
};
use callboard_protocol::native::topics::Topic;
use callboard_protocol::native::{Code, Operation};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{sleep, sleep_until};

/// Orders that are taken at once before batches are sent: so batches grow when there are many.
const ORDERS_AT_ONCE: usize = 4096;

/// What the task is to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Send a record.
    Send(Entry),
    /// Say when all that came before is done.
    Flush(oneshot::Sender<()>),
}

/// A record to send.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: Record,
    /// Bytes of the buffer that it takes.
    pub(super) bytes: usize,
    pub(super) outcome: oneshot::Sender<Outcome>,
}

/// A flush on its way: it is over when the last batch that holds it is dropped.
#[derive(Debug)]
pub(super) struct Flushing(Option<oneshot::Sender<()>>);

impl Drop for Flushing {
    fn drop(&mut self) {
        if let Some(flushed) = self.0.take() {
            // Nobody may wait for it.
            let _ = flushed.send(());
        }
    }
}

/// Something that was waited for.
pub(super) enum Event {
    /// A producer's id came, or not.
    Identified { lane: usize, outcome: Result<ProducerGiven, Error> },
    /// What was known of a topic is old, or was not known.
    Listed { topic: Arc<str>, outcome: Result<Topic, Error> },
    /// A batch has waited for company.
    Lingered { lane: usize, number: u64 },
    /// A lane has rested.
    Rested { lane: usize },
    /// A topic is to be asked for again.
    AskAgain { topic: Arc<str> },
    /// What was waited for since the longest may be late.
    Late,
}

/// A batch on its way, until its answer is there.
struct Sent {
    lane: usize,
    sending: u64,
    reply: BoxFuture<'static, Reply>,
}

impl Future for Sent {
    type Output = (usize, u64, Reply);

    fn poll(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Self::Output> {
        let (lane, sending) = (self.lane, self.sending);
        self.reply.poll_unpin(ctx).map(|reply| (lane, sending, reply))
    }
}

/// The task of a producer.
pub(super) struct Sender {
    pub(super) client: Client,
    pub(super) settings: Settings,
    pub(super) partitioner: Box<dyn Partitioner>,
    room: Arc<Semaphore>,
    counters: Arc<Counters>,
    pub(super) topics: HashMap<Arc<str>, TopicState>,
    pub(super) lanes: Vec<Lane>,
    /// Lanes in which something has changed.
    pub(super) touched: Vec<usize>,
    pub(super) events: FuturesUnordered<BoxFuture<'static, Event>>,
    sent: FuturesUnordered<Sent>,
    /// Something is to happen when the oldest of what was sent may be late.
    is_watching: bool,
    pub(super) now_ms: i64,
    inbox: mpsc::UnboundedReceiver<Order>,
    /// The producer is gone: nothing waits for company any more.
    is_closing: bool,
}

impl Sender {
    pub(super) fn new(
        client: Client,
        settings: Settings,
        partitioner: Box<dyn Partitioner>,
        room: Arc<Semaphore>,
        counters: Arc<Counters>,
        inbox: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        Self {
            client,
            settings,
            partitioner,
            room,
            counters,
            topics: HashMap::new(),
            lanes: Vec::new(),
            touched: Vec::new(),
            events: FuturesUnordered::new(),
            sent: FuturesUnordered::new(),
            is_watching: false,
            now_ms: 0,
            inbox,
            is_closing: false,
        }
    }

    /// Sends until the producer is dropped and all is done.
    pub(super) async fn run(mut self) {
        while !self.is_closing || !self.is_empty() {
            tokio::select! {
                biased;
                Some(event) = self.events.next() => self.happened(event),
                Some((lane, sending, reply)) = self.sent.next() => self.answered(lane, sending, outcome(reply)),
                order = self.inbox.recv(), if !self.is_closing => match order {
                    Some(order) => {
                        self.now_ms = now_ms();
                        self.order(order);
                    }
                    None => {
                        self.is_closing = true;
                        self.touched.extend(0..self.lanes.len());
                    }
                },
            }
            for _ in 0..ORDERS_AT_ONCE {
                if let Some(Some((lane, sending, reply))) = self.sent.next().now_or_never() {
                    self.answered(lane, sending, outcome(reply));
                } else if let Ok(order) = self.inbox.try_recv() {
                    self.order(order);
                } else {
                    break;
                }
            }
            self.send_touched();
            yield_now().await;
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Send(entry) => self.route(entry, Instant::now()),
            Order::Flush(flushed) => {
                let flushing = Arc::new(Flushing(Some(flushed)));
                for topic in self.topics.values_mut().filter(|topic| !topic.waiting.is_empty()) {
                    topic.flushes.push(Arc::clone(&flushing));
                }
                for (place, lane) in self.lanes.iter_mut().enumerate().filter(|(_, lane)| !lane.is_empty()) {
                    lane.flush(&flushing);
                    self.touched.push(place);
                }
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Identified { lane, outcome } => self.identified(lane, outcome),
            Event::Listed { topic, outcome } => self.listed(&topic, outcome),
            Event::AskAgain { topic } => self.events.push(ask_topic(self.client.clone(), topic)),
            Event::Late => {
                self.is_watching = false;
                self.give_up();
                self.watch();
            }
            Event::Lingered { lane, number } => {
                if let Some(it) = self.lanes.get_mut(lane) {
                    it.linger_is_over(number);
                    self.touched.push(lane);
                }
            }
            Event::Rested { lane } => {
                if let Some(it) = self.lanes.get_mut(lane) {
                    it.wake();
                    self.touched.push(lane);
                }
            }
        }
    }

    fn answered(&mut self, place: usize, sending: u64, outcome: Result<BatchAppended, Error>) {
        let Some(lane) = self.lanes.get_mut(place) else { return };
        if let Err(error) = &outcome {
            tracing::debug!(topic = %lane.topic, partition = lane.partition.partition, %error, "a batch failed");
        }
        let is_unknown = outcome.as_ref().is_err_and(|error| error.code() == Some(Code::UNKNOWN_PARTITION));
        let (settled, next) = lane.answered(sending, outcome, &self.settings);
        let (is_homeless, name) = (lane.is_homeless(), Arc::clone(&lane.topic));
        if (is_homeless || is_unknown)
            && let Some(topic) = self.topics.get_mut(&name)
        {
            topic.forget(lane.partition.topic);
        }
        if is_homeless {
            self.look_for(&name);
        } else if is_unknown {
            self.client.topics().forget(&name);
        }
        self.settle(settled);
        self.rest(place, next);
        self.touched.push(place);
    }

    /// Waits no longer for what was sent too long ago.
    fn give_up(&mut self) {
        for place in 0..self.lanes.len() {
            while let Some((sending, sent)) = self.lanes.get(place).and_then(Lane::oldest) {
                if sent.elapsed() < self.settings.request_timeout {
                    break;
                }
                self.answered(place, sending, Err(Error::TimedOut));
            }
        }
    }

    /// Sees to it that something happens when the oldest of what was sent is late.
    fn watch(&mut self) {
        if self.is_watching {
            return;
        }
        let sent = self.lanes.iter().filter_map(Lane::oldest).map(|(_, sent)| sent);
        if let Some(oldest) = sent.min() {
            self.is_watching = true;
            let late = (oldest + self.settings.request_timeout).into();
            self.events.push(Box::pin(async move {
                sleep_until(late).await;
                Event::Late
            }));
        }
    }

    fn rest(&mut self, lane: usize, next: Next) {
        if let Next::Rest(time) = next {
            self.events.push(Box::pin(async move {
                sleep(time).await;
                Event::Rested { lane }
            }));
        }
    }

    fn identified(&mut self, place: usize, outcome: Result<ProducerGiven, Error>) {
        let Some(lane) = self.lanes.get_mut(place) else { return };
        match outcome {
            Ok(given) => lane.identify(Some((given.producer_id, given.epoch))),
            Err(error) => {
                tracing::debug!(%error, "no producer id");
                lane.identify(None);
                let settled =
                    if error.is_retriable() { lane.expire(&self.settings) } else { lane.fail_ready(&error) };
                self.settle(settled);
                let backoff = self.settings.backoff_max;
                self.rest(place, Next::Rest(backoff));
                return;
            }
        }
        self.touched.push(place);
    }

    pub(super) fn settle(&self, settled: Settled) {
        if settled.freed > 0 {
            self.room.add_permits(settled.freed);
        }
        if let Some((records, bytes)) = settled.delivered {
            self.counters.delivered(records, bytes);
        }
        self.counters.failed(settled.failed);
        self.counters.repeated(settled.repeated);
    }

    /// Sends what may be sent of the lanes in which something has changed.
    fn send_touched(&mut self) {
        let now = Instant::now();
        for place in std::mem::take(&mut self.touched) {
            let Some(lane) = self.lanes.get_mut(place) else { continue };
            let open = self.settings.linger.is_zero() || self.is_closing;
            let mut settled = Vec::new();
            while let Some(taken) = lane.take(open, now, &self.settings) {
                match taken {
                    Ok(to_send) => {
                        let ToSend { sending, bytes } = to_send;
                        let batch = ProducedBatch { partition: lane.partition, bytes: bytes.len() as u32 };
                        let produce = Produce { acks: self.settings.acks, batches: vec![batch] };
                        // The request is on its way when this returns.
                        let reply = self.client.transport().call(produce.into_request(), vec![bytes]);
                        self.sent.push(Sent { lane: place, sending, reply });
                    }
                    Err(failed) => settled.push(failed),
                }
            }
            if lane.take_gone_early() {
                self.partitioner.batch_ended(&lane.topic);
            }
            if lane.wants_identity() {
                let client = self.client.clone();
                self.events.push(Box::pin(async move {
                    Event::Identified { lane: place, outcome: client.ask(NewProducer {}).await }
                }));
            }
            settled.into_iter().for_each(|settled| self.settle(settled));
        }
        self.watch();
    }

    fn is_empty(&self) -> bool {
        self.lanes.iter().all(Lane::is_empty) && self.topics.values().all(|topic| topic.waiting.is_empty())
    }
}

impl Drop for Sender {
    /// The runtime ends before all was delivered.
    fn drop(&mut self) {
        // Nobody makes room any more.
        self.room.close();
        let orders = std::iter::from_fn(|| self.inbox.try_recv().ok());
        let ordered = orders.filter(|order| matches!(order, Order::Send(_))).count();
        let unknown: usize = self.topics.values().map(|topic| topic.waiting.len()).sum();
        let taken = ordered + unknown + self.lanes.iter().map(Lane::len).sum::<usize>();
        self.counters.failed(taken);
        // Those that wait for room fail or are dropped with their deliveries, and count there.
        let lost = taken + self.counters.waiting();
        if lost > 0 {
            tracing::warn!(records = lost, "a producer ended before these were known to be delivered");
        }
    }
}

/// What became of the one batch of a request.
fn outcome(reply: Reply) -> Result<BatchAppended, Error> {
    let (response, _) = reply?;
    let produced = Produce::answer(response).and_then(|it| it.outcomes.into_iter().next());
    produced.ok_or_else(|| Error::Protocol("a batch was not answered".to_owned()))?.map_err(Error::from)
}

#[allow(clippy::disallowed_methods, reason = "records carry the time of their producer")]
pub(super) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
