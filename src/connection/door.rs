//! A door: one of the protocols that clients speak, as connections need it.

use super::write::Pending;
use bytes::Bytes;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::config::ConnectionLimits;
use std::cell::Cell;
use std::fmt::{self, Debug};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc;

/// One of the protocols that clients speak. Its frames begin with their length, 4 bytes in network
/// byte order that do not count themselves.
pub trait Door: Debug + Send + Sync + 'static {
    /// What a connection keeps between its requests.
    type Session: Unpin + 'static;
    /// An operation that a frame asks for.
    type Operation: Copy + Debug + Unpin + 'static;
    /// Why a connection is closed instead of answered.
    type Refused: std::error::Error + 'static;

    /// Whether answers may overtake each other.
    const ANSWERS: Answers;

    /// How many requests of a connection may wait for their answers.
    fn requests_in_flight_max(bounds: &ConnectionLimits) -> usize;

    /// The broker behind the door.
    fn broker(&self) -> &BrokerHandle;

    /// A new connection's session. What it pushes is written between the answers.
    fn session(&self, peer: IpAddr, pushes: Pushes<Self::Refused>) -> Self::Session;

    /// Which operation a frame asks for, before anything of it is done.
    ///
    /// # Errors
    /// When the connection must be closed.
    fn operation(frame: &Bytes) -> Result<Self::Operation, Self::Refused>;

    /// How requests of an operation share a connection with others.
    fn order(operation: Self::Operation) -> Order;

    /// What is kept of a request until it is answered.
    fn keeps(operation: Self::Operation) -> Keeps;

    /// How large the answer of an operation may be.
    fn size(operation: Self::Operation) -> Size;

    /// Begins a request: what must happen in the order of the requests happens here.
    ///
    /// # Errors
    /// When the connection must be closed.
    fn start(
        self: &Arc<Self>,
        session: &mut Self::Session,
        operation: Self::Operation,
        frame: Bytes,
    ) -> Result<Started<Self::Refused>, Self::Refused>;
}

/// In which order answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// In that of the requests.
    InOrder,
    /// As they are ready.
    AsReady,
}

/// Whether a request may begin before those in front of it are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It may when all of those may too: what it does happens in order all the same.
    Overlapping,
    /// It may not, so that it sees what they did.
    OneAtATime,
}

/// What is kept of a request until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Its bytes, which count as long against the bound on those of all requests.
    Frame,
    /// A copy of what is needed: it may wait long for what others do.
    Copy,
}

/// How large the answer of an operation may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As large as its request lets expect, or counted where it is made: records are.
    Bounded,
    /// It grows with what there is in the broker, so it counts until its client has taken it.
    Growing,
}

/// The pieces of an answer's frame; none when no answer is sent.
pub type Answer<R> = Result<Option<Vec<Bytes>>, R>;

/// The way to an answer.
pub type Answering<R> = Pin<Box<dyn Future<Output = Answer<R>>>>;

/// A request that has begun.
pub enum Started<R> {
    /// All that must happen in order has happened.
    Answering(Answering<R>),
    /// The next request of the connection must wait for this.
    Waiting(Pin<Box<dyn Future<Output = Answering<R>>>>),
    /// Something is done before the answer is made, as long as that may take: only the answer, which is one
    /// that grows, waits for its turn and has it.
    Preparing(Preparing<R>),
}

/// What is done before an answer is made.
pub type Preparing<R> = Pin<Box<dyn Future<Output = Answering<R>>>>;

/// Where a session puts what it says without being asked.
pub struct Pushes<R> {
    push: Rc<dyn Fn(Answer<R>)>,
    interest: Interest,
}

/// How many wait for what is pushed on a connection, which is not idle as long as there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Interest(Rc<Cell<usize>>);

impl Interest {
    pub(super) fn is_there(&self) -> bool {
        self.0.get() > 0
    }
}

/// Somebody waits for what is pushed, until this is dropped.
#[derive(Debug)]
pub struct Interested(Rc<Cell<usize>>);

impl Drop for Interested {
    fn drop(&mut self) {
        self.0.update(|count| count - 1);
    }
}

impl<R> Clone for Pushes<R> {
    fn clone(&self) -> Self {
        Self { push: Rc::clone(&self.push), interest: self.interest.clone() }
    }
}

impl<R> fmt::Debug for Pushes<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pushes")
    }
}

impl<R: 'static> Pushes<R> {
    pub(super) fn to(writer: mpsc::UnboundedSender<Pending<R>>, interest: Interest) -> Self {
        let push = Rc::new(move |answer| {
            // The writer is gone only when the connection ends.
            let _ = writer.send(Pending { answering: Box::pin(async { answer }), permits: None });
        });
        Self { push, interest }
    }

    /// Says that the client waits for what is pushed: until the answer is dropped, a client that says
    /// nothing is not idle.
    pub fn awaited(&self) -> Interested {
        self.interest.0.update(|count| count + 1);
        Interested(Rc::clone(&self.interest.0))
    }

    /// Writes a frame's pieces when it is its turn. Whoever pushes bounds how much that is.
    pub fn push(&self, answer: Answer<R>) {
        (self.push)(answer);
    }

    /// The same for a door behind this one, whose reasons to close are told in this one's words.
    pub(crate) fn map_refused<S>(self, map: impl Fn(S) -> R + 'static) -> Pushes<S> {
        let interest = self.interest.clone();
        Pushes { push: Rc::new(move |answer: Answer<S>| self.push(answer.map_err(&map))), interest }
    }
}
