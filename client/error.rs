//! What can go wrong between a client and its broker.

pub use callboard_protocol::native::{Code, Refusal};

/// Why a request was not done, or is not known to have been done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The broker has refused it.
    #[error("the broker refused: {0}")]
    Refused(Refusal),
    /// The topic of a partition that was read is not there any more. The consumer's other partitions are
    /// read on, and [`ConsumerBuilder::assign`](crate::consumer::ConsumerBuilder::assign) says what becomes
    /// of this one.
    #[error("topic {topic} was deleted, of which partition {partition} was read")]
    TopicDeleted {
        /// The topic.
        topic: String,
        /// The partition's number.
        partition: u32,
    },
    /// There is no connection, or it ended before the answer came: the request may have been done.
    #[error("the connection to the broker is gone: {0}")]
    Disconnected(String),
    /// The name of the broker's host does not resolve, which may be so for a while only.
    #[error("{0}")]
    Unresolved(String),
    /// The time for it is over: the request may have been done.
    #[error("there was no answer in time")]
    TimedOut,
    /// The broker said something that the protocol does not have.
    #[error("the broker's answer cannot be understood: {0}")]
    Protocol(String),
    /// The client, or the producer or consumer, was closed.
    #[error("it was closed")]
    Closed,
    /// The program asks for what cannot be.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// Whether the same may succeed later, unchanged. Something that may have been done already is
    /// done twice then, unless doing it twice is doing it once.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.code.is_retriable(),
            Self::Disconnected(_) | Self::Unresolved(_) | Self::TimedOut => true,
            Self::TopicDeleted { .. } | Self::Protocol(_) | Self::Closed | Self::Invalid(_) => false,
        }
    }

    /// The code that the broker refused with.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::TopicDeleted { .. } => Some(Code::UNKNOWN_TOPIC),
            _ => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
