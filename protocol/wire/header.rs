//! What stands before every request and every response: which operation it is, and to which request an answer belongs.

use super::{DecodeError, EncodeError, Reader, Str, Writer};

/// The API key of `ApiVersions`, whose answers keep the oldest header in every version:
/// the client does not know yet what the broker understands.
const API_VERSIONS: i16 = 18;

/// The first eight bytes of a request, the same in all versions of all operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestPrefix {
    /// The operation.
    pub api_key: i16,
    /// The version of the message.
    pub api_version: i16,
    /// Chosen by the client; the answer carries it back.
    pub correlation_id: i32,
}

impl RequestPrefix {
    /// Reads them from the start of a request, leaving the reader behind them.
    ///
    /// # Errors
    /// The frame has fewer than eight bytes.
    pub fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self { api_key: reader.i16()?, api_version: reader.i16()?, correlation_id: reader.i32()? })
    }

    /// The same, from a frame that is still to be read.
    ///
    /// # Errors
    /// The frame has fewer than eight bytes.
    pub fn peek(reader: &Reader) -> Result<Self, DecodeError> {
        Self::decode(&mut reader.clone())
    }
}

/// The header of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestHeader {
    /// The operation.
    pub api_key: i16,
    /// The version of the message.
    pub api_version: i16,
    /// Chosen by the client; the answer carries it back.
    pub correlation_id: i32,
    /// The name that the user gave the client.
    pub client_id: Option<Str>,
}

impl RequestHeader {
    /// Reads a header; `flexible` says whether the message that follows is (header version 2, else 1).
    ///
    /// # Errors
    /// The frame ends in it.
    pub fn decode(reader: &mut Reader, flexible: bool) -> Result<Self, DecodeError> {
        let RequestPrefix { api_key, api_version, correlation_id } = RequestPrefix::decode(reader)?;
        // The older form in all versions, so that a broker can read the name before it knows the version.
        let client_id = reader.string(false).map_err(|error| error.in_field("RequestHeader.client_id"))?;
        if flexible {
            reader.skip_tagged_fields()?;
        }
        Ok(Self { api_key, api_version, correlation_id, client_id })
    }

    /// Appends the header; `flexible` as for [`RequestHeader::decode`].
    ///
    /// # Errors
    /// The client's name has more than 32,767 bytes.
    pub fn encode(&self, writer: &mut Writer, flexible: bool) -> Result<(), EncodeError> {
        writer.put_i16(self.api_key);
        writer.put_i16(self.api_version);
        writer.put_i32(self.correlation_id);
        writer.put_string(self.client_id.as_deref(), false)?;
        if flexible {
            writer.put_no_tagged_fields();
        }
        Ok(())
    }
}

/// The header of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResponseHeader {
    /// That of the request.
    pub correlation_id: i32,
}

impl ResponseHeader {
    /// Whether tagged fields end the header (version 1, else 0), given whether the message is flexible.
    pub fn is_flexible(api_key: i16, message_flexible: bool) -> bool {
        message_flexible && api_key != API_VERSIONS
    }

    /// Reads a header; `flexible` as [`ResponseHeader::is_flexible`] says.
    ///
    /// # Errors
    /// The frame ends in it.
    pub fn decode(reader: &mut Reader, flexible: bool) -> Result<Self, DecodeError> {
        let correlation_id = reader.i32()?;
        if flexible {
            reader.skip_tagged_fields()?;
        }
        Ok(Self { correlation_id })
    }

    /// Appends the header; `flexible` as [`ResponseHeader::is_flexible`] says.
    pub fn encode(self, writer: &mut Writer, flexible: bool) {
        writer.put_i32(self.correlation_id);
        if flexible {
            writer.put_no_tagged_fields();
        }
    }
}
