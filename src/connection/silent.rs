//! A connection whose client has said nothing yet.
//!
//! It has no actor, which most of a connection's cost is for, and stays on the thread that took it. A flood of
//! clients that never say anything costs half as much so.

use super::{Accepted, Connection};
use crate::connection::door::Door;
use crate::pace::Stranger;
use std::io;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection that was taken, on the thread that has taken it.
#[derive(Debug)]
pub struct Silent<D: Door> {
    /// The socket.
    pub socket: TcpStream,
    /// Its count in the pace, if others were served when it came.
    pub stranger: Option<Stranger>,
    /// All else.
    pub accepted: Accepted<D>,
}

impl<D: Door> Silent<D> {
    /// Waits for the first byte, and starts the connection's actor on one of the workers.
    pub async fn wait(self) {
        let peer = self.accepted.peer;
        let spoke = tokio::select! {
            biased;
            () = self.accepted.stopping.cancelled() => return,
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
        let peeked = match self.accepted.door.broker().settings().connections.idle_max {
            None => peeking.await?,
            Some(patience) => timeout(patience, peeking).await.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {patience:?}"))
            })??,
        };
        Ok(peeked > 0)
    }

    fn start(self) -> io::Result<()> {
        let Self { socket, stranger, accepted } = self;
        if let Some(stranger) = stranger {
            stranger.speaks();
        }
        let socket = socket.into_std()?;
        let (peer, placement) = (accepted.peer, accepted.door.broker().placement().clone());
        placement.connection().spawn_fn(move || {
            if let Err(error) = Connection::start(socket, accepted) {
                tracing::info!(%peer, %error, "connection closed");
            }
        });
        Ok(())
    }
}
