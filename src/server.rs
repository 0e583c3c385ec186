//! A broker with its ports: started, and stopped in order.

use crate::kafka::Edge;
use crate::limits::Limits;
use crate::listener::{self, Listener};
use callboard_actors::broker::start::StartError;
use callboard_actors::broker::{self, BrokerHandle};
use callboard_actors::config::{AdvertisedAddress, Settings};
use callboard_actors::placement::Placement;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running broker with its port.
#[derive(Debug)]
pub struct Server {
    broker: BrokerHandle,
    placement: Placement,
    address: SocketAddr,
    stopping: CancellationToken,
    alive: TaskTracker,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The broker behind it does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Server {
    /// Binds the port, opens the data folder and starts all actors, in the running actix system.
    ///
    /// # Errors
    /// [`ServerError`]; when the port is in use, the data folder is not touched.
    pub fn start(settings: Settings) -> Result<Self, ServerError> {
        let settings = Arc::new(settings);
        let wanted = settings.kafka_address;
        let listen_error = |source| ServerError::Listen { address: wanted, source };
        let socket = listener::bind(wanted).map_err(listen_error)?;
        let address = socket.local_addr().map_err(listen_error)?;
        raise_file_limit();
        let placement = Placement::start(settings.threads.workers);
        let broker = broker::start::start(Arc::clone(&settings), placement.clone())?;
        let (host, port) = advertised(settings.advertised_address.as_ref(), address);
        let limits = Limits::new(settings.connections.bytes_in_flight_max);
        let (stopping, alive) = (CancellationToken::new(), TaskTracker::new());
        let listener = Listener {
            socket,
            edge: Arc::new(Edge::new(broker.clone(), &host, port, stopping.clone())),
            limits,
            stopping: stopping.clone(),
            alive: alive.clone(),
        };
        actix_rt::spawn(listener.run());
        Ok(Self { broker, placement, address, stopping, alive })
    }

    /// The address that Kafka clients are listened to at, with the port that the system gave.
    pub fn kafka_address(&self) -> SocketAddr {
        self.address
    }

    /// The broker behind the port.
    pub fn broker(&self) -> &BrokerHandle {
        &self.broker
    }

    /// Takes no more connections, answers what has begun for as long as `shutdown.grace.ms` allows,
    /// commits it, and closes the data folder.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.alive.close();
        let grace = self.broker.settings().shutdown_grace;
        if timeout(grace, self.alive.wait()).await.is_err() {
            tracing::warn!(connections = self.alive.len(), "not all requests were answered in time");
        }
        self.broker.shutdown().await;
        self.placement.stop();
    }
}

fn advertised(configured: Option<&AdvertisedAddress>, bound: SocketAddr) -> (String, u16) {
    configured.map_or_else(|| (bound.ip().to_string(), bound.port()), |it| (it.host.clone(), it.port))
}

/// Connections and segments need more open files than most systems give at first.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the limit on open files stays");
    }
}
