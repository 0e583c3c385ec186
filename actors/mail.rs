//! Sending messages to actors, and what it means when they cannot be reached.

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message};
use tokio::sync::oneshot;

/// The actor is gone, or storage has failed: the operation may or may not have happened, and may
/// be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the part of the broker that does this is not available")]
pub struct Unavailable;

/// Puts a message into an actor's mailbox, behind all that were put there before from here.
///
/// The mailbox's own bound is not used: a sender that waits for room can be overtaken, and the work
/// on its way is bounded where it enters the broker.
///
/// # Errors
/// [`Unavailable`] when the actor is gone.
pub fn post<A, M>(actor: &Addr<A>, message: M) -> Result<(), Unavailable>
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message<Result = ()> + Send + 'static,
{
    if !actor.connected() {
        return Err(Unavailable);
    }
    actor.do_send(message);
    Ok(())
}

/// Sends a message that carries a oneshot for its answer, and waits for that.
///
/// # Errors
/// [`Unavailable`] when the actor is gone, or goes before it answers.
pub async fn ask<A, M, T>(
    actor: &Addr<A>,
    message: impl FnOnce(oneshot::Sender<T>) -> M,
) -> Result<T, Unavailable>
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message<Result = ()> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    post(actor, message(reply))?;
    answer.await.map_err(|_| Unavailable)
}
