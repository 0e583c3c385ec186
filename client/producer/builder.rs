//! What can be set of a producer, and its defaults.

use super::metrics::Counters;
use super::partitioner::{Partitioner, Sticky};
use super::sender::Sender;
use super::{Acks, Compression, Producer};
use crate::client::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::unconstrained;

/// Batches of a partition in flight by which the broker still knows a repeated one.
const IN_FLIGHT_IDEMPOTENT_MAX: usize = 5;

/// Sets a producer up.
#[derive(Debug)]
pub struct ProducerBuilder {
    client: Client,
    settings: Settings,
    partitioner: Box<dyn Partitioner>,
    buffer_bytes: usize,
}

/// What a producer goes by.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) acks: Acks,
    pub(super) compression: Compression,
    pub(super) linger: Duration,
    pub(super) batch_bytes: usize,
    pub(super) batch_records: usize,
    pub(super) in_flight: usize,
    pub(super) is_idempotent: bool,
    pub(super) delivery_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) backoff: Duration,
    pub(super) backoff_max: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            acks: Acks::Synced,
            compression: Compression::None,
            linger: Duration::ZERO,
            batch_bytes: 256 << 10,
            batch_records: usize::MAX,
            in_flight: IN_FLIGHT_IDEMPOTENT_MAX,
            is_idempotent: true,
            delivery_timeout: Duration::from_secs(120),
            request_timeout: Duration::from_secs(30),
            backoff: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
        }
    }
}

impl ProducerBuilder {
    pub(crate) fn new(client: Client) -> Self {
        let settings = Settings::default();
        Self { client, settings, partitioner: Box::<Sticky>::default(), buffer_bytes: 32 << 20 }
    }

    /// When a record counts as delivered: [`Acks::Synced`] (the default) survives the broker's
    /// machine, [`Acks::Written`] its process, [`Acks::None`] is not known to have arrived.
    #[must_use]
    pub fn acks(mut self, acks: Acks) -> Self {
        self.settings.acks = acks;
        self
    }

    /// How batches are packed; not at all by default. It is done on the task that sends.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.settings.compression = compression;
        self
    }

    /// How long a record may wait for company in its batch; not at all by default: batches then grow
    /// only while those before them are in flight.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.settings.linger = linger;
        self
    }

    /// Bytes of records at which a batch is full, before it is packed: 256 KiB by default. A larger
    /// record has a batch for itself.
    #[must_use]
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.settings.batch_bytes = bytes.max(1);
        self
    }

    /// Records at which a batch is full; no bound by default.
    #[must_use]
    pub fn batch_records(mut self, records: usize) -> Self {
        self.settings.batch_records = records.max(1);
        self
    }

    /// Batches of one partition that are on their way at once: 5 by default, and at most 5 while the
    /// producer is idempotent.
    #[must_use]
    pub fn in_flight(mut self, batches: usize) -> Self {
        self.settings.in_flight = batches.max(1);
        self
    }

    /// Whether the broker knows a batch that was sent twice; it does by default. Without, a repeated
    /// request may store records twice or out of order.
    #[must_use]
    pub fn idempotent(mut self, is_idempotent: bool) -> Self {
        self.settings.is_idempotent = is_idempotent;
        self
    }

    /// How long a record may take, repetitions included, before it counts as failed: 120 s by default.
    #[must_use]
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.settings.delivery_timeout = timeout;
        self
    }

    /// How long one request may take before it is repeated: 30 s by default.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.settings.request_timeout = timeout;
        self
    }

    /// How long a batch waits before it is repeated: 50 ms by default, doubled each time up to 1 s.
    #[must_use]
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        (self.settings.backoff, self.settings.backoff_max) = (first, max.max(first));
        self
    }

    /// Bytes of records that may wait for their receipts: 32 MiB by default, at most 2 GiB. Beyond
    /// them [`Producer::send`] makes its caller wait.
    #[must_use]
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.buffer_bytes = bytes.min(i32::MAX as usize);
        self
    }

    /// Who chooses partitions; [`Sticky`] by default.
    #[must_use]
    pub fn partitioner(mut self, partitioner: impl Partitioner) -> Self {
        self.partitioner = Box::new(partitioner);
        self
    }

    /// The producer. It needs a running tokio runtime, on which its task runs.
    pub fn build(self) -> Producer {
        let Self { client, mut settings, partitioner, buffer_bytes } = self;
        // What nobody acknowledges cannot be repeated, and so needs no numbers.
        settings.is_idempotent &= settings.acks != Acks::None;
        if settings.is_idempotent {
            settings.in_flight = settings.in_flight.min(IN_FLIGHT_IDEMPOTENT_MAX);
        }
        let (orders, inbox) = mpsc::unbounded_channel();
        let (room, counters) = (Arc::new(Semaphore::new(buffer_bytes)), Arc::new(Counters::default()));
        let (for_room, counting) = (Arc::clone(&room), Arc::clone(&counters));
        let sender = Sender::new(client, settings, partitioner, for_room, counting, inbox);
        // It yields by itself; tokio's own budget would have each of many answers looked at again and
        // again.
        tokio::spawn(unconstrained(sender.run()));
        Producer { orders, room, room_bytes: buffer_bytes, counters }
    }
}
