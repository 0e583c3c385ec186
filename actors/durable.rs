//! Answers that leave when what they rest on is durable, and the changes that make it so.
//!
//! An actor changes its memory at once and answers late: it puts rows and answers here while it
//! handles a message, and flushes. The rows are committed, and each answer is held until all
//! commits that were sent before it are durable. So nobody ever learns of what a crash could take
//! back. After a failed commit every answer is [`Unavailable`]; the actor must end then, because
//! its memory is ahead of the disk.

use crate::committer::Committer;
use crate::committer::commit::{Chain, Commit, Told};
use crate::mail::{Unavailable, post};
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use callboard_storage::journal::Mutation;
use callboard_storage::log;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use tokio::sync::oneshot;

/// Where an answer goes.
pub type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// An answer that is ready, or an error in its place.
type Answer = Box<dyn FnOnce(Result<(), Unavailable>) + Send>;

/// What one message came to: answers that are ready to leave.
#[derive(Default)]
pub struct Answers(Vec<Answer>);

impl Answers {
    /// Answers, once that is durable what was changed before.
    pub fn send<T: Send + 'static, E: From<Unavailable> + Send + 'static>(
        &mut self,
        reply: Reply<T, E>,
        answer: Result<T, E>,
    ) {
        self.0.push(Box::new(move |durable| {
            // Who asked may be gone.
            let _ = reply.send(durable.map_err(E::from).and(answer));
        }));
    }

    /// Does something before all answers leave, when that is durable what was changed.
    pub fn precede(&mut self, work: impl FnOnce() + Send + 'static) {
        self.0.insert(0, Box::new(move |durable| durable.map_or((), |()| work())));
    }

    /// Lets all leave, or says that they cannot be had.
    pub(crate) fn release(self, durable: Result<(), Unavailable>) {
        self.0.into_iter().for_each(|answer| answer(durable));
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answers").field(&self.0.len()).finish()
    }
}

/// A commit is durable, or was lost.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Committed {
    /// Which one.
    number: u64,
    outcome: Result<(), Unavailable>,
}

/// The commits of one actor that are on their way, and the answers that wait for them.
#[derive(Debug)]
pub struct Commits {
    committer: Addr<Committer>,
    chain: Chain,
    sent: u64,
    durable: u64,
    held: VecDeque<(u64, Answers)>,
}

impl Commits {
    /// Commits by that committer.
    pub fn new(committer: Addr<Committer>) -> Self {
        Self { committer, chain: Chain::default(), sent: 0, durable: 0, held: VecDeque::new() }
    }

    /// Who commits.
    pub fn committer(&self) -> &Addr<Committer> {
        &self.committer
    }

    /// Whether nothing is on its way.
    pub fn is_idle(&self) -> bool {
        self.sent == self.durable
    }

    /// Commits rows, and lets answers leave when all is durable that was sent until now.
    pub fn flush<A>(&mut self, rows: Vec<Mutation>, answers: Answers, ctx: &mut Context<A>)
    where
        A: Actor<Context = Context<A>> + Handler<Committed>,
    {
        if !rows.is_empty() {
            self.sent += 1;
            self.commit(rows, ctx.address());
        }
        if self.is_idle() {
            answers.release(Ok(()));
        } else {
            self.held.push_back((self.sent, answers));
        }
    }

    /// Lets the answers leave that waited for a commit. Commits become durable in their order.
    ///
    /// # Errors
    /// [`Unavailable`] when it is lost: the actor must end.
    pub fn committed(&mut self, committed: Committed) -> Result<(), Unavailable> {
        self.durable = self.durable.max(committed.number);
        while let Some((_, answers)) = self.held.pop_front_if(|(number, _)| *number <= committed.number) {
            answers.release(committed.outcome);
        }
        committed.outcome
    }

    /// Commits rows as the last thing that the actor does. When the future is ready, what was sent
    /// before has come to the same; the actor then calls [`Commits::release`], and ends.
    ///
    /// # Errors
    /// The future's is [`Unavailable`] when the rows are lost.
    pub fn flush_last(
        &self,
        mutations: Vec<Mutation>,
    ) -> impl Future<Output = Result<(), Unavailable>> + use<> {
        let is_durable = mutations.is_empty() && self.is_idle();
        let commit = log::Commit { mutations, batches: Vec::new() };
        let (reply, answer) = oneshot::channel();
        let commit = Commit { commit, chain: Some(self.chain.clone()), reply: reply.into() };
        let posted = if is_durable { Ok(()) } else { post(&self.committer, commit) };
        async move {
            posted?;
            if is_durable { Ok(()) } else { answer.await.map_err(|_| Unavailable)? }
        }
    }

    /// Lets all answers leave that wait for anything.
    pub fn release(&mut self, outcome: Result<(), Unavailable>) {
        self.held.drain(..).for_each(|(_, answers)| answers.release(outcome));
    }

    fn commit<A>(&self, mutations: Vec<Mutation>, actor: Addr<A>)
    where
        A: Actor<Context = Context<A>> + Handler<Committed>,
    {
        let (number, commit) = (self.sent, log::Commit { mutations, batches: Vec::new() });
        let reply = Told::new(move |outcome| {
            // An actor that is gone has nobody waiting.
            let _ = post(&actor, Committed { number, outcome });
        });
        // Into the committer's mailbox now, so that commits keep their order. Without a committer the
        // actor is told all the same.
        let _ = post(&self.committer, Commit { commit, chain: Some(self.chain.clone()), reply });
    }
}
