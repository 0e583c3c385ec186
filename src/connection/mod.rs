//! A client's connection: an actor between two tasks, one that reads frames and one that writes
//! answers.
//!
//! - [`door`]: what a protocol must say of itself
//! - [`silent`]: before the first byte, without an actor
//! - [`frame`]: reading: one whole frame at a time, within the bounds
//! - [`write`]: writing: answers in the order of their requests, or as they are ready
//!
//! Invariants: requests begin in the order in which they came; one that may not overlap with others
//! begins when all before it are answered; answers go out in the order of their door; every frame that arrived whole
//! before the connection ended still takes effect when nobody waits for its answer.

pub mod door;
mod frame;
pub(crate) mod silent;
mod write;

use crate::limits::{Admission, Limits, Reserved};
use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, Running};
use bytes::Bytes;
use callboard_actors::held::held;
use door::{Answer, Answering, Door, Interest, Keeps, Order, Preparing, Pushes, Size, Started};
use socket2::SockRef;
use std::collections::VecDeque;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How long a client whose request was refused waits for its connection to be closed while others are served, who
/// would wait longer beside one that tries the same again at once.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// Answers that tell of what there is, which a connection may have in memory until its client takes them.
const LISTS_MAX: usize = 2;

/// A connection that was taken, before its actor runs.
#[derive(Debug)]
pub struct Accepted<D: Door> {
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// Its place among the connections.
    pub admission: Admission,
    /// The bounds that all connections share.
    pub limits: Limits,
    /// The protocol that it speaks.
    pub door: Arc<D>,
    /// Tells that the broker stops: no more requests are read.
    pub stopping: CancellationToken,
    /// Tells that nothing is answered any more.
    pub ended: CancellationToken,
    /// Tells that the connection is still there.
    pub alive: TaskTrackerToken,
}

/// The actor of a connection.
#[derive(Debug)]
pub struct Connection<D: Door> {
    door: Arc<D>,
    session: D::Session,
    peer: SocketAddr,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
    answers: mpsc::UnboundedSender<write::Pending<D::Refused>>,
    /// Frames that may not begin yet.
    waiting: VecDeque<Request<D::Operation>>,
    /// Requests that began and are not answered, and whether all of them may overlap with others.
    in_flight: usize,
    order: Order,
    /// Nothing more will be read; the connection ends when all is answered.
    is_draining: bool,
    /// A request was refused, and the connection ends for it.
    is_refused: bool,
    limits: Limits,
    /// Answers that tell of what there is, which it may have in memory.
    lists: Arc<Semaphore>,
    _admission: Admission,
    _alive: TaskTrackerToken,
}

/// A frame and the operation that it asks for.
#[derive(Debug)]
struct Request<O> {
    operation: O,
    frame: Frame,
}

/// A whole frame has arrived.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Frame {
    bytes: Bytes,
    permits: Permits,
}

/// What a request takes of the bounds; given back when it is answered.
#[derive(Debug)]
struct Permits {
    _request: OwnedSemaphorePermit,
    /// None of a connection's only request.
    _place: Option<OwnedSemaphorePermit>,
    /// Until it is answered, or its bytes are not kept any more.
    bytes: Option<Reserved>,
    /// Its answer takes of the room of those that tell of what there is.
    is_counted: bool,
}

/// So many answers have been written.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Answered(usize);

/// The connection ends, and why.
#[derive(Debug, Message)]
#[rtype(result = "()")]
enum Ended {
    /// The client has closed it.
    ByClient,
    /// The broker stops: what has begun is still answered.
    Stopping,
    /// It broke, or a bound was passed.
    Broken(String),
    /// The client sent something that can only be answered by closing, for that reason.
    Refused(String),
}

impl<D: Door> Connection<D> {
    /// The actor of a connection that was taken. Call it on the thread that it is to run on.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn start(socket: std::net::TcpStream, accepted: Accepted<D>) -> io::Result<()> {
        let Accepted { peer, admission, limits, door, stopping, ended, alive } = accepted;
        socket.set_nonblocking(true)?;
        let socket = TcpStream::from_std(socket)?;
        socket.set_nodelay(true)?;
        let bounds = door.broker().settings().connections;
        let system = SockRef::from(&socket);
        if let Some(bytes) = bounds.send_buffer_bytes {
            system.set_send_buffer_size(bytes)?;
        }
        if let Some(bytes) = bounds.receive_buffer_bytes {
            system.set_recv_buffer_size(bytes)?;
        }
        let (read, write) = socket.into_split();
        Self::create(|ctx| {
            let (answers, inbox) = mpsc::unbounded_channel();
            let interest = Interest::default();
            let session = door.session(peer.ip(), Pushes::to(answers.clone(), interest.clone()));
            let courtesy = door.broker().courtesy().clone();
            let writer =
                write::Writer::new(write, bounds.send_timeout, limits.clone(), courtesy, ctx.address());
            let reader = frame::Reader::new(read, bounds, limits.clone(), interest, ctx.address());
            Self {
                door,
                session,
                peer,
                reader: actix_rt::spawn(reader.run(stopping)),
                writer: actix_rt::spawn(writer.run(inbox, ended)),
                answers,
                waiting: VecDeque::new(),
                in_flight: 0,
                order: Order::Overlapping,
                is_draining: false,
                is_refused: false,
                limits,
                lists: Arc::new(Semaphore::new(LISTS_MAX)),
                _admission: admission,
                _alive: alive,
            }
        });
        Ok(())
    }

    /// Begins all requests that may begin.
    fn advance(&mut self, ctx: &mut Context<Self>) {
        while let Some(request) = self.waiting.pop_front_if(|request| {
            let may_overlap =
                self.order == Order::Overlapping && D::order(request.operation) == Order::Overlapping;
            self.in_flight == 0 || may_overlap
        }) {
            self.in_flight += 1;
            let Request { operation, frame } = request;
            self.order = D::order(operation);
            let mut permits = frame.permits;
            match self.door.start(&mut self.session, operation, frame.bytes) {
                Ok(Started::Answering(answering)) => {
                    if D::keeps(operation) == Keeps::Copy {
                        permits.bytes = None;
                    }
                    match D::size(operation) {
                        Size::Bounded => self.answer(answering, permits),
                        Size::Growing => self.answer_in_turn(Box::pin(ready(answering)), permits),
                    }
                }
                Ok(Started::Preparing(preparing)) => self.answer_in_turn(preparing, permits),
                Ok(Started::Waiting(beginning)) => {
                    let begun = wrap_future::<_, Self>(beginning);
                    ctx.wait(begun.map(|answering, connection, ctx| {
                        connection.answer(answering, permits);
                        connection.advance(ctx);
                    }));
                    return;
                }
                Err(refused) => {
                    self.in_flight -= 1;
                    self.end(Ended::Refused(refused.to_string()), ctx);
                    return;
                }
            }
        }
        if self.is_draining && self.in_flight == 0 && self.waiting.is_empty() {
            ctx.stop();
        }
    }

    fn answer(&mut self, answering: Answering<D::Refused>, permits: Permits) {
        // The writer is gone only when the connection ends.
        let _ = self.answers.send(write::Pending { answering, permits: Some(permits) });
    }

    fn answer_in_turn(&mut self, preparing: Preparing<D::Refused>, mut permits: Permits) {
        permits.is_counted = true;
        self.answer(Box::pin(within(self.limits.clone(), Arc::clone(&self.lists), preparing)), permits);
    }

    fn end(&mut self, ended: Ended, ctx: &mut Context<Self>) {
        let peer = self.peer;
        match ended {
            Ended::Broken(reason) => {
                tracing::info!(%peer, reason, "connection closed");
                self.finish_unanswered();
                ctx.stop();
                return;
            }
            Ended::Refused(error) => {
                tracing::warn!(%peer, error, "connection closed");
                self.waiting.clear();
                self.reader.abort();
                self.is_refused = true;
                if self.door.broker().courtesy().others_wait() {
                    ctx.run_later(REFUSED_FOR, Self::drain);
                    return;
                }
            }
            Ended::ByClient => tracing::debug!(%peer, "connection closed by the client"),
            Ended::Stopping => {}
        }
        self.drain(ctx);
    }

    /// Answers what has begun, and then ends; a client may have closed only its sending side.
    fn drain(&mut self, ctx: &mut Context<Self>) {
        self.is_draining = true;
        let patience = self.door.broker().settings().connections.send_timeout;
        ctx.run_later(patience, |connection, ctx| {
            connection.finish_unanswered();
            ctx.stop();
        });
        self.advance(ctx);
    }

    /// What arrived whole takes effect, though nobody waits for an answer: a client that asked for
    /// none may close at once.
    fn finish_unanswered(&mut self) {
        let frames: Vec<_> = self
            .waiting
            .drain(..)
            .filter(|request| D::order(request.operation) == Order::Overlapping)
            .collect();
        if frames.is_empty() {
            return;
        }
        let door = Arc::clone(&self.door);
        let pushes = Pushes::to(self.answers.clone(), Interest::default());
        let mut session = door.session(self.peer.ip(), pushes);
        std::mem::swap(&mut session, &mut self.session);
        actix_rt::spawn(async move {
            let mut answering = Vec::with_capacity(frames.len());
            for Request { operation, frame } in frames {
                match door.start(&mut session, operation, frame.bytes) {
                    Ok(Started::Answering(begun)) => answering.push((begun, frame.permits)),
                    Ok(Started::Waiting(begun) | Started::Preparing(begun)) => {
                        answering.push((begun.await, frame.permits));
                    }
                    Err(_) => break,
                }
            }
            for (begun, _permits) in answering {
                let _ = begun.await;
            }
        });
    }
}

/// An answer that is made when there is room for it, and counts until it is written. It is a task of its own,
/// which does not keep its turn while the connection's client does not take other answers.
async fn within<R: 'static>(limits: Limits, lists: Arc<Semaphore>, preparing: Preparing<R>) -> Answer<R> {
    let making = actix_rt::spawn(async move {
        // In this order: a turn is the broker's, and waits for no client and no disk. The semaphore is never
        // closed.
        let place = Arc::new(lists.acquire_owned().await.ok());
        let answering = preparing.await;
        let _turn = limits.turn().await;
        let pieces = answering.await?;
        let count = |piece| held(limits.count(piece), Arc::clone(&place));
        Ok(pieces.map(|pieces| pieces.into_iter().map(count).collect()))
    });
    match AbortOnDropHandle::new(making).await.map_err(JoinError::try_into_panic) {
        Ok(answer) => answer,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // It is aborted only when nobody is here any more.
        Err(Err(_)) => std::future::pending().await,
    }
}

impl<D: Door> Actor for Connection<D> {
    type Context = Context<Self>;

    fn stopping(&mut self, _ctx: &mut Self::Context) -> Running {
        self.reader.abort();
        self.writer.abort();
        Running::Stop
    }
}

impl<D: Door> Handler<Frame> for Connection<D> {
    type Result = ();

    fn handle(&mut self, frame: Frame, ctx: &mut Context<Self>) {
        match D::operation(&frame.bytes) {
            // What is behind a request that was refused has no effect.
            _ if self.is_refused => {}
            Ok(operation) => {
                self.waiting.push_back(Request { operation, frame });
                self.advance(ctx);
            }
            Err(refused) => self.end(Ended::Refused(refused.to_string()), ctx),
        }
    }
}

impl<D: Door> Handler<Answered> for Connection<D> {
    type Result = ();

    fn handle(&mut self, Answered(count): Answered, ctx: &mut Context<Self>) {
        self.in_flight -= count;
        self.advance(ctx);
    }
}

impl<D: Door> Handler<Ended> for Connection<D> {
    type Result = ();

    fn handle(&mut self, ended: Ended, ctx: &mut Context<Self>) {
        self.end(ended, ctx);
    }
}

#[cfg(feature = "kafka")]
#[cfg(test)]
mod tests;
