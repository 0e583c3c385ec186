//! A connection to a Kafka broker in a few lines, for clients that cost the machine little.

use anyhow::Result;
use callboard_protocol::wire::{Message, Reader, RequestHeader, ResponseHeader, Writer};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection on which one request waits for its answer, or several whose answers come in order.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// When the connection ends, or the answer cannot be decoded.
    pub fn call<Q: Message, A: Message>(&mut self, version: i16, request: &Q) -> Result<A> {
        self.send(version, request)?;
        self.receive(version)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the connection ends.
    pub fn send<Q: Message>(&mut self, version: i16, request: &Q) -> Result<()> {
        let header =
            RequestHeader { api_key: Q::API_KEY, api_version: version, correlation_id: 1, client_id: None };
        let mut writer = Writer::frame();
        header.encode(&mut writer, Q::is_flexible(version))?;
        request.encode(&mut writer, version)?;
        Ok(self.0.write_all(&writer.finish_frame()?.concat())?)
    }

    /// Waits for the next answer.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub fn receive<A: Message>(&mut self, version: i16) -> Result<A> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let length = u64::try_from(i32::from_be_bytes(length))?;
        let mut frame = Vec::with_capacity(length as usize);
        (&mut self.0).take(length).read_to_end(&mut frame)?;
        let mut reader = Reader::new(frame.into());
        ResponseHeader::decode(
            &mut reader,
            ResponseHeader::is_flexible(A::API_KEY, A::is_flexible(version)),
        )?;
        Ok(A::decode(&mut reader, version)?)
    }
}
