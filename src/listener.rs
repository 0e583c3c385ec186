//! Taking connections, within the bounds on their number.

use crate::connection::door::Door;
use crate::connection::{Accepted, Connection};
use crate::limits::Limits;
use callboard_actors::clock;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that wait to be taken.
const BACKLOG: i32 = 1024;
/// How long taking rests when the system has no sockets left.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the log tells of refused connections.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Binds a port. No connection is taken yet.
///
/// # Errors
/// What the system says, when the port is in use or not allowed.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Takes connections until the broker stops.
#[derive(Debug)]
pub struct Listener<D: Door> {
    /// The port.
    pub socket: TcpListener,
    /// The protocol that its clients speak.
    pub door: Arc<D>,
    /// The bounds that all connections share.
    pub limits: Limits,
    /// Tells that the broker stops.
    pub stopping: CancellationToken,
    /// Counts the connections that are still there.
    pub alive: TaskTracker,
}

impl<D: Door> Listener<D> {
    /// Takes connections until the broker stops; then the port is free.
    pub async fn run(self) {
        let mut refused = Refused::default();
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => self.take(socket, peer, &mut refused),
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken");
                    clock::pass(PAUSE).await;
                }
            }
        }
    }

    fn take(&self, socket: TcpStream, peer: SocketAddr, refused: &mut Refused) {
        let bounds = self.door.broker().settings().connections;
        let admission = self.limits.admit(peer.ip(), bounds.connections_max, bounds.connections_per_ip_max);
        let admission = match admission {
            Ok(admission) => admission,
            Err(reason) => {
                if let Some(count) = refused.count(clock::now()) {
                    tracing::warn!(%peer, %reason, count, "connections refused");
                }
                return;
            }
        };
        let socket = match socket.into_std() {
            Ok(socket) => socket,
            Err(error) => {
                tracing::info!(%peer, %error, "connection closed");
                return;
            }
        };
        let accepted = Accepted {
            socket,
            peer,
            admission,
            limits: self.limits.clone(),
            door: Arc::clone(&self.door),
            stopping: self.stopping.clone(),
            alive: self.alive.token(),
        };
        self.door.broker().placement().connection().spawn_fn(move || {
            if let Err(error) = Connection::start(accepted) {
                tracing::info!(%peer, %error, "connection closed");
            }
        });
    }
}

/// Connections that were refused. A flood of them is no flood of lines in the log.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    told: Option<Instant>,
}

impl Refused {
    /// One more is refused. How many there were since it was told last, when it is to be told again.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.told.is_some_and(|told| now < told + TELL_EVERY) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refused_connections_is_told_now_and_then_with_its_count() {
        let (mut refused, begun) = (Refused::default(), clock::now());
        assert_eq!(refused.count(begun), Some(1));
        assert_eq!(refused.count(begun), None);
        assert_eq!(refused.count(begun + TELL_EVERY / 2), None);
        assert_eq!(refused.count(begun + TELL_EVERY), Some(3));
        assert_eq!(refused.count(begun + TELL_EVERY), None);
    }
}
