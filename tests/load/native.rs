//! A client of the native door in a few lines: frames over a plain TCP stream.

use crate::client::WITHIN;
use crate::topic::Topic;
use bytes::Bytes;
use callboard_protocol::native::frame::Frame;
use callboard_protocol::native::hello::{Hello, Welcome};
use callboard_protocol::native::operations::BODY_VERSION;
use callboard_protocol::native::read::{Fetch, IsolationLevel, ReadPart};
use callboard_protocol::native::{Flags, FrameHeader, Operation, Request, Response, TopicPartition, VERSION};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection that has greeted. Whatever goes wrong fails the test.
pub(crate) struct Native {
    stream: TcpStream,
}

impl Native {
    pub(crate) fn greet(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream.set_write_timeout(Some(WITHIN)).unwrap();
        let mut client = Self { stream };
        let hello = Hello {
            version_min: VERSION,
            version_max: VERSION,
            client_id: "tests".into(),
            software: "tests".into(),
        };
        let welcome: Welcome = client.call(hello);
        assert_eq!(welcome.version, VERSION);
        client
    }

    /// Sends a request and waits for its answer; nothing else is on its way.
    pub(crate) fn call<O: Operation>(&mut self, operation: O) -> O::Answer {
        self.stream.write_all(&frame(0, operation)).unwrap();
        self.receive::<O>().1
    }

    /// The next answer and its batches.
    pub(crate) fn receive<O: Operation>(&mut self) -> (Bytes, O::Answer) {
        let Frame { header, body, payload } = Frame::split(self.receive_frame()).unwrap();
        assert!(!header.flags.is_refused(), "refused: {}", String::from_utf8_lossy(&body));
        let response = Response::decode(header.operation, header.version, &body).unwrap();
        (payload, O::answer(response).unwrap())
    }

    /// The next frame without its length.
    pub(crate) fn receive_frame(&mut self) -> Bytes {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).expect("no answer");
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut frame).expect("half an answer");
        frame.into()
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The stream alone, for a client that reads nothing more.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// The bytes of a request, its length in front.
pub(crate) fn frame(correlation_id: u32, operation: impl Operation) -> Vec<u8> {
    let request: Request = operation.into_request();
    let body = request.encode().unwrap();
    let header = FrameHeader {
        correlation_id,
        operation: request.operation(),
        version: BODY_VERSION,
        flags: Flags::NONE,
        body_bytes: u32::try_from(body.len()).unwrap(),
    };
    header.join(&body, 0).unwrap().to_vec()
}

/// A request to read partitions from their beginning, as much as there is.
pub(crate) fn fetch(topic: &Topic, partitions: u32) -> Fetch {
    Fetch {
        parts: parts(topic, partitions),
        bytes_max: u32::MAX,
        bytes_min: 1,
        wait_max_ms: 0,
        isolation: IsolationLevel::ReadUncommitted,
    }
}

/// Partitions from their beginning.
pub(crate) fn parts(topic: &Topic, partitions: u32) -> Vec<ReadPart> {
    let part = |partition| ReadPart { partition: TopicPartition { topic: topic.id, partition }, offset: 0 };
    (0..partitions).map(part).collect()
}
