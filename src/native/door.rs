//! The native protocol on a socket: frames to requests, answers to frames.

use super::readings::{self, Credit, Gate, Unwritten};
use super::{Caller, Native, Reply, Started, start};
use crate::connection::door::{self, Answer, Answers, Door, Keeps, Order, Pushes, Size};
use crate::testing::faulty::Refusing;
use bytes::Bytes;
use callboard_actors::broker::BrokerHandle;
use callboard_actors::broker::answers::Overdraft;
use callboard_actors::config::ConnectionLimits;
use callboard_actors::held::held;
use callboard_protocol::native::admin::DescribeConfigs;
use callboard_protocol::native::frame::{Frame, cut};
use callboard_protocol::native::groups::{DescribeGroup, FetchOffsets, ListGroups};
use callboard_protocol::native::hello::{Hello, Welcome};
use callboard_protocol::native::operations::{BODY_VERSION, OPERATIONS, Operation};
use callboard_protocol::native::read::{CloseReading, Done, Fetched, OpenReading};
use callboard_protocol::native::topics::ListTopics;
use callboard_protocol::native::{Code, Flags, FrameError, FrameHeader, Refusal, Request, Response, VERSION};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Readings that a connection may have at once.
const READINGS_MAX: usize = 1024;
/// Pushes of a connection that may wait for its client: one is written, and the next is read meanwhile.
const PUSHES_UNWRITTEN_MAX: usize = 2;
/// Bytes of what a client calls itself.
const CLIENT_ID_BYTES_MAX: usize = 1024;

/// What a connection keeps between its requests.
#[derive(Debug)]
pub struct Session {
    host: String,
    /// None before the greeting.
    caller: Option<Caller>,
    readings: HashMap<u32, Credit>,
    pushes: Pushes<FrameError>,
    gate: Gate,
}

impl Door for Native {
    type Session = Session;
    type Operation = FrameHeader;
    type Refused = FrameError;

    const ANSWERS: Answers = Answers::AsReady;

    fn requests_in_flight_max(bounds: &ConnectionLimits) -> usize {
        bounds.native_requests_in_flight_max
    }

    fn broker(&self) -> &BrokerHandle {
        &self.broker
    }

    fn session(&self, peer: IpAddr, pushes: Pushes<FrameError>) -> Session {
        let host = format!("/{}", peer.to_canonical());
        let pushes_unwritten = Arc::new(Semaphore::new(PUSHES_UNWRITTEN_MAX));
        let gate = Gate { pushes: pushes_unwritten, overdraft: Overdraft::default() };
        Session { host, caller: None, readings: HashMap::new(), pushes, gate }
    }

    fn operation(frame: &Bytes) -> Result<FrameHeader, FrameError> {
        Frame::split(frame.clone()).map(|frame| frame.header)
    }

    /// What a request sees of those before it, its client sees to by waiting for their answers.
    fn order(_operation: FrameHeader) -> Order {
        Order::Overlapping
    }

    /// Only batches keep the frame, and they are in the log when they are answered.
    fn keeps(_operation: FrameHeader) -> Keeps {
        Keeps::Frame
    }

    fn size(header: FrameHeader) -> Size {
        let growing = [
            ListTopics::NUMBER,
            FetchOffsets::NUMBER,
            ListGroups::NUMBER,
            DescribeGroup::NUMBER,
            DescribeConfigs::NUMBER,
        ];
        if growing.contains(&header.operation) { Size::Growing } else { Size::Bounded }
    }

    fn start(
        self: &Arc<Self>,
        session: &mut Session,
        header: FrameHeader,
        frame: Bytes,
    ) -> Result<door::Started<FrameError>, FrameError> {
        let Frame { body, payload, .. } = Frame::split(frame)?;
        // What an answer is, its own flags say.
        let header = FrameHeader { flags: Flags::NONE, ..header };
        let request = match Request::decode(header.operation, header.version, &body) {
            Ok(request) => request,
            // An operation that is not known yet is no reason to close.
            Err(error @ (FrameError::Operation(_) | FrameError::Version(_))) => {
                let refusal = Refusal::new(Code::UNSUPPORTED, error.to_string());
                return Ok(door::Started::Answering(ready(header, Err(refusal))));
            }
            Err(error) => return Err(error),
        };
        drop(body);
        let lengths = match &request {
            Request::Produce(produce) => produce.batches.as_slice(),
            _ => &[],
        };
        let batches = cut(payload, lengths.iter().map(|batch| batch.bytes))?;
        Ok(self.begin(session, header, request, batches))
    }
}

impl Refusing for Native {
    fn name(header: FrameHeader) -> &'static str {
        let known = OPERATIONS.iter().find(|(number, _)| *number == header.operation);
        known.map(|(_, name)| *name).unwrap_or_default()
    }

    fn refuse(
        self: &Arc<Self>,
        _session: &mut Session,
        header: FrameHeader,
        _frame: Bytes,
        code: i16,
    ) -> Option<Result<door::Started<FrameError>, FrameError>> {
        let refusal = Refusal::new(Code(code as u16), "a test wanted it");
        Some(Ok(door::Started::Answering(ready(header, Err(refusal)))))
    }
}

impl Native {
    fn begin(
        self: &Arc<Self>,
        session: &mut Session,
        header: FrameHeader,
        request: Request,
        batches: Vec<Bytes>,
    ) -> door::Started<FrameError> {
        let reply = match (request, &session.caller) {
            (Request::Hello(hello), _) => self.greet(session, hello),
            (_, None) => Err(Refusal::new(Code::NOT_GREETED, "a connection begins with a greeting")),
            (Request::OpenReading(open), Some(_)) => self.open(session, open),
            (Request::Credit(credit), Some(_)) => {
                // One that has ended needs none, and what was sent meanwhile is no mistake.
                if let Some(reading) = session.readings.get(&credit.reading) {
                    reading.add(credit.bytes);
                }
                return door::Started::Answering(Box::pin(async { Ok(None) }));
            }
            (Request::CloseReading(close), Some(_)) => session.close(&close),
            (request, Some(caller)) => {
                return match start(self, caller, request, batches) {
                    Started::Answering(answering) => door::Started::Answering(written(header, answering)),
                    Started::Waiting(beginning) => {
                        door::Started::Waiting(beginning.map(move |it| written(header, it)).boxed_local())
                    }
                    Started::Preparing(preparing) => {
                        door::Started::Preparing(preparing.map(move |it| written(header, it)).boxed_local())
                    }
                };
            }
        };
        door::Started::Answering(ready(header, reply))
    }

    fn greet(&self, session: &mut Session, hello: Hello) -> Reply {
        if !(hello.version_min..=hello.version_max).contains(&VERSION) {
            let (min, max) = (hello.version_min, hello.version_max);
            let message = format!("the broker speaks version {VERSION}, the client versions {min} to {max}");
            return Err(Refusal::new(Code::UNSUPPORTED, message));
        }
        if hello.client_id.len() > CLIENT_ID_BYTES_MAX {
            return Err(Refusal::new(Code::INVALID_REQUEST, "the client's id is too long"));
        }
        tracing::debug!(client = hello.client_id, software = hello.software, "a native client greets");
        let (host, overdraft) = (session.host.clone(), session.gate.overdraft.clone());
        session.caller = Some(Caller { client_id: hello.client_id, host, overdraft });
        let (identity, bounds) = (self.broker.identity(), self.broker.settings().connections);
        let welcome = Welcome {
            version: VERSION,
            capabilities: 0,
            software: concat!("callboard ", env!("CARGO_PKG_VERSION")).to_owned(),
            cluster_id: identity.cluster_id.clone(),
            node_id: identity.node_id,
            frame_bytes_max: u32::try_from(bounds.frame_bytes_max).unwrap_or(u32::MAX),
            requests_in_flight_max: u32::try_from(Self::requests_in_flight_max(&bounds)).unwrap_or(u32::MAX),
        };
        Ok((Response::Hello(welcome), Vec::new()))
    }

    fn open(self: &Arc<Self>, session: &mut Session, open: OpenReading) -> Reply {
        self.check_count(open.parts.len())?;
        if session.readings.len() >= READINGS_MAX {
            let message = format!("a connection has at most {READINGS_MAX} readings");
            return Err(Refusal::new(Code::LIMIT_REACHED, message));
        }
        if session.readings.contains_key(&open.reading) {
            return Err(Refusal::new(Code::UNKNOWN_READING, "there is a reading of that number already"));
        }
        let gate = Some(session.gate.clone());
        let (credit, reading) = readings::open(open.parts, open.credit, open.isolation, gate);
        session.readings.insert(open.reading, credit);
        let (pushes, number) = (session.pushes.clone(), open.reading);
        let awaited = pushes.awaited();
        let running = reading.run(Arc::clone(self), move |pushed, unwritten| {
            pushes.push(pushed_frame(number, pushed).map(|pieces| held_by_last(pieces, unwritten)));
        });
        actix_rt::spawn(async move {
            running.await;
            drop(awaited);
        });
        Ok((Response::OpenReading(Fetched { parts: Vec::new() }), Vec::new()))
    }
}

impl Session {
    fn close(&mut self, close: &CloseReading) -> Reply {
        match self.readings.remove(&close.reading) {
            Some(_) => Ok((Response::CloseReading(Done {}), Vec::new())),
            None => Err(Refusal::new(Code::UNKNOWN_READING, "there is no reading of that number")),
        }
    }
}

fn ready(header: FrameHeader, reply: Reply) -> door::Answering<FrameError> {
    async move { frame(header, reply) }.boxed_local()
}

fn written(header: FrameHeader, reply: BoxFuture<'static, Reply>) -> door::Answering<FrameError> {
    Box::pin(async move { frame(header, reply.await) })
}

fn pushed_frame(reading: u32, pushed: Result<(Fetched, Vec<Bytes>), Refusal>) -> Answer<FrameError> {
    let header = FrameHeader {
        correlation_id: reading,
        // That of the operation that opened it, which an answer says by itself.
        operation: Response::OpenReading(Fetched { parts: Vec::new() }).operation(),
        version: BODY_VERSION,
        flags: Flags::PUSHED,
        body_bytes: 0,
    };
    frame(header, pushed.map(|(fetched, batches)| (Response::OpenReading(fetched), batches)))
}

/// The same pieces, the last of which says by its end that they are written.
fn held_by_last(pieces: Option<Vec<Bytes>>, unwritten: Unwritten) -> Option<Vec<Bytes>> {
    let mut pieces = pieces?;
    if let Some(last) = pieces.pop() {
        pieces.push(held(last, unwritten));
    }
    Some(pieces)
}

/// A whole frame: header and body in one piece, and the batches behind it by reference.
fn frame(mut header: FrameHeader, reply: Reply) -> Answer<FrameError> {
    header.version = BODY_VERSION;
    let (body, batches) = match reply {
        Ok((response, batches)) => {
            header.operation = response.operation();
            (response.encode()?, batches)
        }
        Err(refusal) => {
            header.flags = Flags(header.flags.0 | Flags::REFUSED.0);
            (refusal.encode()?, Vec::new())
        }
    };
    let front = header.join(&body, batches.iter().map(Bytes::len).sum())?;
    Ok(Some(std::iter::once(front).chain(batches).collect()))
}
