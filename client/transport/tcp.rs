//! A broker by its socket: one connection, made anew when it is gone.
//!
//! A task of its own writes requests in the order in which they were sent and hands answers to
//! whoever waits for them. When the connection ends all that wait are told so; the next request
//! makes a new one.

use super::framing::{FrameReader, FrameWriter, gone, misunderstood};
use super::{Pushed, Reading, Reply, Transport};
use crate::error::Error;
use bytes::Bytes;
use callboard_protocol::native::frame::Frame;
use callboard_protocol::native::hello::{Hello, Welcome};
use callboard_protocol::native::read::{CloseReading, Credit, IsolationLevel, OpenReading, ReadPart};
use callboard_protocol::native::{
    Body, FrameError, FrameHeader, Operation, Refusal, Request, Response, VERSION,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use slab::Slab;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long making a connection may take, its greeting included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests are gathered up to so many bytes before they are written.
const GATHER_BYTES: usize = 256 << 10;
/// The correlation id of requests that nobody waits for.
const NOBODY: u32 = u32::MAX;

/// A broker by its socket.
#[derive(Debug)]
pub struct Tcp {
    orders: mpsc::UnboundedSender<Order>,
    next_reading: AtomicU32,
}

/// What the task is to do.
#[derive(Debug)]
enum Order {
    /// Send a request, and answer there.
    Call { request: Encoded, batches: Vec<Bytes>, reply: oneshot::Sender<Reply> },
    /// Open a reading, and push there.
    Open { open: OpenReading, pushes: mpsc::UnboundedSender<Pushed> },
    /// Give a reading credit.
    Credit(Credit),
    /// End a reading.
    Close(CloseReading),
}

/// A request's operation and body.
#[derive(Debug)]
struct Encoded {
    operation: u16,
    body: Body,
}

impl Encoded {
    fn of(request: &Request) -> Result<Self, FrameError> {
        Ok(Self { operation: request.operation(), body: request.encode()? })
    }
}

impl Tcp {
    /// Connects, greets, and keeps the connection. Dropping the future gives it up.
    ///
    /// # Errors
    /// [`Error::Invalid`] when that is no address, [`Error::Unresolved`] when its name does not resolve,
    /// [`Error::Disconnected`] when there is nobody, [`Error::Refused`] when no version of the protocol is
    /// common.
    pub async fn connect(address: &str, client_id: &str) -> Result<Self, Error> {
        check(address)?;
        let dialer = Dialer { address: address.to_owned(), client_id: client_id.to_owned() };
        let connection = dialer.dial().await?;
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(keep(dialer, connection, inbox));
        Ok(Self { orders, next_reading: AtomicU32::new(1) })
    }
}

impl Transport for Tcp {
    fn call(&self, request: Request, batches: Vec<Bytes>) -> BoxFuture<'static, Reply> {
        let request = match Encoded::of(&request) {
            Ok(request) => request,
            Err(error) => return Box::pin(std::future::ready(Err(misunderstood(error)))),
        };
        let (reply, answer) = oneshot::channel();
        // A task that is gone drops the order and with it the reply.
        let _ = self.orders.send(Order::Call { request, batches, reply });
        async { answer.await.unwrap_or(Err(Error::Closed)) }.boxed()
    }

    fn read(&self, parts: Vec<ReadPart>, credit: u32, isolation: IsolationLevel) -> Reading {
        let reading = self.next_reading.fetch_add(1, Ordering::Relaxed);
        let (pushes, inbox) = mpsc::unbounded_channel();
        let open = OpenReading { reading, parts, credit, isolation };
        let _ = self.orders.send(Order::Open { open, pushes });
        let end = End { reading, orders: self.orders.clone() };
        Reading::new(inbox, move |bytes| {
            let _ = end.orders.send(Order::Credit(Credit { reading: end.reading, bytes }));
        })
    }
}

/// Ends a reading when it is dropped.
struct End {
    reading: u32,
    orders: mpsc::UnboundedSender<Order>,
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Close(CloseReading { reading: self.reading }));
    }
}

/// Whether that is a host and a port, whatever is there.
fn check(address: &str) -> Result<(), Error> {
    let parts = address.rsplit_once(':').filter(|(host, _)| {
        // The colons of an IPv6 address stand in brackets, or the last one would not be the port's.
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        !host.is_empty() && !host.contains(char::is_whitespace) && (is_bracketed || !host.contains(':'))
    });
    if parts.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{address:?} is no address: write host:port, as in localhost:9093")))
}

/// Makes connections.
struct Dialer {
    address: String,
    client_id: String,
}

impl Dialer {
    async fn dial(&self) -> Result<Connection, Error> {
        let dialing = async {
            let found = lookup_host(&self.address).await.map_err(|error| self.unresolved(&error))?;
            let found: Vec<_> = found.collect();
            let socket = TcpStream::connect(&*found).await.map_err(|error| gone(&error))?;
            socket.set_nodelay(true).map_err(|error| gone(&error))?;
            self.greet(socket).await
        };
        timeout(CONNECT_TIMEOUT, dialing).await.map_err(|_| Error::TimedOut)?
    }

    fn unresolved(&self, error: &io::Error) -> Error {
        Error::Unresolved(format!("the name in {} does not resolve: {error}", self.address))
    }

    async fn greet(&self, socket: TcpStream) -> Result<Connection, Error> {
        let (read, write) = socket.into_split();
        let mut connection = Connection { reader: FrameReader::new(read), writer: FrameWriter::new(write) };
        let hello = Hello {
            version_min: VERSION,
            version_max: VERSION,
            client_id: self.client_id.clone(),
            software: concat!("callboard-client ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        add(0, &hello.into_request(), &mut connection.writer).map_err(misunderstood)?;
        connection.writer.flush().await.map_err(|error| gone(&error))?;
        let frame = connection.reader.frame().await?;
        let response = answer(&frame)?;
        let welcome: Option<Welcome> = Hello::answer(response);
        let welcome = welcome.ok_or_else(|| Error::Protocol("the greeting was not answered".to_owned()))?;
        tracing::debug!(broker = welcome.software, cluster = welcome.cluster_id, "connected");
        Ok(connection)
    }
}

struct Connection {
    reader: FrameReader,
    writer: FrameWriter,
}

/// Who waits for what on a connection.
#[derive(Default)]
struct Waiting {
    /// By correlation id.
    calls: Slab<Call>,
    readings: HashMap<u32, mpsc::UnboundedSender<Pushed>>,
}

/// Who waits for an answer.
enum Call {
    /// Whoever asked.
    Asked(oneshot::Sender<Reply>),
    /// A reading, which only wants to know whether it was refused.
    Opened(u32),
}

/// Serves orders on one connection after the other.
async fn keep(dialer: Dialer, connection: Connection, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut connection = Some(connection);
    let mut first = None;
    loop {
        let (Connection { mut reader, mut writer }, begun) = match connection.take() {
            Some(connection) => (connection, None),
            None => {
                let Some(order) = first.take() else { return };
                if matches!(order, Order::Credit(_) | Order::Close(_)) {
                    // It was for a reading that is gone.
                    let Some(next) = orders.recv().await else { return };
                    first = Some(next);
                    continue;
                }
                match dialer.dial().await {
                    Ok(connection) => (connection, Some(order)),
                    Err(error) => {
                        fail(order, &error);
                        let Some(next) = orders.recv().await else { return };
                        first = Some(next);
                        continue;
                    }
                }
            }
        };
        let mut waiting = Waiting::default();
        let ended = serve(&mut reader, &mut writer, &mut waiting, begun, &mut orders).await;
        let Some(error) = ended else { return };
        tracing::debug!(%error, "the connection ended");
        for call in waiting.calls.drain() {
            if let Call::Asked(reply) = call {
                let _ = reply.send(Err(error.clone()));
            }
        }
        for (_, pushes) in waiting.readings.drain() {
            let _ = pushes.send(Err(error.clone()));
        }
        let Some(next) = orders.recv().await else { return };
        first = Some(next);
    }
}

/// Serves orders until the connection ends, and says why; none when nobody can order any more.
async fn serve(
    reader: &mut FrameReader,
    writer: &mut FrameWriter,
    waiting: &mut Waiting,
    begun: Option<Order>,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) -> Option<Error> {
    if let Some(order) = begun {
        waiting.order(order, writer);
    }
    loop {
        tokio::select! {
            // Answers first: they are why others may go on.
            biased;
            frame = reader.frame() => match frame {
                Ok(frame) => {
                    waiting.arrived(&frame);
                    while let Some(frame) = reader.buffered() {
                        match frame {
                            Ok(frame) => waiting.arrived(&frame),
                            Err(error) => return Some(error),
                        }
                    }
                }
                Err(error) => return Some(error),
            },
            written = writer.write_some(), if writer.is_pending() => {
                if let Err(error) = written {
                    return Some(gone(&error));
                }
            }
            order = orders.recv(), if writer.bytes < GATHER_BYTES => {
                waiting.order(order?, writer);
                while writer.bytes < GATHER_BYTES {
                    match orders.try_recv() {
                        Ok(order) => waiting.order(order, writer),
                        Err(_) => break,
                    }
                }
            }
        }
    }
}

impl Waiting {
    fn order(&mut self, order: Order, writer: &mut FrameWriter) {
        match order {
            Order::Call { request: Encoded { operation, body }, batches, reply } => {
                let entry = self.calls.vacant_entry();
                match writer.add(entry.key() as u32, operation, &body, batches) {
                    // Also when nobody waits any more: what was sent is to take effect.
                    Ok(()) => drop(entry.insert(Call::Asked(reply))),
                    Err(error) => drop(reply.send(Err(misunderstood(error)))),
                }
            }
            Order::Open { open, pushes } => {
                self.readings.insert(open.reading, pushes);
                let call = self.calls.insert(Call::Opened(open.reading));
                send(call as u32, &open.into_request(), writer);
            }
            Order::Credit(credit) => send(NOBODY, &credit.into_request(), writer),
            Order::Close(close) => {
                if self.readings.remove(&close.reading).is_some() {
                    send(NOBODY, &close.into_request(), writer);
                }
            }
        }
    }

    fn arrived(&mut self, frame: &Frame) {
        let FrameHeader { correlation_id, flags, .. } = frame.header;
        if flags.is_pushed() {
            self.pushed(correlation_id, frame);
            return;
        }
        match self.calls.try_remove(correlation_id as usize) {
            Some(Call::Asked(reply)) => {
                let batches = if frame.payload.is_empty() { Vec::new() } else { vec![frame.payload.clone()] };
                let _ = reply.send(answer(frame).map(|response| (response, batches)));
            }
            Some(Call::Opened(reading)) => {
                if let Err(error) = answer(frame)
                    && let Some(pushes) = self.readings.remove(&reading)
                {
                    let _ = pushes.send(Err(error));
                }
            }
            // Credit for a reading that has ended there, or its end.
            None => {}
        }
    }

    fn pushed(&mut self, reading: u32, frame: &Frame) {
        // One that was ended here may still be on its way there.
        let Some(pushes) = self.readings.get(&reading) else { return };
        let pushed = answer(frame).and_then(|response| match OpenReading::answer(response) {
            Some(fetched) => Ok((fetched, vec![frame.payload.clone()])),
            None => Err(Error::Protocol("something else than a reading was pushed".to_owned())),
        });
        let _ = pushes.send(pushed);
    }
}

/// Sends a request that has no batches, and whose sender is not told when it cannot be.
fn send(correlation: u32, request: &Request, writer: &mut FrameWriter) {
    if let Err(error) = add(correlation, request, writer) {
        tracing::error!(%error, "a request cannot be written");
    }
}

fn add(correlation: u32, request: &Request, writer: &mut FrameWriter) -> Result<(), FrameError> {
    let Encoded { operation, body } = Encoded::of(request)?;
    writer.add(correlation, operation, &body, Vec::new())
}

fn fail(order: Order, error: &Error) {
    match order {
        Order::Call { reply, .. } => drop(reply.send(Err(error.clone()))),
        Order::Open { pushes, .. } => drop(pushes.send(Err(error.clone()))),
        Order::Credit(_) | Order::Close(_) => {}
    }
}

fn answer(frame: &Frame) -> Result<Response, Error> {
    let FrameHeader { operation, version, flags, .. } = frame.header;
    if flags.is_refused() {
        return Err(Refusal::decode(&frame.body).map_err(misunderstood)?.into());
    }
    Response::decode(operation, version, &frame.body).map_err(misunderstood)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_address_is_told_at_once_and_not_to_be_tried_again() {
        for address in
            ["nonsense", "", ":9093", "localhost:", "localhost:0", "localhost:65536", "::1:9093", "a b:1"]
        {
            let error = Tcp::connect(address, "test").await.unwrap_err();
            assert!(matches!(error, Error::Invalid(_)) && !error.is_retriable(), "{address}: {error}");
            assert!(error.to_string().contains("host:port"), "{error}");
        }
        for address in ["localhost:9093", "127.0.0.1:1", "[::1]:65535", "broker.example:9093"] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_told_apart_from_nobody_listening() {
        let error = Tcp::connect("no-such-name.invalid:9093", "test").await.unwrap_err();
        assert!(matches!(error, Error::Unresolved(_)) && error.is_retriable(), "{error}");
        assert!(error.to_string().contains("no-such-name.invalid"), "{error}");
        // A port that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Tcp::connect(&free.to_string(), "test").await.unwrap_err();
        assert!(matches!(error, Error::Disconnected(_)), "{error}");
    }
}
