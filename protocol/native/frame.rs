//! The frame: a header of 16 bytes, a body, and record batches behind it.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes of a frame's header, its length included.
pub const HEADER_BYTES: usize = 16;
/// Bytes of the length at the front, which does not count itself.
pub const LENGTH_BYTES: usize = 4;

/// What stands at the front of a frame, in network byte order:
/// length `u32` of what follows it, correlation id `u32`, operation `u16`, version `u8`, flags `u8`,
/// bytes of the body `u32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Chosen by who asks, and repeated in the answer. In what the broker pushes, the number of the
    /// reading that it belongs to.
    pub correlation_id: u32,
    /// The number of the operation.
    pub operation: u16,
    /// The version of the operation's bodies.
    pub version: u8,
    /// What kind of frame it is.
    pub flags: Flags,
    /// Bytes of the body. What follows it are record batches.
    pub body_bytes: u32,
}

/// What kind of frame it is. Bits that are not known are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// A request, or what was asked for.
    pub const NONE: Self = Self(0);
    /// The body is a [`Refusal`](super::Refusal).
    pub const REFUSED: Self = Self(1);
    /// Nobody asked: the broker says it by itself.
    pub const PUSHED: Self = Self(2);

    /// Whether the body is a refusal.
    pub fn is_refused(self) -> bool {
        self.0 & Self::REFUSED.0 != 0
    }

    /// Whether the broker said it by itself.
    pub fn is_pushed(self) -> bool {
        self.0 & Self::PUSHED.0 != 0
    }
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// There are fewer than a header has.
    #[error("the frame is shorter than its header")]
    Short,
    /// The body is longer than what is left.
    #[error("the body of {body} bytes is longer than the {left} that are left")]
    Body {
        /// Bytes of the body as the header says.
        body: usize,
        /// Bytes behind the header.
        left: usize,
    },
    /// There is no such operation.
    #[error("operation {0} is not known")]
    Operation(u16),
    /// The operation is not known in that version.
    #[error("version {0} of the operation is not known")]
    Version(u8),
    /// The body is not what it must be.
    #[error("the body is malformed")]
    Malformed,
    /// The batches are not as long as the body says.
    #[error("the record batches are not as long as the body says")]
    Batches,
}

/// A whole frame, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its header.
    pub header: FrameHeader,
    /// Its body.
    pub body: Bytes,
    /// The record batches behind it, one after the other.
    pub payload: Bytes,
}

impl Frame {
    /// Takes a frame apart, whose length was read and taken off already.
    ///
    /// # Errors
    /// [`FrameError::Short`] and [`FrameError::Body`].
    pub fn split(mut bytes: Bytes) -> Result<Self, FrameError> {
        if bytes.len() < HEADER_BYTES - LENGTH_BYTES {
            return Err(FrameError::Short);
        }
        let header = FrameHeader {
            correlation_id: bytes.get_u32(),
            operation: bytes.get_u16(),
            version: bytes.get_u8(),
            flags: Flags(bytes.get_u8()),
            body_bytes: bytes.get_u32(),
        };
        let (body, left) = (header.body_bytes as usize, bytes.len());
        if body > left {
            return Err(FrameError::Body { body, left });
        }
        let body = bytes.split_to(body);
        Ok(Self { header, body, payload: bytes })
    }
}

impl FrameHeader {
    /// Header and body in one piece, to be written before `payload_bytes` of record batches.
    ///
    /// # Errors
    /// [`FrameError::Body`] when the whole is longer than a length can say.
    pub fn join(self, body: &[u8], payload_bytes: usize) -> Result<Bytes, FrameError> {
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES + body.len());
        self.put(&mut bytes, body, payload_bytes)?;
        Ok(bytes.freeze())
    }

    /// Puts header and body behind what is in `bytes`. Nothing is put when that is an error.
    ///
    /// # Errors
    /// As [`FrameHeader::join`].
    pub fn put(self, bytes: &mut BytesMut, body: &[u8], payload_bytes: usize) -> Result<(), FrameError> {
        let length = (HEADER_BYTES - LENGTH_BYTES).saturating_add(body.len()).saturating_add(payload_bytes);
        // Readers take the length for a signed number.
        let length = i32::try_from(length).map_err(|_| FrameError::Body { body: body.len(), left: 0 })?;
        bytes.put_i32(length);
        bytes.put_u32(self.correlation_id);
        bytes.put_u16(self.operation);
        bytes.put_u8(self.version);
        bytes.put_u8(self.flags.0);
        bytes.put_u32(body.len() as u32);
        bytes.extend_from_slice(body);
        Ok(())
    }
}

/// Cuts a payload into batches of those lengths, without copying.
///
/// # Errors
/// [`FrameError::Batches`] when they are not exactly the payload.
pub fn cut(mut payload: Bytes, lengths: impl Iterator<Item = u32>) -> Result<Vec<Bytes>, FrameError> {
    let mut batches = Vec::new();
    for length in lengths {
        let length = length as usize;
        if length > payload.len() {
            return Err(FrameError::Batches);
        }
        batches.push(payload.split_to(length));
    }
    if payload.is_empty() { Ok(batches) } else { Err(FrameError::Batches) }
}
