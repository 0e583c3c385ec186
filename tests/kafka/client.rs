//! A Kafka client in a few lines: the protocol's own messages over a plain TCP stream.

use crate::support::broker::Broker;
use bytes::Bytes;
use callboard_protocol::kafka::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use callboard_protocol::wire::{Message, Reader, RequestHeader, ResponseHeader, Writer};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long anything may take before a test fails.
pub(crate) const WITHIN: Duration = Duration::from_secs(10);

/// A connection to a broker. Whatever goes wrong fails the test.
pub(crate) struct Client {
    stream: TcpStream,
    correlation_id: i32,
}

impl Client {
    pub(crate) fn connect(broker: &Broker) -> Self {
        Self::over(TcpStream::connect(broker.address()).unwrap())
    }

    /// A client over a stream that is connected already.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream.set_write_timeout(Some(WITHIN)).unwrap();
        Self { stream, correlation_id: 0 }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call<Q: Message, A: Message>(&mut self, version: i16, request: &Q) -> A {
        let sent = self.send(version, request);
        let (answered, answer) = self.receive(version);
        assert_eq!(answered, sent, "the answer belongs to another request");
        answer
    }

    /// Sends a request. Answers the number that its answer will carry.
    pub(crate) fn send<Q: Message>(&mut self, version: i16, request: &Q) -> i32 {
        self.correlation_id += 1;
        let frame = frame(version, self.correlation_id, request);
        self.send_bytes(&frame);
        self.correlation_id
    }

    /// The next answer, and the number of its request.
    pub(crate) fn receive<A: Message>(&mut self, version: i16) -> (i32, A) {
        let mut reader = Reader::new(self.receive_frame());
        let is_flexible = ResponseHeader::is_flexible(A::API_KEY, A::is_flexible(version));
        let header = ResponseHeader::decode(&mut reader, is_flexible).unwrap();
        (header.correlation_id, A::decode_whole(&mut reader, version).unwrap())
    }

    /// The next frame without its length.
    pub(crate) fn receive_frame(&mut self) -> Bytes {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).expect("no answer");
        let mut frame = vec![0; i32::from_be_bytes(length).try_into().unwrap()];
        self.stream.read_exact(&mut frame).expect("half an answer");
        frame.into()
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The stream, for what the other functions do not do.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Waits until the broker closes the connection. It must not send anything before.
    pub(crate) fn assert_closed(&mut self, why: &str) {
        match self.stream.read(&mut [0]) {
            Ok(0) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
            otherwise => panic!("{why}: the connection is not closed but {otherwise:?}"),
        }
    }

    /// Asks for something and gets it.
    pub(crate) fn assert_alive(&mut self) {
        let answer: ApiVersionsResponse = self.call(0, &ApiVersionsRequest::default());
        assert!(!answer.api_keys.is_empty());
    }
}

/// The bytes of a request, its length in front.
pub(crate) fn frame<Q: Message>(version: i16, correlation_id: i32, request: &Q) -> Vec<u8> {
    let header = RequestHeader {
        api_key: Q::API_KEY,
        api_version: version,
        correlation_id,
        client_id: Some("tests".into()),
    };
    let mut writer = Writer::frame();
    header.encode(&mut writer, Q::is_flexible(version)).unwrap();
    request.encode(&mut writer, version).unwrap();
    writer.finish_frame().unwrap().concat()
}
