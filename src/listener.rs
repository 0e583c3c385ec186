//! Taking connections, within the bounds on their number.

use crate::connection::Accepted;
use crate::connection::door::Door;
use crate::connection::silent::Silent;
use crate::limits::{Limits, NotAdmitted};
use callboard_actors::clock;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that wait to be taken. Who comes when there are more is not heard, and tries again after a
/// second; with more of them, others would wait longer beside a flood.
const BACKLOG: i32 = 2048;
/// How long a client may be silent before its machine is asked whether it is there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// How long its machine may take to say so before it is asked again, some nine times.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
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
    // Connections inherit it, on Linux with its times. A client that only waits for what is pushed says nothing,
    // also when its machine is gone.
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
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
    /// Tells that nothing is answered any more.
    pub ended: CancellationToken,
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
                accepted = self.accept() => accepted,
                () = refused.rest() => {
                    refused.tell(clock::now());
                    continue;
                }
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

    /// The next connection, not before the pace allows it.
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.limits.pace().keep().await;
        self.socket.accept().await
    }

    fn take(&self, socket: TcpStream, peer: SocketAddr, refused: &mut Refused) {
        let broker = self.door.broker();
        // One that is refused stays counted.
        let stranger = broker.courtesy().others_wait().then(|| self.limits.pace().count());
        let bounds = broker.settings().connections;
        let admission = self.limits.admit(peer.ip(), bounds.connections_max, bounds.connections_per_ip_max);
        let admission = match admission {
            Ok(admission) => admission,
            Err(reason) => return refused.add(peer, reason, clock::now()),
        };
        let accepted = Accepted {
            peer,
            admission,
            limits: self.limits.clone(),
            door: Arc::clone(&self.door),
            stopping: self.stopping.clone(),
            // Its own, or all would share a lock.
            ended: self.ended.child_token(),
            alive: self.alive.token(),
        };
        actix_rt::spawn(Silent { socket, stranger, accepted }.wait());
    }
}

/// Connections that were refused. A flood of them is no flood of lines in the log.
#[derive(Debug, Default)]
struct Refused {
    /// How many there were since it was told last.
    count: u64,
    last: Option<(SocketAddr, NotAdmitted)>,
    told: Option<Instant>,
}

impl Refused {
    /// One more is refused, which is told unless something was just told.
    fn add(&mut self, peer: SocketAddr, reason: NotAdmitted, now: Instant) {
        self.count += 1;
        self.last = Some((peer, reason));
        if self.told.is_none_or(|told| now >= told + TELL_EVERY) {
            self.tell(now);
        }
    }

    /// Waits until those that were not told are to be: for ever when there are none.
    async fn rest(&self) {
        match self.told.filter(|_| self.count > 0) {
            Some(told) => clock::pass((told + TELL_EVERY).saturating_duration_since(clock::now())).await,
            None => pending().await,
        }
    }

    fn tell(&mut self, now: Instant) {
        let count = std::mem::take(&mut self.count);
        if let Some((peer, reason)) = self.last.take() {
            tracing::warn!(%peer, %reason, count, "connections refused");
        }
        self.told = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    #[tokio::test]
    async fn the_machine_of_a_silent_client_is_asked_whether_it_is_there() {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let connecting = TcpStream::connect(listener.local_addr().unwrap());
        let (_client, accepted) = tokio::join!(connecting, listener.accept());
        let (accepted, _) = accepted.unwrap();
        assert!(socket2::SockRef::from(&accepted).keepalive().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_refused_connections_is_told_now_and_then_with_its_count_and_its_rest_too() {
        let mut refused = Refused::default();
        let mut refuse = |times: usize| {
            let peer = SocketAddr::from(([127, 0, 0, 1], 1));
            (0..times).for_each(|_| refused.add(peer, NotAdmitted::Total(1), clock::now()));
            refused.count
        };
        assert_eq!(refuse(1), 0, "the first is told");
        clock::pass(TELL_EVERY / 2).await;
        assert_eq!(refuse(2), 2);
        clock::pass(TELL_EVERY / 2).await;
        assert_eq!(refuse(1), 0, "told with those before it");
        assert_eq!(refuse(4), 4);
        let begun = clock::now();
        refused.rest().await;
        assert_eq!(clock::now() - begun, TELL_EVERY);
        refused.tell(clock::now());
        assert!(timeout(TELL_EVERY * 3, refused.rest()).await.is_err(), "there are no more");
    }
}
