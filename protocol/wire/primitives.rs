//! The wire forms of single values: numbers, identifiers, strings, byte strings and records.

use bytes::Bytes;
use uuid::Uuid;

use super::{
    DecodeError, DecodeErrorKind, EncodeError, Nullable, Reader, Records, Str, Version, Wire, Writer,
};

macro_rules! fixed_size {
    ($($ty:ty: $read:ident, $put:ident;)*) => {$(
        impl Wire for $ty {
            fn read(reader: &mut Reader, _: Version) -> Result<Self, DecodeError> {
                reader.$read()
            }

            fn write(&self, writer: &mut Writer, _: Version) -> Result<(), EncodeError> {
                writer.$put(*self);
                Ok(())
            }
        }
    )*};
}

fixed_size! {
    i8: i8, put_i8;
    i16: i16, put_i16;
    u16: u16, put_u16;
    i32: i32, put_i32;
    u32: u32, put_u32;
    i64: i64, put_i64;
    f64: f64, put_f64;
    Uuid: uuid, put_uuid;
}

impl Wire for bool {
    fn read(reader: &mut Reader, _: Version) -> Result<Self, DecodeError> {
        reader.i8().map(|byte| byte != 0)
    }

    fn write(&self, writer: &mut Writer, _: Version) -> Result<(), EncodeError> {
        writer.put_i8(i8::from(*self));
        Ok(())
    }
}

/// Writes `Wire` for a type whose `Nullable` says how null looks.
macro_rules! by_nullable {
    ($($ty:ty),*) => {$(
        impl Wire for $ty {
            fn read(reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
                Self::read_nullable(reader, version)?.ok_or_else(|| reader.error(DecodeErrorKind::Null))
            }

            fn write(&self, writer: &mut Writer, version: Version) -> Result<(), EncodeError> {
                Self::write_nullable(Some(self), writer, version)
            }
        }
    )*};
}

by_nullable!(Str, Bytes, Records);

impl Nullable for Str {
    fn read_nullable(reader: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        reader.string(version.flexible)
    }

    fn write_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        version: Version,
    ) -> Result<(), EncodeError> {
        writer.put_string(value.map(Str::as_str), version.flexible)
    }
}

impl Nullable for Bytes {
    fn read_nullable(reader: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        reader.byte_string(version.flexible)
    }

    fn write_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        version: Version,
    ) -> Result<(), EncodeError> {
        writer.put_length(value.map(Bytes::len), version.flexible)?;
        writer.put_slice(value.map_or(&[], |bytes| bytes.as_ref()));
        Ok(())
    }
}

impl Nullable for Records {
    fn read_nullable(reader: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        Ok(reader.byte_string(version.flexible)?.map(Self::from))
    }

    fn write_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        version: Version,
    ) -> Result<(), EncodeError> {
        writer.put_length(value.map(Self::len), version.flexible)?;
        if let Some(records) = value {
            writer.put_records(records);
        }
        Ok(())
    }
}

impl<T: Nullable> Wire for Option<T> {
    fn read(reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
        T::read_nullable(reader, version)
    }

    fn write(&self, writer: &mut Writer, version: Version) -> Result<(), EncodeError> {
        T::write_nullable(self.as_ref(), writer, version)
    }
}
