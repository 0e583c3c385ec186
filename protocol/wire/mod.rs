//! The bytes of Kafka's messages: how numbers, strings, lists and tagged fields are read from a frame and written to one.
//!
//! A message is a plain struct under `#[derive(Wire)]`. Which of its fields exist, and whether
//! lengths are in the older fixed or the newer compact ("flexible") form, depends on the version
//! of the request; [`Version`] is passed down through all parts of a message.
//!
//! Nothing here trusts a length: it is compared with the bytes that are left before anything is
//! allocated, so a short frame costs little memory whatever it claims.

mod array;
mod error;
mod header;
mod primitives;
mod reader;
mod records;
#[cfg(test)]
pub mod sample;
mod str;
mod tagged;
#[cfg(test)]
mod tests;
mod writer;

use std::ops::RangeInclusive;

pub use callboard_protocol_derive::Wire;

pub use self::error::{DecodeError, DecodeErrorKind, EncodeError};
pub use self::header::{RequestHeader, RequestPrefix, ResponseHeader};
pub use self::reader::{ARRAY_BYTES_MAX, Reader};
pub use self::records::Records;
pub use self::str::Str;
pub use self::tagged::TaggedFields;
pub use self::writer::{SPLICE_BYTES_MIN, Writer};

/// The version of a message in which a value is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The version number of the message.
    pub number: i16,
    /// Whether lengths are compact and tagged fields follow each struct.
    pub flexible: bool,
}

/// A value with a form on the wire.
pub trait Wire: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// The bytes that are left do not start with such a value.
    fn read(reader: &mut Reader, version: Version) -> Result<Self, DecodeError>;

    /// Appends this value.
    ///
    /// # Errors
    /// The version cannot carry it.
    fn write(&self, writer: &mut Writer, version: Version) -> Result<(), EncodeError>;
}

/// A value that has a form for "null" too, so that `Option` of it can travel.
///
/// The provided form, a byte before the value, is that of structs.
pub trait Nullable: Wire {
    /// Reads a value or null.
    ///
    /// # Errors
    /// The bytes that are left start with neither.
    fn read_nullable(reader: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        if reader.i8()? < 0 {
            return Ok(None);
        }
        Self::read(reader, version).map(Some)
    }

    /// Appends a value or null.
    ///
    /// # Errors
    /// The version cannot carry it.
    fn write_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        version: Version,
    ) -> Result<(), EncodeError> {
        writer.put_i8(if value.is_some() { 1 } else { -1 });
        value.map_or(Ok(()), |value| value.write(writer, version))
    }
}

/// A whole request or response.
pub trait Message: Wire {
    /// Which operation it belongs to.
    const API_KEY: i16;
    /// The versions in which it can be read and written.
    const VERSIONS: RangeInclusive<i16>;
    /// The first version with compact lengths and tagged fields.
    const FLEXIBLE_SINCE: Option<i16>;

    /// Reads the message. Bytes may be left behind it; see [`Message::decode_whole`].
    ///
    /// # Errors
    /// The version is not one of ours, or the bytes are no such message.
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let form = form::<Self>(version).ok_or_else(|| reader.error(DecodeErrorKind::Version(version)))?;
        Self::read(reader, form)
    }

    /// Reads the message as the last thing in a frame.
    ///
    /// # Errors
    /// As [`Message::decode`], or bytes are left.
    fn decode_whole(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let message = Self::decode(reader, version)?;
        reader.finish()?;
        Ok(message)
    }

    /// Appends the message.
    ///
    /// # Errors
    /// The version is not one of ours, or has no place for a value that the message holds.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let form = form::<Self>(version).ok_or(EncodeError::Version(version))?;
        self.write(writer, form)
    }

    /// Whether this version has compact lengths and tagged fields (and so a header with tagged fields).
    fn is_flexible(version: i16) -> bool {
        Self::FLEXIBLE_SINCE.is_some_and(|since| version >= since)
    }
}

fn form<M: Message>(number: i16) -> Option<Version> {
    M::VERSIONS.contains(&number).then(|| Version { number, flexible: M::is_flexible(number) })
}

/// Reads a field and names it in the error; called by derived code.
///
/// # Errors
/// As [`Wire::read`].
pub fn read_field<T: Wire>(
    reader: &mut Reader,
    version: Version,
    field: &'static str,
) -> Result<T, DecodeError> {
    T::read(reader, version).map_err(|error| error.in_field(field))
}

/// Writes a field that may not be null in this version; called by derived code.
///
/// # Errors
/// It is null, or as [`Wire::write`].
pub fn write_not_null<T: Wire>(
    value: Option<&T>,
    writer: &mut Writer,
    version: Version,
    field: &'static str,
) -> Result<(), EncodeError> {
    value.ok_or_else(|| EncodeError::null(field, version))?.write(writer, version)
}
