//! Builds a frame as a list of pieces, so that records go out by reference and are not copied.

use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

use super::{EncodeError, Records};

/// Records of at least this many bytes become a piece of their own; fewer are copied, which costs less than a piece.
pub const SPLICE_BYTES_MIN: usize = 512;

const SIZE_PREFIX_BYTES: usize = size_of::<i32>();

/// A frame under construction.
#[derive(Debug, Default)]
pub struct Writer {
    /// The first piece, kept writable for the size prefix once a second one exists.
    first: Option<BytesMut>,
    pieces: Vec<Bytes>,
    tail: BytesMut,
    /// Bytes in `first` and `pieces`.
    closed_bytes: usize,
}

impl Writer {
    /// An empty frame, without a size prefix.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty frame that starts with four bytes for its size; end it with [`Writer::finish_frame`].
    pub fn frame() -> Self {
        let mut writer = Self::new();
        writer.put_i32(0);
        writer
    }

    /// Bytes so far, the size prefix of [`Writer::frame`] included.
    pub fn len(&self) -> usize {
        self.closed_bytes + self.tail.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces in order, none of them empty.
    pub fn finish(mut self) -> Vec<Bytes> {
        self.close_tail();
        let mut pieces = Vec::with_capacity(self.pieces.len() + 1);
        pieces.extend(self.first.map(BytesMut::freeze));
        pieces.append(&mut self.pieces);
        pieces
    }

    /// The pieces of a [`Writer::frame`], in order, with its size written into its first four bytes.
    ///
    /// # Errors
    /// The frame is larger than its size prefix can say.
    pub fn finish_frame(mut self) -> Result<Vec<Bytes>, EncodeError> {
        let length = self.len().saturating_sub(SIZE_PREFIX_BYTES);
        let size =
            i32::try_from(length).map_err(|_| EncodeError::TooLong { length, max: i32::MAX as usize })?;
        self.close_tail();
        if let Some(prefix) = self.first.as_mut().and_then(|first| first.first_chunk_mut()) {
            *prefix = size.to_be_bytes();
        }
        Ok(self.finish())
    }

    /// Appends a byte as a number.
    pub fn put_i8(&mut self, value: i8) {
        self.tail.put_i8(value);
    }

    /// Appends two bytes, big endian.
    pub fn put_i16(&mut self, value: i16) {
        self.tail.put_i16(value);
    }

    /// Appends two bytes, big endian.
    pub fn put_u16(&mut self, value: u16) {
        self.tail.put_u16(value);
    }

    /// Appends four bytes, big endian.
    pub fn put_i32(&mut self, value: i32) {
        self.tail.put_i32(value);
    }

    /// Appends four bytes, big endian.
    pub fn put_u32(&mut self, value: u32) {
        self.tail.put_u32(value);
    }

    /// Appends eight bytes, big endian.
    pub fn put_i64(&mut self, value: i64) {
        self.tail.put_i64(value);
    }

    /// Appends eight bytes, big endian.
    pub fn put_f64(&mut self, value: f64) {
        self.tail.put_f64(value);
    }

    /// Appends sixteen bytes.
    pub fn put_uuid(&mut self, value: Uuid) {
        self.tail.put_slice(value.as_bytes());
    }

    /// Appends an unsigned number, seven bits to a byte, the low ones first.
    pub fn put_unsigned_varint(&mut self, value: u32) {
        self.put_unsigned_varlong(u64::from(value));
    }

    /// Appends an unsigned number, seven bits to a byte, the low ones first.
    pub fn put_unsigned_varlong(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.tail.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.tail.put_u8(value as u8);
    }

    /// Appends a signed number, zigzag encoded.
    pub fn put_varint(&mut self, value: i32) {
        self.put_unsigned_varint((value << 1 ^ value >> 31) as u32);
    }

    /// Appends a signed number, zigzag encoded.
    pub fn put_varlong(&mut self, value: i64) {
        self.put_unsigned_varlong((value << 1 ^ value >> 63) as u64);
    }

    /// Appends bytes as they are, by copying them.
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.tail.put_slice(bytes);
    }

    /// Appends a string in compact or in the older form; `None` is null.
    ///
    /// # Errors
    /// It has more than 32,767 bytes.
    pub fn put_string(&mut self, value: Option<&str>, flexible: bool) -> Result<(), EncodeError> {
        let length = value.map_or(Ok(-1), |value| {
            i16::try_from(value.len())
                .map_err(|_| EncodeError::TooLong { length: value.len(), max: i16::MAX as usize })
        })?;
        if flexible {
            self.put_unsigned_varint((i32::from(length) + 1) as u32);
        } else {
            self.put_i16(length);
        }
        self.put_slice(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    /// Appends the length of a list or byte string in compact or in the older form; `None` is null.
    ///
    /// # Errors
    /// It is more than 2,147,483,646.
    pub fn put_length(&mut self, length: Option<usize>, flexible: bool) -> Result<(), EncodeError> {
        let length = length.map_or(Ok(-1), |length| {
            i32::try_from(length)
                .ok()
                .filter(|length| *length < i32::MAX)
                .ok_or(EncodeError::TooLong { length, max: i32::MAX as usize - 1 })
        })?;
        if flexible {
            self.put_unsigned_varint((length + 1) as u32);
        } else {
            self.put_i32(length);
        }
        Ok(())
    }

    /// Appends records without their length, the larger pieces of them by reference.
    pub fn put_records(&mut self, records: &Records) {
        for chunk in records.chunks() {
            self.put_chunk(chunk);
        }
    }

    /// Appends bytes as they are, by reference where that is worth it.
    pub fn put_chunk(&mut self, chunk: &Bytes) {
        if chunk.len() < SPLICE_BYTES_MIN {
            self.tail.put_slice(chunk);
            return;
        }
        self.close_tail();
        self.closed_bytes += chunk.len();
        self.pieces.push(chunk.clone());
    }

    /// Appends all that was written elsewhere.
    pub(super) fn put_all(&mut self, other: Self) {
        for piece in other.finish() {
            self.put_chunk(&piece);
        }
    }

    /// Makes what is in `tail` a piece. The very first one stays writable.
    fn close_tail(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        self.closed_bytes += self.tail.len();
        let piece = self.tail.split();
        if self.first.is_none() && self.pieces.is_empty() {
            self.first = Some(piece);
        } else {
            self.pieces.push(piece.freeze());
        }
    }
}
