//! The way to a broker: by a socket, or to one in the same program.

mod framing;
pub mod tcp;

use crate::error::Error;
use bytes::Bytes;
use callboard_protocol::native::read::{Fetched, IsolationLevel, ReadPart};
use callboard_protocol::native::{Operation, Request, Response};
use futures_util::future::BoxFuture;
use std::fmt;
use tokio::sync::mpsc;

/// An answer, with the record batches beside it.
pub type Reply = Result<(Response, Vec<Bytes>), Error>;

/// What was pushed, with the record batches beside it.
pub type Pushed = Result<(Fetched, Vec<Bytes>), Error>;

/// The way to a broker.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends a request with the batches beside it. Batches of one partition are appended in the order
    /// of the calls, whether or not anybody waits for their answers; any other request may only begin
    /// when its answer is waited for. Answers may overtake each other.
    fn call(&self, request: Request, batches: Vec<Bytes>) -> BoxFuture<'static, Reply>;

    /// Opens a reading of partitions with so many bytes of credit.
    fn read(&self, parts: Vec<ReadPart>, credit: u32, isolation: IsolationLevel) -> Reading;
}

/// Something that a client can be connected to without a socket: a broker in the same program.
pub trait InProcess {
    /// A way to it, for a client of that name.
    fn transport(&self, client_id: &str) -> std::sync::Arc<dyn Transport>;
}

/// Batches that are pushed for as long as there is credit. Dropping it ends it.
pub struct Reading {
    inbox: mpsc::UnboundedReceiver<Pushed>,
    add_credit: Box<dyn Fn(u32) + Send + Sync>,
}

impl Reading {
    /// A reading that is fed by `inbox`, and whose credit goes to `add_credit`. Dropping that must
    /// end it.
    pub fn new(
        inbox: mpsc::UnboundedReceiver<Pushed>,
        add_credit: impl Fn(u32) + Send + Sync + 'static,
    ) -> Self {
        Self { inbox, add_credit: Box::new(add_credit) }
    }

    /// Waits for what is pushed next; none when the reading has ended, or the connection.
    ///
    /// Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Pushed> {
        self.inbox.recv().await
    }

    /// Lets so many bytes more be pushed.
    pub fn add_credit(&self, bytes: u32) {
        (self.add_credit)(bytes);
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

/// Sends a request that has no batches, and waits for its own answer. Dropping the future does not take the
/// request back.
///
/// # Errors
/// [`Error`].
pub async fn ask<O: Operation>(transport: &dyn Transport, operation: O) -> Result<O::Answer, Error> {
    let (response, _) = transport.call(operation.into_request(), Vec::new()).await?;
    O::answer(response).ok_or_else(|| Error::Protocol("the answer is another request's".to_owned()))
}

/// The one answer to a request for one thing.
///
/// # Errors
/// [`Error::Protocol`] when there is none.
pub(crate) fn one<T>(answers: Vec<T>) -> Result<T, Error> {
    answers.into_iter().next().ok_or_else(|| Error::Protocol("nothing was answered".to_owned()))
}
