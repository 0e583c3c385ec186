//! Why bytes could not be read as a message, or a message could not be written as bytes.

use thiserror::Error;

use super::Version;

/// A frame that does not hold what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}{}{}", if field.is_some() { " in " } else { "" }, field.unwrap_or(""))]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Where, in bytes from the start of the frame.
    pub offset: usize,
    /// The innermost field that was being read, as `Struct.field`.
    pub field: Option<&'static str>,
}

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeErrorKind {
    /// The frame ends inside of a value.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the value takes.
        needed: usize,
        /// Bytes that the frame still has.
        left: usize,
    },
    /// A string, byte string or record set is said to be longer than the rest of the frame or
    /// than it may be, or of negative length.
    #[error("a length of {length} with {left} bytes left")]
    Length {
        /// The length as it was sent.
        length: i64,
        /// Bytes that the frame still has.
        left: usize,
    },
    /// A list is said to have more elements than the rest of the frame has bytes, or a negative number.
    #[error("a list of {count} elements with {left} bytes left")]
    Count {
        /// The number of elements as it was sent.
        count: i64,
        /// Bytes that the frame still has.
        left: usize,
    },
    /// A list has more elements than its reader takes.
    #[error("a list of {count} elements, {max} are allowed")]
    Elements {
        /// The number of elements.
        count: usize,
        /// The bound of this reader.
        max: usize,
    },
    /// The lists of this frame would take more memory than a frame may.
    #[error("lists of more than {max} bytes of memory")]
    Memory {
        /// The bound of this reader, in bytes.
        max: usize,
    },
    /// A variable-length number has more bits than its type.
    #[error("a variable-length number that is too long")]
    Varint,
    /// A value is null that may not be.
    #[error("a null value")]
    Null,
    /// A message ends before its frame does.
    #[error("{0} bytes left over")]
    TrailingBytes(usize),
    /// The version of the message is not known.
    #[error("unknown version {0}")]
    Version(i16),
    /// No message has this key.
    #[error("unknown API key {0}")]
    ApiKey(i16),
}

impl DecodeError {
    /// The same error, said to be in this field unless a field inside of it was named already.
    #[must_use]
    pub fn in_field(mut self, field: &'static str) -> Self {
        self.field.get_or_insert(field);
        self
    }
}

/// A message that a version cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A field has a value, but does not exist in this version.
    #[error("{field} has a value, but no place in version {version}")]
    Absent {
        /// As `Struct.field`.
        field: &'static str,
        /// The version of the message.
        version: i16,
    },
    /// A field is null that may not be in this version.
    #[error("{field} may not be null in version {version}")]
    Null {
        /// As `Struct.field`.
        field: &'static str,
        /// The version of the message.
        version: i16,
    },
    /// A value has more bytes or elements than its length field can say.
    #[error("a length of {length}, at most {max} can be said")]
    TooLong {
        /// Bytes of the string or byte string, or elements of the list.
        length: usize,
        /// The largest length in this form.
        max: usize,
    },
    /// The version of the message is not known.
    #[error("unknown version {0}")]
    Version(i16),
}

impl EncodeError {
    /// A field with a value in a version that has no place for it; called by derived code.
    pub fn absent(field: &'static str, version: Version) -> Self {
        Self::Absent { field, version: version.number }
    }

    /// A null in a version that does not allow it.
    pub fn null(field: &'static str, version: Version) -> Self {
        Self::Null { field, version: version.number }
    }
}
