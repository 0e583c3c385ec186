//! A Kafka client for a broker that dies: what the connection's end leaves unanswered is an error of the
//! caller's, everything else that goes wrong fails the test.

use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_topics::{CreatableTopic, CreateTopicsRequest, CreateTopicsResponse};
use callboard_protocol::wire::{Message, Reader, RequestHeader, ResponseHeader, Writer};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use uuid::Uuid;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(20);

/// A connection to a broker.
pub(crate) struct Client {
    stream: TcpStream,
    correlation_id: i32,
    answered: i32,
}

impl Client {
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(WITHIN))?;
        stream.set_write_timeout(Some(WITHIN))?;
        Ok(Self { stream, correlation_id: 0, answered: 0 })
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call<Q: Message, A: Message>(&mut self, version: i16, request: &Q) -> io::Result<A> {
        self.send(version, request)?;
        self.receive(version)
    }

    pub(crate) fn send<Q: Message>(&mut self, version: i16, request: &Q) -> io::Result<()> {
        self.correlation_id += 1;
        let header = RequestHeader {
            api_key: Q::API_KEY,
            api_version: version,
            correlation_id: self.correlation_id,
            client_id: Some("crash".into()),
        };
        let mut writer = Writer::frame();
        header.encode(&mut writer, Q::is_flexible(version)).unwrap();
        request.encode(&mut writer, version).unwrap();
        in_time(self.stream.write_all(&writer.finish_frame().unwrap().concat()))
    }

    /// The answer to the first request that has none yet.
    pub(crate) fn receive<A: Message>(&mut self, version: i16) -> io::Result<A> {
        let mut length = [0; 4];
        in_time(self.stream.read_exact(&mut length))?;
        let mut frame = vec![0; i32::from_be_bytes(length).try_into().unwrap()];
        in_time(self.stream.read_exact(&mut frame))?;
        let mut reader = Reader::new(frame.into());
        let is_flexible = ResponseHeader::is_flexible(A::API_KEY, A::is_flexible(version));
        let header = ResponseHeader::decode(&mut reader, is_flexible).unwrap();
        self.answered += 1;
        assert_eq!(header.correlation_id, self.answered, "the answer belongs to another request");
        Ok(A::decode_whole(&mut reader, version).unwrap())
    }

    /// Creates a topic, and tells its id.
    ///
    /// # Errors
    /// As [`Client::call`], and where the broker cannot now.
    pub(crate) fn create_topic(&mut self, name: &str, partitions: i32) -> io::Result<Uuid> {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let answer: CreateTopicsResponse = self.call(7, &request)?;
        accept(answer.topics[0].error_code, || format!("creating {name}"))?;
        Ok(answer.topics[0].topic_id)
    }
}

/// What a broker that stops may answer: that the client is to ask again.
const RETRIABLE: [ErrorCode; 5] = [
    ErrorCode::NOT_COORDINATOR,
    ErrorCode::COORDINATOR_NOT_AVAILABLE,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::REQUEST_TIMED_OUT,
    ErrorCode::KAFKA_STORAGE_ERROR,
];

/// Goes on when something was done. What is to be asked again is an error, which [`is_refusal`] tells from
/// the end of a connection; everything else fails the test.
pub(crate) fn accept(answer: ErrorCode, what: impl FnOnce() -> String) -> io::Result<()> {
    if !answer.is_error() {
        return Ok(());
    }
    assert!(RETRIABLE.contains(&answer), "{}: {answer}", what());
    Err(io::Error::new(ErrorKind::ResourceBusy, format!("{}: {answer}", what())))
}

/// Whether the broker answered that the client is to ask again.
pub(crate) fn is_refusal(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ResourceBusy
}

/// Silence is not an end.
fn in_time<T>(outcome: io::Result<T>) -> io::Result<T> {
    if let Err(error) = &outcome {
        let is_late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!is_late, "the broker lives and does not answer within {WITHIN:?}");
    }
    outcome
}
