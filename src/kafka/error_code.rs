//! Which error code a client gets for which rejection: Kafka's, as the real one was seen to answer.

use callboard_actors::Unavailable;
use callboard_actors::broker::assignment::AssignmentError;
use callboard_actors::broker::create_partitions::CreatePartitionsError;
use callboard_actors::broker::create_topics::CreateTopicError;
use callboard_actors::broker::delete_topics::DeleteTopicError;
use callboard_actors::broker::leader_epochs::LeaderEpochError;
use callboard_actors::broker::locate::LocateError;
use callboard_actors::broker::long_poll::FetchError;
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
