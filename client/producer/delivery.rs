//! What becomes of a record that was sent.

use crate::error::Error;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its partition.
    pub partition: u32,
    /// Its offset; -1 with acks none.
    pub offset: i64,
    /// In milliseconds since 1970: the record's own, or the one that the broker gave it.
    pub timestamp: i64,
}

/// The way to a record's receipt.
///
/// The record is on its way whether or not anybody waits, unless the producer had no room for it:
/// then it waits in here, and is on its way once this was polled and there is room.
///
/// Dropping it before takes the record back, which [`Metrics`](super::Metrics) count, and later nothing.
#[must_use = "a record that the producer had no room for waits in here"]
pub struct Delivery(State);

enum State {
    /// It waits for room.
    Waiting(BoxFuture<'static, Result<oneshot::Receiver<Outcome>, Error>>),
    /// It is on its way.
    Sent(oneshot::Receiver<Outcome>),
}

/// What a record's sender is told.
pub(super) type Outcome = Result<Receipt, Error>;

impl Delivery {
    pub(super) fn sent(outcome: oneshot::Receiver<Outcome>) -> Self {
        Self(State::Sent(outcome))
    }

    pub(super) fn waiting(
        sending: impl Future<Output = Result<oneshot::Receiver<Outcome>, Error>> + Send + 'static,
    ) -> Self {
        Self(State::Waiting(sending.boxed()))
    }
}

impl Delivery {
    /// Waits until the record is on its way. Cancel safe.
    ///
    /// # Errors
    /// When it never will be.
    pub async fn taken(&mut self) -> Result<(), Error> {
        if let State::Waiting(sending) = &mut self.0 {
            self.0 = State::Sent(sending.await?);
        }
        Ok(())
    }
}

impl Future for Delivery {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Outcome> {
        if let State::Waiting(sending) = &mut self.0 {
            match ready!(sending.poll_unpin(ctx)) {
                Ok(outcome) => self.0 = State::Sent(outcome),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let State::Sent(outcome) = &mut self.0 else { return Poll::Pending };
        // A producer's task that is gone has dropped what it had.
        outcome.poll_unpin(ctx).map(|outcome| outcome.unwrap_or(Err(Error::Closed)))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}
