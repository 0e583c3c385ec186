//! Frames on a socket: reading whole ones, and writing several in one system call.

use crate::error::Error;
use bytes::{Buf, Bytes, BytesMut};
use callboard_protocol::native::frame::{Frame, HEADER_BYTES, LENGTH_BYTES};
use callboard_protocol::native::operations::BODY_VERSION;
use callboard_protocol::native::{Flags, FrameError, FrameHeader};
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
/// Bytes of a batch that is copied behind others: to name it to the system would take longer.
const COPY_BYTES_MAX: usize = 4 << 10;
/// Bytes for which room is made at once where small frames are put together.
const GATHERED_BYTES: usize = 64 << 10;
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
    /// What is behind them, and may grow.
    gathered: BytesMut,
    /// Bytes that wait to be written.
    pub(super) bytes: usize,
}

impl FrameWriter {
    pub(super) fn new(socket: OwnedWriteHalf) -> Self {
        Self { socket, pieces: VecDeque::new(), gathered: BytesMut::new(), bytes: 0 }
    }

    pub(super) fn add(
        &mut self,
        correlation_id: u32,
        operation: u16,
        body: &[u8],
        batches: Vec<Bytes>,
    ) -> Result<(), FrameError> {
        let header = FrameHeader {
            correlation_id,
            operation,
            version: BODY_VERSION,
            flags: Flags::NONE,
            body_bytes: body.len() as u32,
        };
        let payload = batches.iter().map(Bytes::len).sum();
        self.make_room(HEADER_BYTES + body.len());
        header.put(&mut self.gathered, body, payload)?;
        self.bytes += HEADER_BYTES + body.len() + payload;
        for batch in batches {
            if batch.len() <= COPY_BYTES_MAX {
                self.make_room(batch.len());
                self.gathered.extend_from_slice(&batch);
            } else {
                self.end_gathered();
                self.pieces.push_back(batch);
            }
        }
        Ok(())
    }

    /// So that what is gathered already is not copied.
    fn make_room(&mut self, bytes: usize) {
        if self.gathered.capacity() - self.gathered.len() < bytes {
            self.end_gathered();
            self.gathered.reserve(bytes.max(GATHERED_BYTES));
        }
    }

    fn end_gathered(&mut self) {
        if !self.gathered.is_empty() {
            self.pieces.push_back(self.gathered.split().freeze());
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.bytes > 0
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while self.is_pending() {
            self.write_some().await?;
        }
        Ok(())
    }

    /// Writes the first pieces, as far as the socket takes them. Cancel safe.
    pub(super) async fn write_some(&mut self) -> io::Result<()> {
        self.end_gathered();
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
