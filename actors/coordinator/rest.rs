//! Rest: a group that nobody uses is put away; it is found again in storage.

use actix::Message;

/// A while has passed. What comes into the mailbox of a group that ends is sent again by its sender,
/// to the actor that follows.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Rest;
