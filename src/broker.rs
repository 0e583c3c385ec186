//! A broker inside a program: started, shared, and stopped in order.

use crate::config::Config;
use crate::connection::door::Door;
#[cfg(feature = "kafka")]
use crate::kafka::Edge;
use crate::limits::Limits;
use crate::listener::{self, Listener};
use crate::native::in_process::Local;
use crate::native::{Addresses, Native};
use crate::testing::fault::Faults;
use crate::testing::faulty::{Faulty, Refusing};
use actix::ArbiterHandle;
use callboard_actors::broker::{self, BrokerHandle};
use callboard_actors::config::{AdvertisedAddress, ConfigError, NativeAddress, Settings};
use callboard_actors::placement::Placement;
use callboard_client::transport::{InProcess, Transport};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long connections may take to end once nothing is answered any more.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// A running broker. Clones are the same broker, and any thread may use them.
///
/// When the last clone is dropped the broker stops as [`Broker::shutdown`] does, in the background;
/// one that was [spawned](Broker::spawn) is waited for.
#[derive(Debug, Clone)]
pub struct Broker(Arc<Running>);

#[derive(Debug)]
struct Running {
    native: Arc<Native>,
    stopper: Stopper,
    /// The thread of a broker that was spawned, and how it is told to end.
    own: Mutex<Option<Own>>,
}

/// What stopping needs.
#[derive(Debug, Clone)]
struct Stopper {
    broker: BrokerHandle,
    placement: Placement,
    stopping: CancellationToken,
    ended: CancellationToken,
    alive: TaskTracker,
}

/// Where actors run.
enum Threads {
    /// On threads that are started for them.
    Own,
    /// On these, which are the program's.
    Given(Vec<ArbiterHandle>),
}

/// A thread with an actor system of its own.
#[derive(Debug)]
struct Own {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is unknown, impossible, or contradicts another.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A port cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be used, or a thread cannot be had.
    #[error(transparent)]
    Start(#[from] broker::start::StartError),
    /// [`Broker::start`] was called where no actix system runs; [`Broker::spawn`] brings its own.
    #[error("no actix system runs here")]
    NoSystem,
    /// Kafka's port is wanted of a build without the feature `kafka`.
    #[error("this build does not speak Kafka's protocol: set kafka.address to off")]
    NoKafka,
    /// [`Broker::start_on`] was given no arbiter.
    #[error("there is no arbiter to run on")]
    NoArbiter,
    /// The thread for a broker of its own cannot be had.
    #[error("no thread can be had: {0}")]
    Thread(#[from] io::Error),
    /// The thread of a broker of its own ended before it was ready.
    #[error("the broker's thread ended before it was ready")]
    Gone,
}

impl Broker {
    /// Starts a broker in the running actix system: its partitions, groups and connections are
    /// actors of that system, on threads of their own beside it.
    ///
    /// Dropping the future before it is ready may leave the data folder open until the program ends.
    ///
    /// # Errors
    /// [`StartError`]; when a port is in use, the data folder is not touched.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_with(config.into_settings()?, None, Threads::Own).await
    }

    /// Starts a broker whose partitions, groups and connections run on arbiters of the program, beside its own
    /// actors; the setting `workers` has no meaning then. Writing, syncing and reading from the disk keep
    /// threads of their own, so that nothing here blocks an arbiter.
    ///
    /// Where a program produces, subscribes or reads on the one arbiter that it gives, such as
    /// `[Arbiter::current()]`, its messages wake no other thread: a record alone is written in half the time, and
    /// an actor that subscribes is called at once. In exchange each takes the other's time. The arbiters must
    /// live as long as the broker, whose actors are gone from them soon after [`Broker::shutdown`]. New connections
    /// are taken on the thread that starts the broker, also with [`Broker::start`], until they say something.
    ///
    /// Dropping the future is as for [`Broker::start`].
    ///
    /// # Errors
    /// [`StartError`]; when a port is in use, the data folder is not touched.
    pub async fn start_on(
        config: Config,
        arbiters: impl IntoIterator<Item = ArbiterHandle>,
    ) -> Result<Self, StartError> {
        let arbiters: Vec<_> = arbiters.into_iter().collect();
        if arbiters.is_empty() {
            return Err(StartError::NoArbiter);
        }
        Self::start_with(config.into_settings()?, None, Threads::Given(arbiters)).await
    }

    /// Starts a broker with an actor system of its own on threads of its own, for programs that run
    /// no actix system. Any executor may poll the future; when it is dropped the broker stops as soon as
    /// it has started.
    ///
    /// # Errors
    /// As for [`Broker::start`], and when no thread can be had.
    pub async fn spawn(config: Config) -> Result<Self, StartError> {
        Self::spawn_faulty(config, None).await
    }

    /// Spawns a broker at whose doors things go wrong when a test wants them to.
    pub(crate) async fn spawn_faulty(
        config: Config,
        faults: Option<Arc<Faults>>,
    ) -> Result<Self, StartError> {
        let settings = config.into_settings()?;
        let (ready, started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("callboard".to_owned());
        let thread = thread.spawn(move || {
            actix::System::new().block_on(async move {
                let broker = match Self::start_with(settings, faults, Threads::Own).await {
                    Ok(broker) => broker,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                let stopper = broker.0.stopper.clone();
                // Who gave up waiting has dropped the other end of `stopped` too.
                let _ = ready.send(Ok(broker));
                let _ = stopped.await;
                stopper.stop().await;
            });
        })?;
        let broker = started.await.map_err(|_| StartError::Gone)??;
        broker.lock_own().replace(Own { thread, stop });
        Ok(broker)
    }

    async fn start_with(
        settings: Settings,
        faults: Option<Arc<Faults>>,
        threads: Threads,
    ) -> Result<Self, StartError> {
        if actix::System::try_current().is_none() {
            return Err(StartError::NoSystem);
        }
        if settings.kafka_address.is_some() && !cfg!(feature = "kafka") {
            return Err(StartError::NoKafka);
        }
        let settings = Arc::new(settings);
        let kafka = settings.kafka_address.map(bind).transpose()?;
        let native = bind_native(&settings)?;
        let addresses = Addresses {
            kafka: kafka.as_ref().map(|(_, address)| advertised(&settings, *address)),
            native: native.as_ref().map(|(_, address)| *address),
            kafka_bound: kafka.as_ref().map(|(_, address)| *address),
        };
        raise_file_limit();
        let placement = match threads {
            Threads::Own => Placement::start(settings.threads.workers),
            Threads::Given(arbiters) => Placement::among(arbiters),
        };
        let handle = open(Arc::clone(&settings), placement.clone()).await?;
        let (stopping, ended) = (CancellationToken::new(), CancellationToken::new());
        let alive = TaskTracker::new();
        let limits =
            Limits::new(settings.connections.bytes_in_flight_max, settings.fetch.bytes_in_flight_max);
        let doors =
            Doors { limits, stopping: stopping.clone(), ended: ended.clone(), alive: alive.clone(), faults };
        let core = Arc::new(Native { broker: handle.clone(), stopping: stopping.clone(), addresses });
        #[cfg(feature = "kafka")]
        if let Some((socket, _)) = kafka {
            let (host, port) =
                core.addresses.kafka.clone().map_or_else(Default::default, |it| (it.host, it.port));
            doors.open(socket, Arc::new(Edge::new(handle.clone(), &host, port, stopping.clone())));
        }
        if let Some((socket, _)) = native {
            doors.open(socket, Arc::clone(&core));
        }
        let stopper = Stopper { broker: handle, placement, stopping, ended, alive };
        Ok(Self(Arc::new(Running { native: core, stopper, own: Mutex::default() })))
    }

    /// What a program does with a broker whose actors run already, for simulations. Who started them stops
    /// them: to this handle the broker is one that stops, so that its in-process client is refused.
    #[doc(hidden)]
    pub fn around(broker: BrokerHandle, placement: Placement) -> Self {
        let (stopping, alive) = (CancellationToken::new(), TaskTracker::new());
        stopping.cancel();
        let addresses = Addresses::default();
        let native = Native { broker: broker.clone(), stopping: stopping.clone(), addresses };
        let stopper = Stopper { broker, placement, stopping, ended: CancellationToken::new(), alive };
        Self(Arc::new(Running { native: Arc::new(native), stopper, own: Mutex::default() }))
    }

    /// Where Kafka clients are listened to, with the port that the system gave; none when they are not.
    pub fn kafka_address(&self) -> Option<SocketAddr> {
        self.0.native.addresses.kafka_bound
    }

    /// Where native clients are listened to, with the port that the system gave; none when they are not.
    pub fn native_address(&self) -> Option<SocketAddr> {
        self.0.native.addresses.native
    }

    /// The broker's actors, for programs that speak to them by messages.
    pub fn actors(&self) -> &BrokerHandle {
        &self.0.native.broker
    }

    /// Takes no more connections, answers what has begun for as long as `shutdown.grace.ms` allows,
    /// commits it, and closes the data folder, which may be opened again when this is done. It may be
    /// called more than once; dropping the future does not take it back.
    pub async fn shutdown(&self) {
        let own = self.lock_own().take();
        let Some(Own { thread, stop }) = own else { return self.0.stopper.clone().stop().await };
        let _ = stop.send(());
        let joined = tokio::task::spawn_blocking(move || thread.join());
        if !matches!(joined.await, Ok(Ok(()))) {
            tracing::error!("the broker's thread did not end well");
        }
    }

    /// Ends the broker as a crash would, but for the process.
    pub(crate) async fn crash(&self) {
        self.actors().crash().await;
        self.shutdown().await;
    }

    fn lock_own(&self) -> std::sync::MutexGuard<'_, Option<Own>> {
        self.0.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InProcess for Broker {
    fn transport(&self, client_id: &str) -> Arc<dyn Transport> {
        Arc::new(Local::new(Arc::clone(&self.0.native), client_id))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let own = self.own.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        match own {
            Some(Own { thread, stop }) => {
                let _ = stop.send(());
                if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                    tracing::error!("the broker's thread did not end well");
                }
            }
            None if !self.stopper.stopping.is_cancelled() => {
                // On a thread of the broker's own: one of the program may do nothing more.
                let stopper = self.stopper.clone();
                self.stopper.placement.committer().spawn(stopper.stop());
            }
            None => {}
        }
    }
}

impl Stopper {
    async fn stop(self) {
        self.stopping.cancel();
        self.alive.close();
        let grace = self.broker.settings().shutdown_grace;
        if timeout(grace, self.alive.wait()).await.is_err() {
            tracing::warn!(connections = self.alive.len(), "not all requests were answered in time");
            self.ended.cancel();
            // On a thread that does nothing more they stay.
            let _ = timeout(LAST_GRACE, self.alive.wait()).await;
        }
        self.broker.shutdown().await;
        self.placement.stop();
    }
}

/// What listening to clients of any protocol needs.
struct Doors {
    limits: Limits,
    stopping: CancellationToken,
    ended: CancellationToken,
    alive: TaskTracker,
    faults: Option<Arc<Faults>>,
}

impl Doors {
    fn open<D: Refusing>(&self, socket: TcpListener, door: Arc<D>) {
        match self.faults.clone() {
            Some(faults) => self.listen(socket, Arc::new(Faulty { door, faults })),
            None => self.listen(socket, door),
        }
    }

    fn listen<D: Door>(&self, socket: TcpListener, door: Arc<D>) {
        let (stopping, ended, alive) = (self.stopping.clone(), self.ended.clone(), self.alive.clone());
        let listener = Listener { socket, door, limits: self.limits.clone(), stopping, ended, alive };
        // Who stops waits for the port to be free, too.
        actix_rt::spawn(self.alive.track_future(listener.run()));
    }
}

/// Opens the data folder and starts the actors, not on a thread that serves others.
async fn open(settings: Arc<Settings>, placement: Placement) -> Result<BrokerHandle, StartError> {
    let stopped = placement.clone();
    let opening = tokio::task::spawn_blocking(move || broker::start::start(settings, placement));
    let opened = opening.await.map_err(|_| StartError::Gone).and_then(|opened| Ok(opened?));
    opened.inspect_err(|_| stopped.stop())
}

type Bound = (TcpListener, SocketAddr);

fn bind(address: SocketAddr) -> Result<Bound, StartError> {
    let bound = listener::bind(address).and_then(|socket| {
        let bound = socket.local_addr()?;
        Ok((socket, bound))
    });
    bound.map_err(|source| StartError::Listen { address, source })
}

fn bind_native(settings: &Settings) -> Result<Option<Bound>, StartError> {
    let address = match settings.native_address {
        NativeAddress::Off => return Ok(None),
        NativeAddress::At(address) => return bind(address).map(Some),
        NativeAddress::Auto => settings.native_address_next_to_kafka(),
    };
    // Nobody asked for that very port.
    let anywhere = SocketAddr::new(address.ip(), 0);
    bind(address).or_else(|_| bind(anywhere)).map(Some)
}

fn advertised(settings: &Settings, bound: SocketAddr) -> AdvertisedAddress {
    let own = AdvertisedAddress { host: bound.ip().to_string(), port: bound.port() };
    settings.advertised_address.clone().unwrap_or(own)
}

/// Connections and segments need more open files than most systems give at first.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the limit on open files stays");
    }
}
