//! The broker's settings as plain typed fields, checked and ready to use.

mod groups;

pub use groups::{ConsumerBounds, GroupSettings, Migration};

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::broker::{OFF, read_socket_address};
use super::error::ConfigError;
use super::overrides::Overrides;
use super::topic::TopicDefaults;
use super::values::Values;

/// The host and port that clients are told to connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AdvertisedAddress {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

impl AdvertisedAddress {
    /// Reads `host:port`, an IPv6 address standing in brackets.
    pub fn read(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bracketed.unwrap_or(host);
        let port: u16 = port.parse().ok()?;
        let ambiguous = bracketed.is_none() && host.contains(':');
        if port == 0 || host.is_empty() || ambiguous || host.contains(char::is_whitespace) {
            return None;
        }
        Some(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for AdvertisedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Where native clients are listened to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NativeAddress {
    /// Nowhere.
    Off,
    /// At the port after Kafka's, or else at any that is free.
    Auto,
    /// There.
    At(SocketAddr),
}

impl NativeAddress {
    /// Reads `off`, `auto` or an address.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            OFF => Some(Self::Off),
            "auto" => Some(Self::Auto),
            address => read_socket_address(address).map(Self::At),
        }
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogSettings {
    /// One of off, error, warn, info, debug and trace.
    pub level: String,
    /// How a line is written.
    pub format: LogFormat,
}

/// The threads of the broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadSettings {
    /// Threads that actors run on; 0 for one per processor core.
    pub workers: usize,
    /// Threads that read from the disk; at least 1.
    pub readers: usize,
}

/// What connections and their requests may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConnectionLimits {
    /// Connections in all.
    pub connections_max: usize,
    /// Connections of one IP address.
    pub connections_per_ip_max: usize,
    /// Time without a request; `None` for no limit.
    pub idle_max: Option<Duration>,
    /// Time for a request to arrive once it began.
    pub receive_timeout: Duration,
    /// Time that an answer may stay unread.
    pub send_timeout: Duration,
    /// Bytes of one request without its length prefix.
    pub frame_bytes_max: usize,
    /// Bytes of requests in the broker at once. It may be less than [`Self::frame_bytes_max`].
    pub bytes_in_flight_max: usize,
    /// Bytes that the system keeps of what is sent to a client; `None` for what it likes.
    pub send_buffer_bytes: Option<usize>,
    /// Bytes that the system keeps of what a client sends; `None` for what it likes.
    pub receive_buffer_bytes: Option<usize>,
    /// Requests of one connection to Kafka's port that wait for their answers.
    pub kafka_requests_in_flight_max: usize,
    /// The same on the native port.
    pub native_requests_in_flight_max: usize,
    /// Partitions that one request may name.
    pub partitions_per_request_max: usize,
}

impl ConnectionLimits {
    /// How long a fetch may wait that wants to wait so long: no longer than half the time after which a connection
    /// is idle, so that one whose machine is gone does not keep its place, and one that is answered is not idle.
    #[must_use]
    pub fn wait_max(&self, wanted: Duration) -> Duration {
        self.idle_max.map_or(wanted, |idle_max| wanted.min(idle_max / 2))
    }
}

/// What a fetch may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FetchLimits {
    /// Bytes of records in one answer, apart from its first batch.
    pub response_bytes_max: usize,
    /// Bytes of records in the answers that clients have not read yet, apart from one batch of each.
    pub bytes_in_flight_max: usize,
    /// Fetch sessions that are remembered.
    pub sessions_max: usize,
}

/// How topics come and go.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRules {
    /// Partitions of a topic whose creator does not say; at least 1.
    pub partitions: i32,
    /// Replicas of a topic whose creator does not say; at least 1.
    pub replication_factor: i16,
    /// Whether an unknown topic is created when it is asked for.
    pub auto_create: bool,
    /// Whether clients may delete topics.
    pub delete: bool,
    /// Partitions of all topics together.
    pub partitions_max: usize,
    /// What topics inherit.
    pub defaults: Arc<TopicDefaults>,
}

/// How the journal and its checkpoints are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StorageSettings {
    /// Size of a segment file in bytes.
    pub segment_bytes: u64,
    /// Bytes in the journal after which a checkpoint is made.
    pub checkpoint_bytes: u64,
    /// Records of the journal after which a checkpoint is made.
    pub checkpoint_records: u64,
    /// Time after which a checkpoint is made.
    pub checkpoint_interval: Duration,
    /// Bytes that must be free on the disk for writes to be accepted.
    pub free_bytes_min: u64,
}

/// All settings of the broker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of all data.
    pub data_dir: PathBuf,
    /// Where Kafka clients are listened to; `None` for nowhere.
    pub kafka_address: Option<SocketAddr>,
    /// Where native clients are listened to.
    pub native_address: NativeAddress,
    /// Where clients are sent; `None` for where they are listened to.
    pub advertised_address: Option<AdvertisedAddress>,
    /// The broker's number in its cluster; not negative.
    pub node_id: i32,
    /// The place that the broker stands in.
    pub rack: Option<String>,
    /// The threads.
    pub threads: ThreadSettings,
    /// The log.
    pub log: LogSettings,
    /// Bounds on connections.
    pub connections: ConnectionLimits,
    /// Bounds on fetches.
    pub fetch: FetchLimits,
    /// How topics come and go.
    pub topics: TopicRules,
    /// Groups of consumers.
    pub groups: Arc<GroupSettings>,
    /// The journal.
    pub storage: StorageSettings,
    /// After how long a silent idempotent producer is forgotten.
    pub producer_id_expiration: Duration,
    /// How long a stopping broker waits for what is in flight.
    pub shutdown_grace: Duration,
    /// The same as text, with the place that each value came from.
    pub values: Values,
    /// What clients changed of them while the broker ran, and what they said for groups.
    pub overrides: Overrides,
}

impl Default for Settings {
    fn default() -> Self {
        match Self::from_values(Values::default()) {
            Ok(settings) => settings,
            Err(error) => unreachable!("the tables contradict themselves: {error}"),
        }
    }
}

impl Settings {
    /// The defaults with some settings changed by the program that the broker runs in.
    ///
    /// # Errors
    /// An unknown setting, an impossible value, or values that cannot stand together.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigError> {
        Self::from_values(Values::from_pairs(pairs)?)
    }

    /// Reads the fields out of `values`.
    ///
    /// # Errors
    /// Values that cannot stand together.
    pub fn from_values(values: Values) -> Result<Self, ConfigError> {
        Ok(Self {
            data_dir: PathBuf::from(values.text("data.dir")),
            kafka_address: read_socket_address(values.text("kafka.address")),
            native_address: NativeAddress::read(values.text("native.address")).unwrap_or(NativeAddress::Off),
            advertised_address: AdvertisedAddress::read(values.text("advertised.address")),
            node_id: values.number("node.id") as i32,
            rack: rack(&values),
            threads: ThreadSettings { workers: size(&values, "workers"), readers: size(&values, "readers") },
            log: log(&values),
            connections: connections(&values),
            fetch: FetchLimits {
                bytes_in_flight_max: size(&values, "queued.max.response.bytes"),
                response_bytes_max: size(&values, "fetch.max.bytes"),
                sessions_max: size(&values, "max.incremental.fetch.session.cache.slots"),
            },
            topics: topics(&values)?,
            groups: Arc::new(groups::read(&values)?),
            storage: storage(&values),
            producer_id_expiration: duration(&values, "producer.id.expiration.ms"),
            shutdown_grace: duration(&values, "shutdown.grace.ms"),
            values,
            overrides: Overrides::default(),
        })
    }

    /// Reads the fields out of what was set before the start, and of what clients changed of it.
    ///
    /// # Errors
    /// As [`Settings::from_pairs`].
    pub fn with_overrides(mut values: Values, overrides: Overrides) -> Result<Self, ConfigError> {
        overrides.apply_to(&mut values)?;
        Ok(Self { overrides, ..Self::from_values(values)? })
    }

    /// The port after Kafka's at Kafka's address, or any where that does not say.
    pub fn native_address_next_to_kafka(&self) -> SocketAddr {
        let kafka = self.kafka_address.unwrap_or(([127, 0, 0, 1], 0).into());
        let port = if kafka.port() == 0 { 0 } else { kafka.port().wrapping_add(1) };
        SocketAddr::new(kafka.ip(), port)
    }

    /// What holds for the group called `id`.
    pub fn group(&self, id: &str) -> Arc<GroupSettings> {
        let config = self.overrides.groups.get(id);
        config.map_or_else(|| Arc::clone(&self.groups), |config| Arc::new(config.apply_to(*self.groups)))
    }
}

fn rack(values: &Values) -> Option<String> {
    values.optional_text("broker.rack").filter(|rack| !rack.is_empty()).map(str::to_owned)
}

fn log(values: &Values) -> LogSettings {
    let json = values.text("log.format") == "json";
    LogSettings {
        level: values.text("log.level").to_owned(),
        format: if json { LogFormat::Json } else { LogFormat::Text },
    }
}

fn connections(values: &Values) -> ConnectionLimits {
    let idle = u64::try_from(values.number("connections.max.idle.ms")).ok();
    ConnectionLimits {
        connections_max: size(values, "max.connections"),
        connections_per_ip_max: size(values, "max.connections.per.ip"),
        idle_max: idle.map(Duration::from_millis),
        receive_timeout: duration(values, "request.receive.timeout.ms"),
        send_timeout: duration(values, "response.send.timeout.ms"),
        frame_bytes_max: size(values, "socket.request.max.bytes"),
        bytes_in_flight_max: size(values, "queued.max.request.bytes"),
        send_buffer_bytes: usize::try_from(values.number("socket.send.buffer.bytes")).ok(),
        receive_buffer_bytes: usize::try_from(values.number("socket.receive.buffer.bytes")).ok(),
        kafka_requests_in_flight_max: size(values, "max.requests.in.flight.per.connection"),
        native_requests_in_flight_max: size(values, "native.max.requests.in.flight.per.connection"),
        partitions_per_request_max: size(values, "max.partitions.per.request"),
    }
}

fn topics(values: &Values) -> Result<TopicRules, ConfigError> {
    check_order(values, "num.partitions", "max.partitions")?;
    Ok(TopicRules {
        partitions: values.number("num.partitions") as i32,
        replication_factor: values.number("default.replication.factor") as i16,
        auto_create: values.boolean("auto.create.topics.enable"),
        delete: values.boolean("delete.topic.enable"),
        partitions_max: size(values, "max.partitions"),
        defaults: Arc::new(TopicDefaults::from_values(values)?),
    })
}

fn storage(values: &Values) -> StorageSettings {
    StorageSettings {
        segment_bytes: count(values, "journal.segment.bytes"),
        checkpoint_bytes: count(values, "checkpoint.bytes"),
        checkpoint_records: count(values, "checkpoint.records"),
        checkpoint_interval: duration(values, "checkpoint.interval.ms"),
        free_bytes_min: count(values, "storage.free.bytes.min"),
    }
}

/// Refuses two numbers of which the first is larger than the second.
fn check_order(values: &Values, smaller: &'static str, larger: &'static str) -> Result<(), ConfigError> {
    let (smaller_value, larger_value) = (values.number(smaller), values.number(larger));
    if smaller_value <= larger_value {
        return Ok(());
    }
    Err(ConfigError::Conflict { smaller, smaller_value, larger, larger_value })
}

/// A number that the table's rules keep from being negative.
fn count(values: &Values, name: &str) -> u64 {
    u64::try_from(values.number(name)).unwrap_or(0)
}

fn size(values: &Values, name: &str) -> usize {
    usize::try_from(count(values, name)).unwrap_or(usize::MAX)
}

fn duration(values: &Values, name: &str) -> Duration {
    Duration::from_millis(count(values, name))
}

#[cfg(test)]
mod tests;
