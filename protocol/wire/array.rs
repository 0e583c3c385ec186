//! The wire form of lists: a number of elements, then the elements.

use super::{DecodeError, DecodeErrorKind, EncodeError, Nullable, Reader, Version, Wire, Writer};

/// Elements for which memory is set aside at once; more must have arrived to be given any.
const CAPACITY_MAX: usize = 1024;

impl<T: Wire> Wire for Vec<T> {
    fn read(reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
        Self::read_nullable(reader, version)?.ok_or_else(|| reader.error(DecodeErrorKind::Null))
    }

    fn write(&self, writer: &mut Writer, version: Version) -> Result<(), EncodeError> {
        Self::write_nullable(Some(self), writer, version)
    }
}

impl<T: Wire> Nullable for Vec<T> {
    fn read_nullable(reader: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        let Some(count) = reader.count(version.flexible, size_of::<T>())? else {
            return Ok(None);
        };
        let mut elements = Self::with_capacity(count.min(CAPACITY_MAX));
        for _ in 0..count {
            elements.push(T::read(reader, version)?);
        }
        Ok(Some(elements))
    }

    fn write_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        version: Version,
    ) -> Result<(), EncodeError> {
        writer.put_length(value.map(Self::len), version.flexible)?;
        value.into_iter().flatten().try_for_each(|element| element.write(writer, version))
    }
}
