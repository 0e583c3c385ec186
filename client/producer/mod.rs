//! Producing: records in, batches out, receipts back.
//!
//! - [`builder`]: what can be set, and its defaults
//! - [`delivery`]: what becomes of a record
//! - [`partitioner`]: which partition a record goes to
//! - [`lane`]: the batches of one partition: filled, in flight, to be repeated
//! - [`batch`]: a batch of a lane
//! - [`route`]: the way of a record into its lane, by way of its topic
//! - [`sender`]: the task that owns all lanes
//! - [`metrics`]: what was done so far

mod batch;
mod builder;
mod delivery;
mod lane;
mod metrics;
mod partitioner;
mod route;
mod sender;

pub use builder::ProducerBuilder;
pub use callboard_protocol::batch::Compression;
pub use callboard_protocol::native::produce::Acks;
pub use delivery::{Delivery, Receipt};
pub use metrics::Metrics;
pub use partitioner::{Partitioner, Sticky, murmur2};

use crate::error::Error;
use crate::record::Record;
use metrics::{Counters, Waiting};
use sender::{Entry, Order};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Bytes that a record takes beside its contents until its receipt is there.
const RECORD_OVERHEAD_BYTES: usize = 64;

/// Sends records. Clones are the same producer; any thread may use them.
///
/// Records of one partition are stored in the order in which they were sent, each once, also when
/// the connection is lost between or requests are repeated, unless [`ProducerBuilder::idempotent`]
/// was turned off.
///
/// When a topic is deleted while records are on their way to it, and another of its name is made, they go to
/// that one, in their order and to the same partitions; what the first one stored is gone. Until there is
/// another, which the broker may make by itself, they wait for as long as
/// [`ProducerBuilder::delivery_timeout`] says.
///
/// When the last clone is dropped, what was sent is still delivered in the background, and what could
/// not be is logged; [`Producer::flush`] waits for it. When the runtime ends before, all that was not
/// delivered fails, what waits for room too.
#[derive(Debug, Clone)]
pub struct Producer {
    orders: mpsc::UnboundedSender<Order>,
    room: Arc<Semaphore>,
    room_bytes: usize,
    counters: Arc<Counters>,
}

impl Producer {
    /// Sends a record, and gives the way to its receipt.
    ///
    /// The record is on its way when this returns. Only when the producer has no room for it (see
    /// [`ProducerBuilder::buffer_bytes`]) it waits in the [`Delivery`], which must be awaited then.
    pub fn send(&self, record: Record) -> Delivery {
        let bytes = record.in_batch(0).bytes_max() + RECORD_OVERHEAD_BYTES;
        if bytes > self.room_bytes {
            let message =
                format!("a record of {bytes} bytes is larger than the buffer of {}", self.room_bytes);
            self.counters.failed(1);
            return Delivery::waiting(async { Err(Error::Invalid(message)) });
        }
        let wanted = bytes as u32;
        if let Ok(permit) = self.room.try_acquire_many(wanted) {
            permit.forget();
            return Delivery::sent(enqueue(&self.orders, record, bytes));
        }
        let (orders, room) = (self.orders.clone(), Arc::clone(&self.room));
        let waiting = Waiting::begin(&self.counters);
        Delivery::waiting(async move {
            let Ok(permit) = room.acquire_many(wanted).await else {
                waiting.failed();
                return Err(Error::Closed);
            };
            permit.forget();
            waiting.sent();
            Ok(enqueue(&orders, record, bytes))
        })
    }

    /// Sends records, and waits for all receipts, which are in their order.
    ///
    /// Cancel safe in so far as records that were taken are delivered all the same; those behind them
    /// are not sent.
    ///
    /// # Errors
    /// One of a record that failed; all others are sent, and waited for.
    pub async fn send_all(&self, records: impl IntoIterator<Item = Record>) -> Result<Vec<Receipt>, Error> {
        let mut deliveries = Vec::new();
        let mut failed = None;
        for record in records {
            let mut delivery = self.send(record);
            match delivery.taken().await {
                Ok(()) => deliveries.push(delivery),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let mut receipts = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            match delivery.await {
                Ok(receipt) => receipts.push(receipt),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(receipts), Err)
    }

    /// Sends at once what waits for company, and waits until everything that was sent before is
    /// delivered or has failed. Cancel safe.
    pub async fn flush(&self) {
        let (flushed, done) = oneshot::channel();
        if self.orders.send(Order::Flush(flushed)).is_ok() {
            let _ = done.await;
        }
    }

    /// What the producer has done so far.
    pub fn metrics(&self) -> Metrics {
        self.counters.read(self.room_bytes - self.room.available_permits().min(self.room_bytes))
    }
}

/// Hands a record over to the sender's task.
fn enqueue(
    orders: &mpsc::UnboundedSender<Order>,
    record: Record,
    bytes: usize,
) -> oneshot::Receiver<delivery::Outcome> {
    let (outcome, receipt) = oneshot::channel();
    // A task that is gone drops the entry and with it the outcome.
    let _ = orders.send(Order::Send(Entry { record, bytes, outcome }));
    receipt
}
