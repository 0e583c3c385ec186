//! rkyv: values that are read in the record's own memory.

use super::Codec;
use ::rkyv::api::high::{HighSerializer, HighValidator, access};
use ::rkyv::bytecheck::CheckBytes;
use ::rkyv::rancor::Error;
use ::rkyv::ser::allocator::ArenaHandle;
use ::rkyv::util::AlignedVec;
use ::rkyv::{Archive, Serialize};
use bytes::Bytes;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use yoke::Yoke;

/// Archives of a type that rkyv knows.
#[derive(Debug)]
pub struct Rkyv<T>(PhantomData<fn() -> T>);

impl<T> Clone for Rkyv<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rkyv<T> {}

impl<T> Default for Rkyv<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// A value that lies in a record's memory, and was checked once. It reads as what rkyv archives it to.
pub struct View<T: Archive>(Yoke<&'static T::Archived, Box<Place>>)
where
    T::Archived: 'static;

/// Where an archive lies.
enum Place {
    /// Where it was read: nothing is copied.
    Record(Bytes),
    /// Elsewhere, because it must be aligned and the record is not.
    Aligned(AlignedVec),
}

impl Place {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Record(bytes) => bytes,
            Self::Aligned(bytes) => bytes,
        }
    }
}

impl<T> Codec for Rkyv<T>
where
    T: Archive + 'static,
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>,
    T::Archived: for<'a> CheckBytes<HighValidator<'a, Error>> + 'static,
{
    type In = T;
    type Out = View<T>;
    type Error = Error;

    fn encode(&self, value: &T) -> Result<Bytes, Error> {
        ::rkyv::to_bytes::<Error>(value).map(Bytes::from_owner)
    }

    fn decode(&self, bytes: Bytes) -> Result<View<T>, Error> {
        let is_aligned = bytes.as_ptr().align_offset(align_of::<T::Archived>()) == 0;
        let bytes = if is_aligned {
            Place::Record(bytes)
        } else {
            let mut aligned = AlignedVec::with_capacity(bytes.len());
            aligned.extend_from_slice(&bytes);
            Place::Aligned(aligned)
        };
        let checked = Yoke::try_attach_to_cart(Box::new(bytes), |place| access(place.bytes()));
        checked.map(View)
    }
}

impl<T: Archive> Deref for View<T>
where
    T::Archived: 'static,
{
    type Target = T::Archived;

    fn deref(&self) -> &T::Archived {
        self.0.get()
    }
}

impl<T: Archive> fmt::Debug for View<T>
where
    T::Archived: fmt::Debug + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
