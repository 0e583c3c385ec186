//! Reads the parts of a message from a frame, without trusting any length in it.

use bytes::{Buf, Bytes};
use uuid::Uuid;

use super::{DecodeError, DecodeErrorKind, Str};

/// Memory, in bytes, that the elements of all lists of one frame may take together.
///
/// An element can be a hundred bytes in memory and two on the wire, so the size of the frame
/// alone is no bound. This one has room for half a million topics or partitions.
pub const ARRAY_BYTES_MAX: usize = 64 << 20;

/// A place in a frame; strings, byte strings and records that are read from it share its memory.
#[derive(Debug, Clone)]
pub struct Reader {
    bytes: Bytes,
    /// The frame's offset of the end of `bytes`.
    end: usize,
    array_bytes_max: usize,
    array_bytes_left: usize,
    elements_max: usize,
}

impl Reader {
    /// Starts at the first byte of a frame.
    pub fn new(frame: Bytes) -> Self {
        Self {
            end: frame.len(),
            bytes: frame,
            array_bytes_max: ARRAY_BYTES_MAX,
            array_bytes_left: ARRAY_BYTES_MAX,
            elements_max: usize::MAX,
        }
    }

    /// The same place, with another bound than [`ARRAY_BYTES_MAX`] on the memory of lists.
    #[must_use]
    pub fn with_array_bytes_max(mut self, array_bytes_max: usize) -> Self {
        self.array_bytes_max = array_bytes_max;
        self.array_bytes_left = array_bytes_max;
        self
    }

    /// The same place, where a list has no more than `elements_max` elements: a longer one is refused before the
    /// first of them is read.
    #[must_use]
    pub fn with_elements_max(mut self, elements_max: usize) -> Self {
        self.elements_max = elements_max;
        self
    }

    /// Bytes that are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes before this place, from the start of the frame.
    pub fn offset(&self) -> usize {
        self.end - self.bytes.len()
    }

    /// An error at this place.
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { kind, offset: self.offset(), field: None }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Bytes are left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(self.error(DecodeErrorKind::TrailingBytes(left))),
        }
    }

    /// The next bytes, by reference.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn take_bytes(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.remaining() {
            return Err(self.truncated(length));
        }
        Ok(self.bytes.split_to(length))
    }

    /// The next byte as a number.
    ///
    /// # Errors
    /// No byte is left.
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.array().map(i8::from_be_bytes)
    }

    /// The next two bytes as a number, big endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.array().map(i16::from_be_bytes)
    }

    /// The next two bytes as an unsigned number, big endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes as a number, big endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_be_bytes)
    }

    /// The next four bytes as an unsigned number, big endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes as a number, big endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_be_bytes)
    }

    /// The next eight bytes as a floating-point number, big endian.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_be_bytes)
    }

    /// The next sixteen bytes as an identifier.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.array().map(Uuid::from_bytes)
    }

    /// An unsigned number of one to five bytes, seven bits in each, the low ones first.
    ///
    /// # Errors
    /// The frame ends in it, or it has more than 32 bits.
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let value = self.unsigned_varlong()?;
        u32::try_from(value).map_err(|_| self.error(DecodeErrorKind::Varint))
    }

    /// An unsigned number of one to ten bytes, seven bits in each, the low ones first.
    ///
    /// # Errors
    /// The frame ends in it, or it has more than 64 bits.
    pub fn unsigned_varlong(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            let placed = bits << shift;
            if placed >> shift != bits {
                break;
            }
            value |= placed;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.error(DecodeErrorKind::Varint))
    }

    /// A signed number of one to five bytes, zigzag encoded.
    ///
    /// # Errors
    /// The frame ends in it, or it has more than 32 bits.
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        self.unsigned_varint().map(|value| (value >> 1) as i32 ^ -((value & 1) as i32))
    }

    /// A signed number of one to ten bytes, zigzag encoded.
    ///
    /// # Errors
    /// The frame ends in it, or it has more than 64 bits.
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        self.unsigned_varlong().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A string in compact or in the older form, or null; see [`Str::from_utf8_lossy`].
    ///
    /// # Errors
    /// It is longer than the frame, or than 32,767 bytes.
    pub fn string(&mut self, flexible: bool) -> Result<Option<Str>, DecodeError> {
        let length = if flexible { self.compact_length()? } else { i64::from(self.i16()?) };
        if length > i64::from(i16::MAX) {
            let left = self.remaining();
            return Err(self.error(DecodeErrorKind::Length { length, left }));
        }
        let text = self.sized(length)?.map(Str::from_utf8_lossy);
        // What is not UTF-8 becomes longer, and could not be said in an answer.
        let length = text.as_deref().map_or(0, str::len);
        if length > i16::MAX as usize {
            let left = self.remaining();
            return Err(self.error(DecodeErrorKind::Length { length: length as i64, left }));
        }
        Ok(text)
    }

    /// A byte string in compact or in the older form, by reference, or null.
    ///
    /// # Errors
    /// It is longer than the frame.
    pub fn byte_string(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        let length = self.length(flexible)?;
        self.sized(length)
    }

    /// The number of elements of the list that follows, or null.
    ///
    /// `element_bytes` is what one of them takes in memory. A number that comes back is not larger
    /// than the number of bytes left, and its memory has been charged against this frame's bound.
    ///
    /// # Errors
    /// The list is longer than the frame, or one of the bounds is passed.
    pub fn count(&mut self, flexible: bool, element_bytes: usize) -> Result<Option<usize>, DecodeError> {
        let count = self.length(flexible)?;
        let left = self.remaining();
        if count == -1 {
            return Ok(None);
        }
        let elements = usize::try_from(count)
            .ok()
            .filter(|elements| *elements <= left)
            .ok_or_else(|| self.error(DecodeErrorKind::Count { count, left }))?;
        if elements > self.elements_max {
            return Err(self.error(DecodeErrorKind::Elements { count: elements, max: self.elements_max }));
        }
        self.array_bytes_left = elements
            .checked_mul(element_bytes)
            .and_then(|bytes| self.array_bytes_left.checked_sub(bytes))
            .ok_or_else(|| self.error(DecodeErrorKind::Memory { max: self.array_bytes_max }))?;
        Ok(Some(elements))
    }

    /// Passes the tagged fields at the end of a struct to `known`, which says whether it read them; skips the others.
    ///
    /// # Errors
    /// That of `known`, or a field is longer than the frame, or than what `known` read of it.
    pub fn tagged_fields(
        &mut self,
        mut known: impl FnMut(u32, &mut Self) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let length = self.unsigned_varint()? as usize;
            let bytes = self.take_bytes(length)?;
            let mut inner = Self { end: self.offset(), bytes, ..*self };
            if known(tag, &mut inner)? {
                inner.finish()?;
            }
            self.array_bytes_left = inner.array_bytes_left;
        }
        Ok(())
    }

    /// Skips the tagged fields at the end of a struct.
    ///
    /// # Errors
    /// A field is longer than the frame.
    pub fn skip_tagged_fields(&mut self) -> Result<(), DecodeError> {
        self.tagged_fields(|_, _| Ok(false))
    }

    /// A length in the form of lists and byte strings; -1 for null.
    fn length(&mut self, flexible: bool) -> Result<i64, DecodeError> {
        if flexible { self.compact_length() } else { self.i32().map(i64::from) }
    }

    /// Compact lengths are sent plus one, so that zero is free for null.
    fn compact_length(&mut self) -> Result<i64, DecodeError> {
        self.unsigned_varint().map(|length| i64::from(length) - 1)
    }

    fn sized(&mut self, length: i64) -> Result<Option<Bytes>, DecodeError> {
        if length == -1 {
            return Ok(None);
        }
        let left = self.remaining();
        match usize::try_from(length) {
            Ok(length) if length <= left => self.take_bytes(length).map(Some),
            _ => Err(self.error(DecodeErrorKind::Length { length, left })),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some(array) = self.bytes.first_chunk::<N>().copied() else {
            return Err(self.truncated(N));
        };
        self.bytes.advance(N);
        Ok(array)
    }

    fn truncated(&self, needed: usize) -> DecodeError {
        self.error(DecodeErrorKind::Truncated { needed, left: self.remaining() })
    }
}
