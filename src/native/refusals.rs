//! What a client is told for which rejection.

use callboard_actors::Unavailable;
use callboard_actors::broker::alter_configs::AlterConfigsError;
use callboard_actors::broker::create_partitions::CreatePartitionsError;
use callboard_actors::broker::create_topics::CreateTopicError;
use callboard_actors::broker::delete_topics::DeleteTopicError;
use callboard_actors::broker::locate::LocateError;
use callboard_actors::broker::long_poll::FetchError;
use callboard_actors::consumer_group::heartbeat::BeatError;
use callboard_actors::coordinator::locate::LocateGroupError;
use callboard_actors::group::delete::DeleteGroupError;
use callboard_actors::group::describe::DescribeError;
use callboard_actors::offsets::commit::CommitOffsetsError;
use callboard_actors::offsets::delete::DeleteOffsetsError;
use callboard_actors::offsets::fetch::FetchOffsetsError;
use callboard_actors::partition::append::AppendError;
use callboard_actors::partition::producers::SequenceError;
use callboard_protocol::batch::BatchError;
use callboard_protocol::native::{Code, Refusal};

/// A rejection that a client is told of.
pub(super) trait Refused: std::fmt::Display {
    /// What a program goes by.
    fn code(&self) -> Code;

    /// What the client gets.
    fn refusal(&self) -> Refusal {
        Refusal::new(self.code(), self.to_string())
    }
}

macro_rules! refused {
    ($($error:ty { $($pattern:pat => $code:expr,)* })*) => {
        $(impl Refused for $error {
            fn code(&self) -> Code {
                match self { $($pattern => $code,)* }
            }
        })*
    };
}

refused! {
    Unavailable {
        Self => Code::UNAVAILABLE,
    }
    LocateError {
        Self::Deleted => Code::UNKNOWN_TOPIC,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    BatchError {
        Self::Length(_) | Self::Checksum { .. } | Self::Truncated(_) => Code::CORRUPT_BATCH,
        Self::Empty | Self::SecondBatch | Self::Magic(_) | Self::BaseOffset(_) | Self::Count { .. }
            | Self::Control | Self::Producer => Code::INVALID_BATCH,
        Self::TooLarge { .. } => Code::BATCH_TOO_LARGE,
        Self::Codec(_) => Code::UNSUPPORTED_COMPRESSION,
        Self::NegativeTimestamp(_) | Self::Timestamp(_) | Self::TimestampType => Code::INVALID_TIMESTAMP,
    }
    AppendError {
        Self::Batch(error) => error.code(),
        Self::Transactional => Code::NO_TRANSACTION,
        Self::Sequence(SequenceError::OutOfOrder { .. }) => Code::OUT_OF_ORDER_SEQUENCE,
        Self::Sequence(SequenceError::OldEpoch { .. }) => Code::OLD_PRODUCER_EPOCH,
        Self::Deleted => Code::UNKNOWN_TOPIC,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    FetchError {
        Self::OutOfRange(_) => Code::OFFSET_OUT_OF_RANGE,
        Self::Deleted => Code::UNKNOWN_TOPIC,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    CreateTopicError {
        Self::Name(_) | Self::Collides { .. } | Self::Internal(_) => Code::INVALID_TOPIC_NAME,
        Self::Exists(_) => Code::TOPIC_EXISTS,
        Self::Partitions => Code::INVALID_PARTITIONS,
        Self::TooManyPerRequest(_) | Self::TooManyPartitions { .. } => Code::LIMIT_REACHED,
        Self::ReplicationFactor | Self::TooFewBrokers(_) => Code::INVALID_REPLICATION,
        Self::AssignmentAndNumber(_) | Self::Assignment(_) => Code::INVALID_REQUEST,
        Self::Config(_) => Code::INVALID_CONFIG,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    CreatePartitionsError {
        Self::UnknownTopic => Code::UNKNOWN_TOPIC,
        Self::Same(_) | Self::Fewer { .. } => Code::INVALID_PARTITIONS,
        Self::TooManyPartitions { .. } => Code::LIMIT_REACHED,
        Self::Assignment(_) => Code::INVALID_REQUEST,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    DeleteTopicError {
        Self::UnknownTopic => Code::UNKNOWN_TOPIC,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    AlterConfigsError {
        Self::UnknownTopic(_) => Code::UNKNOWN_TOPIC,
        Self::ReadOnly(_) | Self::Config(_) => Code::INVALID_CONFIG,
        Self::TooManyGroups(_) => Code::LIMIT_REACHED,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    LocateGroupError {
        Self::Unknown => Code::UNKNOWN_GROUP,
        Self::TooMany => Code::LIMIT_REACHED,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    BeatError {
        Self::OtherKind(_) | Self::NotUpgraded(..) => Code::OTHER_KIND_OF_GROUP,
        Self::Full(_) => Code::GROUP_FULL,
        Self::UnknownMember(_) => Code::UNKNOWN_MEMBER,
        Self::FencedInstance(..) => Code::FENCED_INSTANCE,
        Self::UnreleasedInstance(..) => Code::UNRELEASED_INSTANCE,
        Self::FencedEpoch { .. } => Code::FENCED_EPOCH,
        Self::UnsupportedAssignor(_) => Code::UNSUPPORTED_ASSIGNOR,
        Self::Pattern(_) => Code::INVALID_PATTERN,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    DescribeError {
        Self::OtherKind => Code::OTHER_KIND_OF_GROUP,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    CommitOffsetsError {
        Self::UnknownMember => Code::UNKNOWN_MEMBER,
        Self::FencedInstance => Code::FENCED_INSTANCE,
        Self::IllegalGeneration => Code::FENCED_EPOCH,
        Self::StaleEpoch => Code::STALE_EPOCH,
        Self::NeedsEpochs => Code::OTHER_KIND_OF_GROUP,
        Self::Rebalancing => Code::REBALANCING,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    FetchOffsetsError {
        Self::UnknownMember => Code::UNKNOWN_MEMBER,
        Self::IllegalGeneration => Code::FENCED_EPOCH,
        Self::StaleEpoch => Code::STALE_EPOCH,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    DeleteOffsetsError {
        Self::NotEmpty => Code::GROUP_NOT_EMPTY,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
    DeleteGroupError {
        Self::NotEmpty => Code::GROUP_NOT_EMPTY,
        Self::Unavailable(_) => Code::UNAVAILABLE,
    }
}
