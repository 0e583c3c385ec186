//! Connections of a broker whose disk takes its time.

use super::door::Door;
use crate::Config;
use crate::kafka::Edge;
use crate::limits::Limits;
use crate::listener::{Listener, bind};
use crate::native::{Addresses, Native};
use crate::pace;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::broker::start::start_on;
use callboard_actors::clock;
use callboard_actors::placement::Placement;
use callboard_client::transport::tcp::Tcp;
use callboard_client::transport::{Transport, ask};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use callboard_protocol::native::Operation;
use callboard_protocol::native::admin::DescribeCluster;
use callboard_protocol::native::topics::ListTopics;
use callboard_protocol::wire::{Message, Reader, RequestHeader, ResponseHeader, Writer};
use callboard_storage::disk::simulated::SimulatedDisk;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const PATIENCE: Duration = Duration::from_secs(10);
/// More connections than may be taken at once, by far.
const CROWD: usize = 200;
/// More than there may be turns.
const CREATORS: usize = 6;

/// A broker that a test gives its doors.
struct Trial {
    broker: BrokerHandle,
    disk: SimulatedDisk,
    stopping: CancellationToken,
    alive: TaskTracker,
    _folder: TempDir,
}

impl Trial {
    fn start() -> Self {
        let (folder, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::new());
        let settings = Arc::new(Config::new(folder.path()).into_settings().unwrap());
        let broker = start_on(Arc::new(disk.clone()), settings, Placement::start(1)).unwrap();
        let (stopping, alive) = (CancellationToken::new(), TaskTracker::new());
        Self { broker, disk, stopping, alive, _folder: folder }
    }

    /// Opens a door, and says where.
    fn open<D: Door>(&self, door: D) -> SocketAddr {
        let socket = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        let (door, limits) = (Arc::new(door), Limits::new(1 << 20, 1 << 20));
        let (stopping, alive) = (self.stopping.clone(), self.alive.clone());
        let listener = Listener { socket, door, limits, stopping, ended: CancellationToken::new(), alive };
        actix_rt::spawn(listener.run());
        address
    }

    fn open_kafka(&self) -> SocketAddr {
        self.open(Edge::new(self.broker.clone(), "localhost", 9092, self.stopping.clone()))
    }

    /// How long it takes until that many connections, which wait at the port, are taken while others are served.
    async fn take(&self, count: usize) -> Duration {
        let begun = clock::now();
        let taken = async {
            while self.alive.len() < count {
                self.broker.courtesy().short_work_is_wanted();
                clock::pass(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, taken).await.expect("they are taken");
        clock::now() - begun
    }

    async fn end(self) {
        self.stopping.cancel();
        self.broker.shutdown().await;
    }
}

#[actix::test]
async fn who_asks_what_there_is_waits_for_no_topic_that_others_create_on_the_way() {
    let trial = Trial::start();
    let (broker, stopping) = (trial.broker.clone(), trial.stopping.clone());
    let address = trial.open(Native { broker, stopping, addresses: Addresses::default() }).to_string();
    trial.disk.hold_syncs(true);
    let mut creating = Vec::new();
    for number in 0..CREATORS {
        let creator = Tcp::connect(&address, "creator").await.unwrap();
        let list = ListTopics { names: Some(vec![format!("new-{number}")]), create: true };
        let created = creator.call(list.into_request(), Vec::new());
        // When these are answered, that has begun.
        for _ in 0..2 {
            ask(&creator, DescribeCluster {}).await.unwrap();
        }
        creating.push((creator, created));
    }
    let asker = Tcp::connect(&address, "asker").await.unwrap();
    let listing = ask(&asker, ListTopics { names: None, create: false });
    let listed = timeout(PATIENCE, listing).await.expect("it waits for the others' topics").unwrap();
    assert_eq!(listed.topics.len(), 0, "none of them is durable");
    trial.disk.hold_syncs(false);
    for (_creator, created) in creating {
        let (response, _) = created.await.unwrap();
        assert!(ListTopics::answer(response).unwrap().topics[0].outcome.is_ok());
    }
    trial.end().await;
}

#[actix::test]
async fn who_asks_for_metadata_waits_for_no_topic_that_others_create_on_the_way() {
    let trial = Trial::start();
    let address = trial.open_kafka();
    trial.disk.hold_syncs(true);
    let mut creators = Vec::new();
    for number in 0..CREATORS {
        let mut creator = TcpStream::connect(address).await.unwrap();
        creator.write_all(&metadata(Some(&format!("new-{number}")))).await.unwrap();
        creators.push(creator);
    }
    let mut asker = TcpStream::connect(address).await.unwrap();
    // Often enough, that the others' requests have begun meanwhile.
    for _ in 0..100 {
        asker.write_all(&metadata(None)).await.unwrap();
        let answer = timeout(PATIENCE, answer(&mut asker)).await.expect("it waits for the others' topics");
        assert_eq!(answer.topics.len(), 0, "none of them is durable");
    }
    trial.disk.hold_syncs(false);
    for mut creator in creators {
        assert!(!answer(&mut creator).await.topics[0].error_code.is_error());
    }
    trial.end().await;
}

/// Connections that wait at the port; each sends what is to be sent.
fn crowd(address: SocketAddr, sent: &[u8]) -> Vec<std::net::TcpStream> {
    let connect = |_| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(sent).unwrap();
        stream
    };
    (0..CROWD).map(connect).collect()
}

/// How long taking a crowd takes at least when each of it counts.
fn at_the_pace() -> Duration {
    pace::EVERY * (u32::try_from(CROWD).unwrap() - pace::AT_ONCE - 1)
}

#[actix::test]
async fn connections_that_say_nothing_are_taken_at_a_pace_while_others_are_served() {
    let trial = Trial::start();
    let address = trial.open_kafka();
    tokio::time::pause();
    let _crowd = crowd(address, &[]);
    let took = trial.take(CROWD).await;
    assert!(took >= at_the_pace(), "{took:?}");
    trial.end().await;
}

#[actix::test]
async fn connections_that_speak_are_taken_as_they_come() {
    let trial = Trial::start();
    let address = trial.open_kafka();
    tokio::time::pause();
    // A length without the rest.
    let _crowd = crowd(address, &[0, 0, 0, 9]);
    let took = trial.take(CROWD).await;
    assert!(took < at_the_pace(), "{took:?}");
    trial.end().await;
}

#[actix::test]
async fn a_connection_that_says_nothing_ends_with_its_client_and_with_the_broker() {
    let trial = Trial::start();
    let address = trial.open_kafka();
    let (first, _second) = (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await);
    let until = async |count| {
        while trial.alive.len() != count {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, until(2)).await.unwrap();
    drop(first);
    timeout(PATIENCE, until(1)).await.unwrap();
    trial.stopping.cancel();
    timeout(PATIENCE, until(0)).await.unwrap();
    trial.end().await;
}

#[actix::test]
async fn what_is_behind_a_refused_request_has_no_effect_while_its_client_waits_to_be_closed() {
    let trial = Trial::start();
    let address = trial.open_kafka();
    let courtesy = trial.broker.courtesy().clone();
    let serving = actix_rt::spawn(async move {
        loop {
            courtesy.short_work_is_wanted();
            clock::pass(Duration::from_millis(1)).await;
        }
    });
    let refused = [&[0, 0, 0, 4, 0x7f, 0xff, 0, 0][..], &metadata(Some("behind"))].concat();
    let waits = async {
        // Again where this thread was held up, so that nobody seemed to be served.
        let mut waited = Duration::ZERO;
        while waited < super::REFUSED_FOR {
            let begun = clock::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&refused).await.unwrap();
            // Closed, with or without a reset.
            let _ = stream.read(&mut [0]).await;
            waited = begun.elapsed();
        }
    };
    timeout(PATIENCE, waits).await.unwrap();
    serving.abort();
    let mut asker = TcpStream::connect(address).await.unwrap();
    asker.write_all(&metadata(None)).await.unwrap();
    assert_eq!(answer(&mut asker).await.topics.len(), 0);
    trial.end().await;
}

const VERSION: i16 = 9;

/// A request for a topic, which may be created, or for all.
fn metadata(topic: Option<&str>) -> Vec<u8> {
    let named = |name: &str| MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
    let topics = topic.map(|name| vec![named(name)]);
    let request = MetadataRequest { topics, allow_auto_topic_creation: true, ..Default::default() };
    let api_key = MetadataRequest::API_KEY;
    let header = RequestHeader { api_key, api_version: VERSION, correlation_id: 1, client_id: None };
    let mut writer = Writer::frame();
    header.encode(&mut writer, MetadataRequest::is_flexible(VERSION)).unwrap();
    request.encode(&mut writer, VERSION).unwrap();
    writer.finish_frame().unwrap().concat()
}

async fn answer(stream: &mut TcpStream) -> MetadataResponse {
    let mut frame = vec![0; stream.read_u32().await.unwrap() as usize];
    stream.read_exact(&mut frame).await.unwrap();
    let mut reader = Reader::new(frame.into());
    ResponseHeader::decode(&mut reader, MetadataResponse::is_flexible(VERSION)).unwrap();
    MetadataResponse::decode_whole(&mut reader, VERSION).unwrap()
}

#[test]
fn each_port_has_its_own_bound_on_requests_in_flight() {
    let config = Config::new("nowhere").set("max.requests.in.flight.per.connection", 3);
    let config = config.set("native.max.requests.in.flight.per.connection", 5);
    let bounds = config.into_settings().unwrap().connections;
    assert_eq!((Edge::requests_in_flight_max(&bounds), Native::requests_in_flight_max(&bounds)), (3, 5));
}
