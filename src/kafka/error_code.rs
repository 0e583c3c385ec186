//! Which error code a client gets for which rejection: Kafka's, as the real one was seen to answer.

use callboard_actors::Unavailable;
use callboard_actors::broker::alter_configs::AlterConfigsError;
use callboard_actors::broker::assignment::AssignmentError;
use callboard_actors::broker::create_partitions::CreatePartitionsError;
use callboard_actors::broker::create_topics::CreateTopicError;
use callboard_actors::broker::delete_topics::DeleteTopicError;
use callboard_actors::broker::leader_epochs::LeaderEpochError;
use callboard_actors::broker::locate::LocateError;
use callboard_actors::broker::long_poll::FetchError;
use callboard_actors::consumer_group::heartbeat::BeatError;
use callboard_actors::coordinator::locate::LocateGroupError;
use callboard_actors::group::delete::DeleteGroupError;
use callboard_actors::group::describe::DescribeError;
use callboard_actors::group::heartbeat::HeartbeatError;
use callboard_actors::group::join::JoinError;
use callboard_actors::group::member_check::MemberError;
use callboard_actors::group::sync::SyncError;
use callboard_actors::offsets::commit::CommitOffsetsError;
use callboard_actors::offsets::delete::DeleteOffsetsError;
use callboard_actors::offsets::fetch::FetchOffsetsError;
use callboard_actors::partition::append::AppendError;
use callboard_actors::partition::producers::SequenceError;
use callboard_protocol::batch::BatchError;
use callboard_protocol::kafka::ErrorCode;

/// A rejection that a client is told of by a code.
pub(super) trait Code {
    /// The code.
    fn code(&self) -> ErrorCode;
}

impl Code for Unavailable {
    /// Clients try again after it.
    fn code(&self) -> ErrorCode {
        ErrorCode::KAFKA_STORAGE_ERROR
    }
}

impl Code for LocateError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Deleted => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Unavailable(unavailable) => unavailable.code(),
        }
    }
}

impl Code for BatchError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Magic(magic) if !(0..=1).contains(magic) => ErrorCode::CORRUPT_MESSAGE,
            Self::Empty
            | Self::Truncated(_)
            | Self::SecondBatch
            | Self::Magic(_)
            | Self::BaseOffset(_)
            | Self::Count { .. }
            | Self::Control
            | Self::Producer => ErrorCode::INVALID_RECORD,
            Self::Length(_) | Self::Checksum { .. } => ErrorCode::CORRUPT_MESSAGE,
            Self::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            Self::Codec(_) => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            Self::NegativeTimestamp(_) | Self::Timestamp(_) | Self::TimestampType => {
                ErrorCode::INVALID_TIMESTAMP
            }
        }
    }
}

impl Code for AppendError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Batch(error) => error.code(),
            Self::Transactional => ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            Self::Sequence(SequenceError::OutOfOrder { .. }) => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            Self::Sequence(SequenceError::OldEpoch { .. }) => ErrorCode::INVALID_PRODUCER_EPOCH,
            Self::Deleted => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Unavailable(unavailable) => unavailable.code(),
        }
    }
}

impl Code for FetchError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::OutOfRange(_) => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::Deleted => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Unavailable(unavailable) => unavailable.code(),
        }
    }
}

impl Code for LeaderEpochError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Old { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            Self::Unknown { .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
        }
    }
}

impl Code for AlterConfigsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopic(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::ReadOnly(_) => ErrorCode::INVALID_REQUEST,
            Self::TooManyGroups(_) => ErrorCode::POLICY_VIOLATION,
            Self::Config(_) => ErrorCode::INVALID_CONFIG,
            Self::Unavailable(unavailable) => unavailable.code(),
        }
    }
}

impl Code for AssignmentError {
    fn code(&self) -> ErrorCode {
        ErrorCode::INVALID_REPLICA_ASSIGNMENT
    }
}

impl Code for CreateTopicError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Name(_) | Self::Collides { .. } => ErrorCode::INVALID_TOPIC_EXCEPTION,
            Self::Internal(_) | Self::AssignmentAndNumber(_) => ErrorCode::INVALID_REQUEST,
            Self::Exists(_) => ErrorCode::TOPIC_ALREADY_EXISTS,
            Self::Partitions => ErrorCode::INVALID_PARTITIONS,
            Self::TooManyPerRequest(_) | Self::TooManyPartitions { .. } => ErrorCode::POLICY_VIOLATION,
            Self::ReplicationFactor | Self::TooFewBrokers(_) => ErrorCode::INVALID_REPLICATION_FACTOR,
            Self::Assignment(error) => error.code(),
            Self::Config(_) => ErrorCode::INVALID_CONFIG,
            Self::Unavailable(unavailable) => unavailable.code(),
        }
    }
}

impl Code for CreatePartitionsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopic => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Same(_) | Self::Fewer { .. } => ErrorCode::INVALID_PARTITIONS,
            Self::TooManyPartitions { .. } => ErrorCode::POLICY_VIOLATION,
            Self::Assignment(error) => error.code(),
            Self::Unavailable(unavailable) => unavailable.code(),
        }
    }
}

impl Code for DeleteTopicError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopic => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Unavailable(unavailable) => unavailable.code(),
        }
    }
}

/// What a client is told when a group cannot be had; it looks for the coordinator and tries again.
const NO_COORDINATOR: ErrorCode = ErrorCode::COORDINATOR_NOT_AVAILABLE;

impl Code for LocateGroupError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown => ErrorCode::GROUP_ID_NOT_FOUND,
            Self::TooMany => ErrorCode::POLICY_VIOLATION,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for BeatError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::OtherKind(_) | Self::NotUpgraded(..) => ErrorCode::GROUP_ID_NOT_FOUND,
            Self::Full(_) => ErrorCode::GROUP_MAX_SIZE_REACHED,
            Self::UnknownMember(_) => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::FencedInstance(..) => ErrorCode::FENCED_INSTANCE_ID,
            Self::UnreleasedInstance(..) => ErrorCode::UNRELEASED_INSTANCE_ID,
            Self::FencedEpoch { .. } => ErrorCode::FENCED_MEMBER_EPOCH,
            Self::UnsupportedAssignor(_) => ErrorCode::UNSUPPORTED_ASSIGNOR,
            Self::Pattern(_) => ErrorCode::INVALID_REGULAR_EXPRESSION,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for DescribeError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::OtherKind => ErrorCode::GROUP_ID_NOT_FOUND,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for MemberError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::Fenced => ErrorCode::FENCED_INSTANCE_ID,
        }
    }
}

impl Code for JoinError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::MemberIdRequired => ErrorCode::MEMBER_ID_REQUIRED,
            Self::UnknownMember => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::FencedInstance => ErrorCode::FENCED_INSTANCE_ID,
            Self::InconsistentProtocol => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
            Self::Rebalancing => ErrorCode::REBALANCE_IN_PROGRESS,
            Self::Full => ErrorCode::GROUP_MAX_SIZE_REACHED,
            Self::TooLong => ErrorCode::INVALID_REQUEST,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for SyncError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownMember => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::FencedInstance => ErrorCode::FENCED_INSTANCE_ID,
            Self::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
            Self::InconsistentProtocol => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
            Self::Rebalancing => ErrorCode::REBALANCE_IN_PROGRESS,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for HeartbeatError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownMember => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::FencedInstance => ErrorCode::FENCED_INSTANCE_ID,
            Self::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
            Self::Rebalancing => ErrorCode::REBALANCE_IN_PROGRESS,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for CommitOffsetsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownMember => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::FencedInstance => ErrorCode::FENCED_INSTANCE_ID,
            Self::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
            Self::StaleEpoch => ErrorCode::STALE_MEMBER_EPOCH,
            Self::NeedsEpochs => ErrorCode::UNSUPPORTED_VERSION,
            Self::Rebalancing => ErrorCode::REBALANCE_IN_PROGRESS,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for FetchOffsetsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownMember => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
            Self::StaleEpoch => ErrorCode::STALE_MEMBER_EPOCH,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for DeleteOffsetsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotEmpty => ErrorCode::NON_EMPTY_GROUP,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}

impl Code for DeleteGroupError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotEmpty => ErrorCode::NON_EMPTY_GROUP,
            Self::Unavailable(_) => NO_COORDINATOR,
        }
    }
}
