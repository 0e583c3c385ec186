//! What is said when something is not done.

use super::body;

body! {
    /// Why something was not done.
    pub struct Refusal {
        /// What a program goes by.
        pub code: Code,
        /// What people read.
        pub message: String,
    }
}

impl Refusal {
    /// A refusal with that code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// What a program goes by. A newer broker may say a number that has no name here.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Code(pub u16);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $retry:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// Whether the same request may succeed later, unchanged.
            pub fn is_retriable(self) -> bool {
                match self.0 { $($number => $retry,)* _ => false }
            }

            /// Its name in the specification; none for a number that has none.
            pub fn name(self) -> Option<&'static str> {
                match self.0 { $($number => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

codes! {
    /// Storage has failed, or a part of the broker is gone for a moment.
    UNAVAILABLE = 1, true;
    /// The broker stops.
    STOPPING = 2, true;
    /// The request contradicts itself or a rule; the message says which.
    INVALID_REQUEST = 3, false;
    /// The operation or its version is not known, or the two sides speak no common version.
    UNSUPPORTED = 4, false;
    /// Nothing is answered before the greeting.
    NOT_GREETED = 5, false;
    /// There is no such topic.
    UNKNOWN_TOPIC = 10, false;
    /// The topic has no such partition.
    UNKNOWN_PARTITION = 11, false;
    /// The topic is there already.
    TOPIC_EXISTS = 12, false;
    /// The name cannot be a topic's.
    INVALID_TOPIC_NAME = 13, false;
    /// That number of partitions cannot be.
    INVALID_PARTITIONS = 14, false;
    /// That number of replicas cannot be.
    INVALID_REPLICATION = 15, false;
    /// A setting is unknown or its value impossible.
    INVALID_CONFIG = 16, false;
    /// A bound of the broker is reached.
    LIMIT_REACHED = 17, false;
    /// Topics may not be deleted here.
    DELETION_DISABLED = 18, false;
    /// A batch does not have its checksum or its length.
    CORRUPT_BATCH = 20, true;
    /// A batch breaks a rule.
    INVALID_BATCH = 21, false;
    /// A batch is larger than the topic takes.
    BATCH_TOO_LARGE = 22, false;
    /// The timestamps are not allowed.
    INVALID_TIMESTAMP = 23, false;
    /// The codec is not known.
    UNSUPPORTED_COMPRESSION = 24, false;
    /// The sequence number is not the one after the last.
    OUT_OF_ORDER_SEQUENCE = 25, false;
    /// The producer's epoch is over.
    OLD_PRODUCER_EPOCH = 26, false;
    /// The batch belongs to a transaction that is not open.
    NO_TRANSACTION = 27, false;
    /// The offset is before the log's start or behind its end.
    OFFSET_OUT_OF_RANGE = 30, false;
    /// The connection has no reading of that number, or has one already.
    UNKNOWN_READING = 31, false;
    /// There is no such group.
    UNKNOWN_GROUP = 40, false;
    /// The group is of another kind.
    OTHER_KIND_OF_GROUP = 41, false;
    /// The group has no such member.
    UNKNOWN_MEMBER = 42, false;
    /// Another member took over the static member's name.
    FENCED_INSTANCE = 43, false;
    /// The member that has the static name has not left.
    UNRELEASED_INSTANCE = 44, true;
    /// The member speaks of another epoch and must enter anew.
    FENCED_EPOCH = 45, false;
    /// The member commits in an epoch that is not its own any more.
    STALE_EPOCH = 46, true;
    /// The group has as many members as it may.
    GROUP_FULL = 47, false;
    /// The group has members.
    GROUP_NOT_EMPTY = 48, false;
    /// The group is between two assignments.
    REBALANCING = 49, true;
    /// There is no such assignor.
    UNSUPPORTED_ASSIGNOR = 50, false;
    /// The pattern is none.
    INVALID_PATTERN = 51, false;
    /// What stands beside an offset is too long.
    METADATA_TOO_LARGE = 52, false;
    /// The group subscribes to the topic.
    SUBSCRIBED = 53, false;
}
