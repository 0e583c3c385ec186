//! The clients that do not behave well: each kind begins, and goes on until it is dropped.

use crate::fetch_request;
use anyhow::{Result, anyhow};
use callboard_benches::connection::Connection;
use callboard_protocol::kafka::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataRequestTopic};
use callboard_protocol::native::hello::Hello;
use callboard_protocol::native::operations::BODY_VERSION;
use callboard_protocol::native::read::{Fetch, IsolationLevel, ReadPart};
use callboard_protocol::native::{Flags, FrameHeader, Operation, TopicPartition, VERSION};
use callboard_protocol::wire::{Message, RequestHeader, Writer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;
use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, thread_native_id};
use uuid::Uuid;

const IDLE: usize = 5_000;
const BUSY: usize = 1_000;
const ASKED_A_SECOND: usize = 20;
const SLOW: usize = 100;
const SILENT: usize = 5;
const PIPELINED: usize = 10_000;
const NAMES: usize = 100_000;
/// What one system call of theirs takes at once: many kernels interrupt none, and then nobody else has the core.
const PIECE_BYTES: usize = 64 << 10;
/// What a thread writes at once that does what a broker does, and what the system keeps of it.
const WRITTEN_BYTES: usize = 256 << 10;
const KEPT_BYTES: usize = 512 << 10;
/// Between two sips of slow clients; how long a broker may take nothing of what is sent to it.
const PAUSE: Duration = Duration::from_millis(10);

/// Where to be hostile.
#[derive(Debug, Clone)]
pub struct Place {
    pub kafka: String,
    pub native: String,
    /// The id of the topic `large`.
    pub topic: Uuid,
}

/// Hostile clients. Dropping it ends them.
pub struct Hostile {
    /// Closed for the threads to end.
    stop: Vec<mpsc::Sender<Infallible>>,
    threads: Vec<JoinHandle<Result<()>>>,
    _connections: Vec<TcpStream>,
}

type Begin = fn(&Place) -> Result<Hostile>;

/// All kinds, with their names.
pub const HOSTILITIES: [(&str, Begin); 10] = [
    ("idle", idle),
    ("busy", busy),
    ("herd", herd),
    ("slow-readers", slow_readers),
    ("slow-writers", slow_writers),
    ("connects", connects),
    ("largest", largest),
    ("(machine)", machine),
    ("names", names),
    ("pipelined", pipelined),
];

impl Hostile {
    fn connections(connections: Vec<TcpStream>) -> Self {
        Self { stop: Vec::new(), threads: Vec::new(), _connections: connections }
    }

    /// Runs rounds on a thread, with a pause between two, until it is stopped or the broker ends the
    /// connection.
    fn rounds(mut self, pause: Duration, mut round: impl FnMut() -> Result<()> + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        self.stop.push(stop);
        self.threads.push(std::thread::spawn(move || {
            yield_to_others()?;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                round()?;
            }
            Ok(())
        }));
        self
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop.clear();
        for thread in self.threads.drain(..) {
            if let Ok(Err(error)) = thread.join() {
                eprintln!("a hostile client was ended: {error}");
            }
        }
    }
}

/// Half of them have asked something, and half have said nothing.
fn idle(place: &Place) -> Result<Hostile> {
    let mut asked = connect(&place.kafka, IDLE / 2)?;
    let request = frame(0, &ApiVersionsRequest::default())?;
    for stream in &mut asked {
        stream.write_all(&request)?;
        // Its length, of which at least that much comes.
        stream.read_exact(&mut [0; 4])?;
    }
    asked.extend(connect(&place.native, IDLE / 2)?);
    Ok(Hostile::connections(asked))
}

/// Each connection asks for something [`ASKED_A_SECOND`] times a second, a few of them at a time.
fn busy(place: &Place) -> Result<Hostile> {
    let mut connections = askers(place)?;
    let at_once = BUSY * ASKED_A_SECOND / 1000;
    Ok(Hostile::connections(Vec::new()).rounds(Duration::from_millis(1), move || {
        connections.rotate_left(at_once);
        ask(connections.iter_mut().take(at_once))
    }))
}

/// All ask at once, and again as soon as all are answered: the last waits as long as 1,000 requests take.
fn herd(place: &Place) -> Result<Hostile> {
    let mut connections = askers(place)?;
    Ok(Hostile::connections(Vec::new()).rounds(Duration::ZERO, move || ask(connections.iter_mut())))
}

fn askers(place: &Place) -> Result<VecDeque<Connection>> {
    (0..BUSY).map(|_| Connection::open(&place.kafka)).collect()
}

fn ask<'a>(connections: impl Iterator<Item = &'a mut Connection>) -> Result<()> {
    let mut asked = Vec::with_capacity(BUSY);
    for connection in connections {
        connection.send(0, &ApiVersionsRequest::default())?;
        asked.push(connection);
    }
    for connection in asked {
        connection.receive::<ApiVersionsResponse>(0)?;
    }
    Ok(())
}

/// Each asks for all records, and takes a little of the answer now and then.
fn slow_readers(place: &Place) -> Result<Hostile> {
    let request = frame(11, &fetch_request("large", 0, i32::MAX))?;
    let mut streams = connect(&place.kafka, SLOW)?;
    streams.iter_mut().try_for_each(|stream| stream.write_all(&request))?;
    Ok(Hostile::connections(Vec::new()).rounds(PAUSE, move || {
        streams.iter_mut().try_for_each(|stream| stream.read_exact(&mut [0; 64]))?;
        Ok(())
    }))
}

/// Each announces a large request, and sends a byte of it now and then.
fn slow_writers(place: &Place) -> Result<Hostile> {
    let mut streams = connect(&place.kafka, SLOW)?;
    let front = [&50_000_000i32.to_be_bytes()[..], &[0, 0, 0, 9], &vec![0; 100_000]].concat();
    streams.iter_mut().try_for_each(|stream| stream.write_all(&front))?;
    Ok(Hostile::connections(Vec::new()).rounds(PAUSE, move || {
        streams.iter_mut().try_for_each(|stream| stream.write_all(&[0]))?;
        Ok(())
    }))
}

fn connects(place: &Place) -> Result<Hostile> {
    let place = place.clone();
    TcpStream::connect(&place.kafka)?;
    Ok(Hostile::connections(Vec::new()).rounds(Duration::ZERO, move || {
        TcpStream::connect(&place.kafka)?;
        TcpStream::connect(&place.native)?;
        Ok(())
    }))
}

fn largest(place: &Place) -> Result<Hostile> {
    let request = frame(11, &fetch_request("large", 0, i32::MAX))?;
    let mut stream = TcpStream::connect(&place.kafka)?;
    let mut piece = vec![0; PIECE_BYTES];
    Ok(Hostile::connections(Vec::new()).rounds(Duration::ZERO, move || {
        stream.write_all(&request)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut answer = (&mut stream).take(u64::try_from(i32::from_be_bytes(length))?);
        while answer.read(&mut piece)? > 0 {}
        Ok(())
    }))
}

/// As `largest`, from a thread that only writes bytes which it has: what such traffic costs others by itself.
fn machine(_: &Place) -> Result<Hostile> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut reading = TcpStream::connect(listener.local_addr()?)?;
    let (mut writing, _) = listener.accept()?;
    socket2::SockRef::from(&writing).set_send_buffer_size(KEPT_BYTES)?;
    std::thread::spawn(move || {
        let bytes = vec![1; WRITTEN_BYTES];
        // Until nobody reads any more.
        while writing.write_all(&bytes).is_ok() {
            std::thread::yield_now();
        }
    });
    let mut piece = vec![0; PIECE_BYTES];
    Ok(Hostile::connections(Vec::new()).rounds(Duration::ZERO, move || Ok(reading.read_exact(&mut piece)?)))
}

/// Each connection names more topics than it may, and is closed for it.
fn names(place: &Place) -> Result<Hostile> {
    let topic =
        |at| MetadataRequestTopic { name: Some(format!("nowhere-{at}").into()), ..Default::default() };
    let topics = Some((0..NAMES).map(topic).collect());
    let request = MetadataRequest { topics, allow_auto_topic_creation: false, ..Default::default() };
    let (request, address) = (frame(9, &request)?, place.kafka.clone());
    Ok(Hostile::connections(Vec::new()).rounds(Duration::ZERO, move || {
        let mut stream = TcpStream::connect(&address)?;
        // It may be closed while it still sends.
        let _ = request.chunks(PIECE_BYTES).try_for_each(|piece| stream.write_all(piece));
        let _ = stream.read(&mut [0]);
        Ok(())
    }))
}

/// Both doors are sent fetches of which no answer is read.
fn pipelined(place: &Place) -> Result<Hostile> {
    let kafka = frame(11, &fetch_request("large", 0, i32::MAX))?.repeat(PIPELINED);
    let partition = TopicPartition { topic: place.topic, partition: 0 };
    let parts = vec![ReadPart { partition, offset: 0 }];
    let fetch = Fetch {
        parts,
        bytes_max: u32::MAX,
        bytes_min: 1,
        wait_max_ms: 0,
        isolation: IsolationLevel::ReadUncommitted,
    };
    let (client_id, software) = ("hostile".to_owned(), "benchmark".to_owned());
    let hello = Hello { version_min: VERSION, version_max: VERSION, client_id, software };
    let native = [native_frame(hello)?, native_frame(fetch)?.repeat(PIPELINED)].concat();
    let mut connections = Vec::new();
    for (address, bytes) in [(&place.kafka, kafka), (&place.native, native)] {
        for mut stream in connect(address, SILENT)? {
            stream.set_write_timeout(Some(PAUSE))?;
            // The broker takes a part of it.
            let _ = stream.write_all(&bytes);
            connections.push(stream);
        }
    }
    Ok(Hostile::connections(connections))
}

/// Gives this thread only the time of the processors that nobody else wants.
fn yield_to_others() -> Result<()> {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    thread_priority::set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle)
        .map_err(|error| anyhow!("no thread of lower priority: {error:?}"))
}

fn connect(address: &str, count: usize) -> Result<Vec<TcpStream>> {
    Ok((0..count).map(|_| TcpStream::connect(address)).collect::<Result<_, _>>()?)
}

/// The bytes of a request to Kafka's door.
fn frame<Q: Message>(version: i16, request: &Q) -> Result<Vec<u8>> {
    let header =
        RequestHeader { api_key: Q::API_KEY, api_version: version, correlation_id: 1, client_id: None };
    let mut writer = Writer::frame();
    header.encode(&mut writer, Q::is_flexible(version))?;
    request.encode(&mut writer, version)?;
    Ok(writer.finish_frame()?.concat())
}

/// The bytes of a request to the native door.
fn native_frame(operation: impl Operation) -> Result<Vec<u8>> {
    let request = operation.into_request();
    let body = request.encode()?;
    let header = FrameHeader {
        correlation_id: 1,
        operation: request.operation(),
        version: BODY_VERSION,
        flags: Flags::NONE,
        body_bytes: u32::try_from(body.len())?,
    };
    Ok(header.join(&body, 0)?.to_vec())
}
