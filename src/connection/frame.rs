//! Reading frames: a length, then so many bytes, within the bounds of size, number and time.

use super::door::{Door, Interest, Order};
use super::{Connection, Ended, Frame, Permits};
use crate::limits::{Limits, Reserved};
use actix::Addr;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use callboard_actors::clock;
use callboard_actors::config::ConnectionLimits;
use callboard_actors::mail::post;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Bytes of the length before a frame.
const PREFIX_BYTES: usize = 4;
/// Bytes that are read at once where the length is not known.
const READ_BYTES: usize = 16 << 10;
/// Bytes of a frame that are counted at once while there is plenty of room.
const EARLY_BYTES_MAX: usize = 2 << 20;
/// Bytes of a larger frame that are counted before they are read. It doubles with what has arrived,
/// so that a length alone takes nothing from others.
const STEP_BYTES: usize = 64 << 10;

/// The reading task of a connection.
pub(super) struct Reader<D: Door> {
    socket: OwnedReadHalf,
    bounds: ConnectionLimits,
    limits: Limits,
    /// How many may be in flight, and places for them.
    requests_max: usize,
    requests: Arc<Semaphore>,
    interest: Interest,
    connection: Addr<Connection<D>>,
    buffer: BytesMut,
    /// How long the frame that has begun may still take to arrive.
    patience: Duration,
    /// What was read last overlaps with nothing: all behind it waits for its answer.
    is_alone: bool,
}

/// Why reading ends.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("the client has closed the connection")]
    Closed,
    #[error("the client has closed the connection inside a frame")]
    Cut,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("a frame of {0} bytes is not one")]
    Length(i32),
    #[error("a frame of {found} bytes is larger than {max}")]
    TooLarge { found: usize, max: usize },
    #[error("a frame did not arrive within {0:?}")]
    Slow(Duration),
    #[error("nothing came for {0:?}")]
    Idle(Duration),
}

impl<D: Door> Reader<D> {
    pub(super) fn new(
        socket: OwnedReadHalf,
        bounds: ConnectionLimits,
        limits: Limits,
        interest: Interest,
        connection: Addr<Connection<D>>,
    ) -> Self {
        let requests_max = D::requests_in_flight_max(&bounds).max(1);
        Self {
            socket,
            bounds,
            limits,
            requests_max,
            requests: Arc::new(Semaphore::new(requests_max)),
            interest,
            connection,
            buffer: BytesMut::new(),
            patience: Duration::ZERO,
            is_alone: false,
        }
    }

    /// Reads frames until the connection ends or the broker stops.
    pub(super) async fn run(mut self, stopping: CancellationToken) {
        let ended = loop {
            let frame = tokio::select! {
                biased;
                () = stopping.cancelled() => break Ended::Stopping,
                frame = self.frame() => frame,
            };
            match frame {
                Ok(frame) => {
                    let operation = D::operation(&frame.bytes);
                    self.is_alone = operation.is_ok_and(|it| D::order(it) == Order::OneAtATime);
                    if post(&self.connection, frame).is_err() {
                        return;
                    }
                }
                Err(ReadError::Closed) => break Ended::ByClient,
                Err(error) => break Ended::Broken(error.to_string()),
            }
        };
        // A connection that is gone needs no telling.
        let _ = post(&self.connection, ended);
    }

    async fn frame(&mut self) -> Result<Frame, ReadError> {
        if self.is_alone {
            self.all_answered().await?;
        }
        // The semaphore is never closed.
        let Ok(request) = Arc::clone(&self.requests).acquire_owned().await else {
            return Err(ReadError::Closed);
        };
        self.begin().await?;
        let place = self.place().await;
        self.patience = self.bounds.receive_timeout;
        let (bytes, reserved) = self.rest().await?;
        let permits = Permits { _request: request, _place: place, bytes: Some(reserved), is_counted: false };
        Ok(Frame { bytes, permits })
    }

    /// Takes a place for one more request. Where there is none it waits until all before it are answered, when
    /// none is needed: to wait for places would be to read one request for each that others are answered.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if self.is_idle() {
            return None;
        }
        let place = self.limits.place();
        if place.is_none() {
            self.answered_but(1).await;
        }
        place
    }

    /// Waits until all requests are answered, so that what could not begin yet takes no room in the
    /// broker, where a long poll would keep it for as long as its client likes.
    async fn all_answered(&mut self) -> Result<(), ReadError> {
        let mut answered = pin!(self.answered_but(0));
        let mut next = [0];
        tokio::select! {
            biased;
            () = &mut answered => return Ok(()),
            peeked = self.socket.peek(&mut next) => if peeked? == 0 {
                return Err(ReadError::Closed);
            },
        }
        answered.await;
        Ok(())
    }

    /// Waits until all requests are answered but so many, as the one that is being read.
    fn answered_but(&self, left: usize) -> impl Future<Output = ()> + use<D> {
        let count = self.requests_max - left;
        let answered =
            Arc::clone(&self.requests).acquire_many_owned(u32::try_from(count).unwrap_or(u32::MAX));
        // The semaphore is never closed.
        async move { drop(answered.await) }
    }

    /// Waits for the first byte of a frame. Only a connection without requests is idle, and only while its
    /// client waits for nothing that is pushed.
    async fn begin(&mut self) -> Result<(), ReadError> {
        if self.buffer.is_empty() {
            // An idle connection keeps no room, least of all that of its largest frame.
            self.buffer = BytesMut::new();
        }
        while self.buffer.is_empty() {
            let idle_max = self.bounds.idle_max;
            let read = self.read_when_ready();
            let count = match idle_max {
                None => read.await?,
                Some(patience) => match timeout(patience, read).await {
                    Ok(count) => count?,
                    // The permit of the frame to come is not a request yet.
                    Err(_) if self.is_idle() && !self.interest.is_there() => {
                        return Err(ReadError::Idle(patience));
                    }
                    Err(_) => continue,
                },
            };
            if count == 0 {
                return Err(ReadError::Closed);
            }
        }
        Ok(())
    }

    async fn read_when_ready(&mut self) -> io::Result<usize> {
        self.socket.readable().await?;
        self.buffer.reserve(READ_BYTES);
        self.socket.read_buf(&mut self.buffer).await
    }

    fn is_idle(&self) -> bool {
        self.requests.available_permits() + 1 >= self.requests_max
    }

    /// The length and the bytes of a frame that has begun to arrive.
    async fn rest(&mut self) -> Result<(Bytes, Reserved), ReadError> {
        self.fill(PREFIX_BYTES).await?;
        let length = self.buffer.get_i32();
        let max = self.bounds.frame_bytes_max;
        let found = usize::try_from(length).ok().filter(|found| *found > 0);
        let found = found.ok_or(ReadError::Length(length))?;
        if found > max {
            return Err(ReadError::TooLarge { found, max });
        }
        let reserved = self.arrive(found).await?;
        let frame = self.buffer.split_to(found).freeze();
        if found > READ_BYTES {
            // What follows does not keep the large frame's memory.
            self.buffer = BytesMut::from(self.buffer.as_ref());
        }
        Ok((frame, reserved))
    }

    /// Reads until a frame of `count` bytes is there, counting its bytes as they arrive.
    async fn arrive(&mut self, count: usize) -> Result<Reserved, ReadError> {
        let mut reserved = Reserved::default();
        if count <= READ_BYTES && self.buffer.len() >= count && self.is_idle() {
            // A connection's one small request never waits for those of others: their number is
            // bounded by that of connections.
            return Ok(reserved);
        }
        let early = count.min(EARLY_BYTES_MAX);
        let mut counted = if self.limits.reserve_early(&mut reserved, early) { early } else { 0 };
        loop {
            self.fill(counted).await?;
            if counted == count {
                return Ok(reserved);
            }
            // Before they are read, or each connection could have a large piece in memory beyond it.
            let step = (count - counted).min(STEP_BYTES.max(counted));
            self.limits.reserve(&mut reserved, step).await;
            counted += step;
        }
    }

    /// Reads until there are `wanted` bytes.
    async fn fill(&mut self, wanted: usize) -> Result<(), ReadError> {
        while self.buffer.len() < wanted {
            self.read_more(wanted - self.buffer.len()).await?;
        }
        Ok(())
    }

    /// Reads some of the `wanted` bytes, and of what is behind them as much as a small read takes: many small
    /// frames take one system call. Only the time that the client takes counts, not that for which the broker
    /// does not read.
    async fn read_more(&mut self, wanted: usize) -> Result<(), ReadError> {
        // Of a larger frame no more than was counted, and so the allocator may touch all of it.
        let room = wanted.max(READ_BYTES.saturating_sub(self.buffer.len()));
        self.buffer.reserve(room);
        let begun = clock::now();
        let mut space = (&mut self.buffer).limit(room);
        let read = timeout(self.patience, self.socket.read_buf(&mut space)).await;
        self.patience = self.patience.saturating_sub(begun.elapsed());
        match read {
            Err(_) => Err(ReadError::Slow(self.bounds.receive_timeout)),
            Ok(Ok(0)) => Err(ReadError::Cut),
            Ok(outcome) => Ok(outcome.map(drop)?),
        }
    }
}
