//! Frames on a socket: reading whole ones, and writing several in one system call.

use crate::error::Error;
use bytes::{Buf, Bytes, BytesMut};
use callboard_protocol::native::frame::{Frame, LENGTH_BYTES};
use callboard_protocol::native::operations::BODY_VERSION;
use callboard_protocol::native::{Flags, FrameError, FrameHeader, Request};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Bytes that are read at once where a frame's length is not known yet.
const READ_BYTES: usize = 64 << 10;
/// Bytes for which room is made at once.
const ROOM_BYTES_MAX: usize = 256 << 10;
/// Pieces that one system call takes.
const PIECES_AT_ONCE: usize = 64;
/// Bytes of the largest frame that is taken from a broker.
const FRAME_BYTES_MAX: usize = 1 << 30;

pub(super) struct FrameReader {
    socket: OwnedReadHalf,
    buffer: BytesMut,
}

impl FrameReader {
    pub(super) fn new(socket: OwnedReadHalf) -> Self {
        Self { socket, buffer: BytesMut::new() }
    }

    /// Waits for a whole frame. Cancel safe: what has arrived stays in the buffer.
    pub(super) async fn frame(&mut self) -> Result<Frame, Error> {
        loop {
            if let Some(frame) = self.buffered() {
                return frame;
            }
            let missing = self.length().map_or(READ_BYTES, |length| {
                (length + LENGTH_BYTES).saturating_sub(self.buffer.len()).clamp(READ_BYTES, ROOM_BYTES_MAX)
            });
            self.buffer.reserve(missing);
            let read = self.socket.read_buf(&mut self.buffer).await.map_err(|error| gone(&error))?;
            if read == 0 {
                return Err(Error::Disconnected("the broker closed it".to_owned()));
            }
        }
    }

    /// The next frame, if it is there whole.
    pub(super) fn buffered(&mut self) -> Option<Result<Frame, Error>> {
        let length = self.length()?;
        if length > FRAME_BYTES_MAX {
            return Some(Err(Error::Protocol(format!("a frame of {length} bytes is too large"))));
        }
        if self.buffer.len() < LENGTH_BYTES + length {
            return None;
        }
        self.buffer.advance(LENGTH_BYTES);
        Some(Frame::split(self.buffer.split_to(length).freeze()).map_err(misunderstood))
    }

    fn length(&self) -> Option<usize> {
        self.buffer.first_chunk().map(|length| u32::from_be_bytes(*length) as usize)
    }
}

pub(super) struct FrameWriter {
    socket: OwnedWriteHalf,
    pieces: VecDeque<Bytes>,
    /// Bytes that wait to be written.
    pub(super) bytes: usize,
}

impl FrameWriter {
    pub(super) fn new(socket: OwnedWriteHalf) -> Self {
        Self { socket, pieces: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn add(
        &mut self,
        correlation_id: u32,
        request: &Request,
        batches: Vec<Bytes>,
    ) -> Result<(), Error> {
        let body = request.encode().map_err(misunderstood)?;
        let header = FrameHeader {
            correlation_id,
            operation: request.operation(),
            version: BODY_VERSION,
            flags: Flags::NONE,
            body_bytes: body.len() as u32,
        };
        let payload = batches.iter().map(Bytes::len).sum();
        let front = header.join(&body, payload).map_err(misunderstood)?;
        self.bytes += front.len() + payload;
        self.pieces.push_back(front);
        self.pieces.extend(batches);
        Ok(())
    }

    pub(super) fn has_pieces(&self) -> bool {
        !self.pieces.is_empty()
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while self.has_pieces() {
            self.write_some().await?;
        }
        Ok(())
    }

    /// Writes the first pieces, as far as the socket takes them. Cancel safe.
    pub(super) async fn write_some(&mut self) -> io::Result<()> {
        let slices: Vec<_> =
            self.pieces.iter().take(PIECES_AT_ONCE).map(|piece| IoSlice::new(piece)).collect();
        let mut written = self.socket.write_vectored(&slices).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes = self.bytes.saturating_sub(written);
        while let Some(piece) = self.pieces.front_mut() {
            if piece.len() > written {
                piece.advance(written);
                break;
            }
            written -= piece.len();
            self.pieces.pop_front();
        }
        Ok(())
    }
}

pub(super) fn misunderstood(error: FrameError) -> Error {
    Error::Protocol(error.to_string())
}

pub(super) fn gone(error: &io::Error) -> Error {
    Error::Disconnected(error.to_string())
}
