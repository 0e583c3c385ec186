//! The native protocol: frames, and what is said in them.
//!
//! A frame is a header of fixed layout ([`frame`]), a body in rkyv's format, and record batches as
//! raw bytes behind it. Every operation has a request and an answer ([`operations`]); what was
//! refused is a [`Refusal`]. `docs/NATIVE.md` describes all of it for clients in other languages.
//!
//! Bodies from outside are checked before anything of them is read.

pub mod admin;
pub mod frame;
pub mod groups;
pub mod hello;
pub mod operations;
pub mod produce;
pub mod read;
pub mod refusal;
pub mod topics;

pub use frame::{Flags, FrameError, FrameHeader};
pub use operations::{Body, Operation, Request, Response};
pub use refusal::{Code, Refusal};

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;

/// A partition as the protocol names it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct TopicPartition {
    /// The topic's id.
    pub topic: uuid::Uuid,
    /// The partition's number within the topic, from 0.
    pub partition: u32,
}

/// Makes a struct of the protocol: plain data that rkyv reads and writes.
macro_rules! body {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
            pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
        )*
    };
}
pub(crate) use body;

#[cfg(test)]
mod tests;
