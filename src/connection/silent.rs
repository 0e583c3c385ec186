//! A connection whose client has said nothing yet.
//!
//! It has no actor, which most of a connection's cost is for, and stays on the thread that took it. A flood of
//! clients that never say anything costs half as much so.

use super::{Accepted, Connection};
use crate::connection::door::Door;
use crate::limits::{Admission, Limits};
use crate::pace::Stranger;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A connection that was taken.
#[derive(Debug)]
pub struct Silent<D: Door> {
    /// The socket, on the thread that has taken it.
    pub socket: TcpStream,
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// Its place among the connections.
    pub admission: Admission,
    /// When it was counted, because others were served.
    pub stranger: Option<Stranger>,
    /// The bounds that all connections share.
    pub limits: Limits,
    /// The protocol that it speaks.
    pub door: Arc<D>,
    /// Tells that the broker stops: no requests are read.
    pub stopping: CancellationToken,
    /// Tells that nothing is answered any more.
    pub ended: CancellationToken,
    /// Tells that the connection is still there.
    pub alive: TaskTrackerToken,
}

impl<D: Door> Silent<D> {
    /// Waits for the first byte, and starts the connection's actor on one of the workers.
    pub async fn listen(self) {
        let peer = self.peer;
        let stopping = self.stopping.clone();
        let spoke = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            spoke = self.first_byte() => spoke,
        };
        let started = match spoke {
            Ok(true) => self.start(),
            Ok(false) => {
                tracing::debug!(%peer, "connection closed by the client");
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = started {
            tracing::info!(%peer, %error, "connection closed");
        }
    }

    /// Whether something came before the client closed the connection.
    async fn first_byte(&self) -> io::Result<bool> {
        let mut byte = [0];
        let peeking = self.socket.peek(&mut byte);
        let peeked = match self.door.broker().settings().connections.idle_max {
            None => peeking.await?,
            Some(patience) => timeout(patience, peeking).await.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {patience:?}"))
            })??,
        };
        Ok(peeked > 0)
    }

    fn start(self) -> io::Result<()> {
        let Self { socket, peer, admission, stranger, limits, door, stopping, ended, alive } = self;
        if let Some(stranger) = stranger {
            stranger.speaks();
        }
        let socket = socket.into_std()?;
        let placement = door.broker().placement().clone();
        // Its own, or all would share a lock.
        let ended = ended.child_token();
        let accepted = Accepted { socket, peer, admission, limits, door, stopping, ended, alive };
        placement.connection().spawn_fn(move || {
            if let Err(error) = Connection::start(accepted) {
                tracing::info!(%peer, %error, "connection closed");
            }
        });
        Ok(())
    }
}
