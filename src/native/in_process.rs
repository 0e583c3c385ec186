//! The native protocol without a socket: a client in the program that the broker runs in.
//!
//! Requests and answers are passed as they are, and batches by reference.

use super::readings;
use super::{Caller, Native, Started, start};
use bytes::Bytes;
use callboard_actors::broker::answers::Overdraft;
use callboard_client::Error;
use callboard_client::transport::{Reading, Reply, Transport};
use callboard_protocol::native::Request;
use callboard_protocol::native::read::{IsolationLevel, ReadPart};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A way to the broker of the same program.
#[derive(Debug)]
pub struct Local {
    native: Arc<Native>,
    caller: Caller,
}

impl Local {
    /// A way to that broker, for a client of that name.
    pub fn new(native: Arc<Native>, client_id: &str) -> Self {
        let (client_id, host) = (client_id.to_owned(), "in process".to_owned());
        Self { native, caller: Caller { client_id, host, overdraft: Overdraft::default() } }
    }
}

impl Transport for Local {
    fn call(&self, request: Request, batches: Vec<Bytes>) -> BoxFuture<'static, Reply> {
        if self.native.stopping.is_cancelled() {
            // This broker does not come back, whatever takes its place.
            return Box::pin(async { Err(Error::Closed) });
        }
        // What a program has in memory it bounds itself: no request of it waits until it has read others.
        let caller = Caller { overdraft: Overdraft::default(), ..self.caller.clone() };
        match start(&self.native, &caller, request, batches) {
            Started::Answering(answering) => Box::pin(async { answering.await.map_err(Error::from) }),
            Started::Waiting(begun) | Started::Preparing(begun) => {
                Box::pin(async { begun.await.await.map_err(Error::from) })
            }
        }
    }

    fn read(&self, parts: Vec<ReadPart>, credit: u32, isolation: IsolationLevel) -> Reading {
        let (pushes, inbox) = mpsc::unbounded_channel();
        if self.native.stopping.is_cancelled() {
            let _ = pushes.send(Err(Error::Closed));
            return Reading::new(inbox, |_| ());
        }
        let (credit, reading) = readings::open(parts, credit, isolation, None);
        let native = Arc::clone(&self.native);
        let closed = pushes.clone();
        let running = reading.run(Arc::clone(&native), move |pushed, _| {
            // The client is gone only when it ends the reading.
            let _ = pushes.send(pushed.map_err(Error::from));
        });
        self.native.broker.placement().connection().spawn(async move {
            running.await;
            if native.stopping.is_cancelled() {
                let _ = closed.send(Err(Error::Closed));
            }
        });
        Reading::new(inbox, move |bytes| credit.add(bytes))
    }
}
