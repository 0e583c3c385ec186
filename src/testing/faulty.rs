//! A door at which things go wrong: another door, with faults in front of it.

use super::fault::{Effect, Faults};
use crate::connection::door::{Answer, Answering, Answers, Door, Keeps, Order, Pushes, Size, Started};
use bytes::Bytes;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::clock;
use callboard_actors::config::ConnectionLimits;
use futures_util::FutureExt;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A door that a test can refuse requests at.
pub(crate) trait Refusing: Door {
    /// The name of an operation, as tests say it.
    fn name(operation: Self::Operation) -> &'static str;

    /// Answers a request with a code, and does nothing of it; none for an operation that has no such
    /// answer.
    fn refuse(
        self: &Arc<Self>,
        session: &mut Self::Session,
        operation: Self::Operation,
        frame: Bytes,
        code: i16,
    ) -> Option<Result<Started<Self::Refused>, Self::Refused>>;
}

/// A door with faults in front of it.
#[derive(Debug)]
pub(crate) struct Faulty<D> {
    pub(crate) door: Arc<D>,
    pub(crate) faults: Arc<Faults>,
}

/// Why a connection is closed.
#[derive(Debug)]
pub(crate) enum Closed<R> {
    /// The door behind says so.
    Refused(R),
    /// A test wanted it.
    Wanted,
}

impl<R: fmt::Display> fmt::Display for Closed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Wanted => f.write_str("a test wanted it"),
        }
    }
}

impl<R: std::error::Error> std::error::Error for Closed<R> {}

impl<D: Refusing> Door for Faulty<D> {
    type Session = D::Session;
    type Operation = D::Operation;
    type Refused = Closed<D::Refused>;

    const ANSWERS: Answers = D::ANSWERS;

    fn requests_in_flight_max(bounds: &ConnectionLimits) -> usize {
        D::requests_in_flight_max(bounds)
    }

    fn broker(&self) -> &BrokerHandle {
        self.door.broker()
    }

    fn session(&self, peer: IpAddr, pushes: Pushes<Self::Refused>) -> D::Session {
        self.door.session(peer, pushes.map_refused(Closed::Refused))
    }

    fn operation(frame: &Bytes) -> Result<D::Operation, Self::Refused> {
        D::operation(frame).map_err(Closed::Refused)
    }

    fn order(operation: D::Operation) -> Order {
        D::order(operation)
    }

    fn keeps(operation: D::Operation) -> Keeps {
        D::keeps(operation)
    }

    fn size(operation: D::Operation) -> Size {
        D::size(operation)
    }

    fn start(
        self: &Arc<Self>,
        session: &mut D::Session,
        operation: D::Operation,
        frame: Bytes,
    ) -> Result<Started<Self::Refused>, Self::Refused> {
        let effect = self.faults.take(D::name(operation));
        if effect == Some(Effect::Close) {
            return Err(Closed::Wanted);
        }
        let refused = match effect {
            Some(Effect::Refuse(code)) => self.door.refuse(session, operation, frame.clone(), code),
            Some(Effect::Delay(_) | Effect::Close | Effect::LoseAnswer) | None => None,
        };
        let started = refused.unwrap_or_else(|| self.door.start(session, operation, frame));
        Ok(match started.map_err(Closed::Refused)? {
            Started::Answering(answering) => Started::Answering(happen(answering, effect)),
            Started::Waiting(beginning) => {
                Started::Waiting(beginning.map(move |answering| happen(answering, effect)).boxed_local())
            }
            Started::Preparing(preparing) => {
                Started::Preparing(preparing.map(move |answering| happen(answering, effect)).boxed_local())
            }
        })
    }
}

/// The answer, and what goes wrong with it.
fn happen<R: 'static>(answering: Answering<R>, effect: Option<Effect>) -> Answering<Closed<R>> {
    Box::pin(async move {
        let answer: Answer<Closed<R>> = answering.await.map_err(Closed::Refused);
        match effect {
            Some(Effect::Delay(time)) => clock::pass(time).await,
            Some(Effect::LoseAnswer) => return Err(Closed::Wanted),
            Some(Effect::Refuse(_) | Effect::Close) | None => {}
        }
        answer
    })
}
