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
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that wait to be taken.
const BACKLOG: i32 = 1024;
/// How long taking rests when the system has no sockets left.
const PAUSE: Duration = Duration::from_millis(100);

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
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => self.take(socket, peer),
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken");
                    clock::pass(PAUSE).await;
                }
            }
        }
    }

    fn take(&self, socket: TcpStream, peer: SocketAddr) {
        let bounds = self.door.broker().settings().connections;
        let admission = self.limits.admit(peer.ip(), bounds.connections_max, bounds.connections_per_ip_max);
        let admission = match admission {
            Ok(admission) => admission,
            Err(reason) => {
                tracing::warn!(%peer, %reason, "connection refused");
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
