//! The one table of operations: their numbers, requests and answers.

use super::frame::FrameError;
use super::refusal::Refusal;
use super::{admin, groups, hello, produce, read, topics};

/// The version of all operations' bodies.
pub const BODY_VERSION: u8 = 1;

/// The bytes of a request or an answer without its batches.
pub type Body = rkyv::util::AlignedVec;

/// A request of an operation, which knows its answer.
pub trait Operation {
    /// Its answer.
    type Answer;

    /// The operation's number.
    const NUMBER: u16;

    /// As one of all requests.
    fn into_request(self) -> Request;

    /// The answer, where it is that of this operation.
    fn answer(response: Response) -> Option<Self::Answer>;
}

/// A body that is not rkyv's. Nothing that is ours fails to be written.
fn malformed(_: rkyv::rancor::Error) -> FrameError {
    FrameError::Malformed
}

macro_rules! decode {
    ($type:ty, $body:expr) => {{
        // What came from the network is not aligned.
        let mut aligned = rkyv::util::AlignedVec::<16>::with_capacity($body.len());
        aligned.extend_from_slice($body);
        rkyv::from_bytes::<$type, rkyv::rancor::Error>(&aligned).map_err(malformed)
    }};
}

/// Makes what a frame can hold in one direction: a body for each operation, and the bytes of each.
macro_rules! bodies {
    ($(#[$meta:meta])* $bodies:ident { $($(#[$doc:meta])* $name:ident = $number:literal: $body:ty;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $bodies { $($(#[$doc])* $name($body),)* }

        impl $bodies {
            /// The number of its operation.
            pub fn operation(&self) -> u16 {
                match self { $(Self::$name(_) => $number,)* }
            }

            /// Its body.
            ///
            /// # Errors
            /// When it is larger than rkyv can write: no lists of ours are.
            pub fn encode(&self) -> Result<Body, FrameError> {
                match self {
                    $(Self::$name(body) => rkyv::to_bytes::<rkyv::rancor::Error>(body).map_err(malformed),)*
                }
            }

            /// Reads a body.
            ///
            /// # Errors
            /// [`FrameError`] when there is no such operation, or the body is not its.
            pub fn decode(operation: u16, version: u8, body: &[u8]) -> Result<Self, FrameError> {
                match operation {
                    $($number if version == BODY_VERSION => decode!($body, body).map(Self::$name),)*
                    $($number => Err(FrameError::Version(version)),)*
                    other => Err(FrameError::Operation(other)),
                }
            }
        }
    };
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $number:literal: $request:ty => $answer:ty;)*) => {
        bodies! {
            /// A request.
            Request { $($(#[$doc])* $name = $number: $request;)* }
        }

        bodies! {
            /// An answer.
            Response { $($(#[$doc])* $name = $number: $answer;)* }
        }

        /// The numbers of all operations, and their names.
        pub const OPERATIONS: &[(u16, &str)] = &[$(($number, stringify!($name)),)*];

        $(impl Operation for $request {
            type Answer = $answer;

            const NUMBER: u16 = $number;

            fn into_request(self) -> Request {
                Request::$name(self)
            }

            fn answer(response: Response) -> Option<$answer> {
                match response {
                    Response::$name(answer) => Some(answer),
                    _ => None,
                }
            }
        })*
    };
}

operations! {
    /// The greeting.
    Hello = 1: hello::Hello => hello::Welcome;
    /// The cluster.
    DescribeCluster = 2: admin::DescribeCluster => admin::ClusterDescribed;
    /// The topics.
    ListTopics = 10: topics::ListTopics => topics::TopicsListed;
    /// New topics.
    CreateTopics = 11: topics::CreateTopics => topics::TopicsListed;
    /// Topics go.
    DeleteTopics = 12: topics::DeleteTopics => topics::Outcomes;
    /// Topics grow.
    CreatePartitions = 13: topics::CreatePartitions => topics::Outcomes;
    /// A new producer.
    NewProducer = 20: produce::NewProducer => produce::ProducerGiven;
    /// Batches to partitions.
    Produce = 21: produce::Produce => produce::Produced;
    /// Batches of partitions, once.
    Fetch = 30: read::Fetch => read::Fetched;
    /// Batches of partitions, pushed. Its answer has nothing in it; what is pushed does.
    OpenReading = 31: read::OpenReading => read::Fetched;
    /// More may be pushed.
    Credit = 32: read::Credit => read::Done;
    /// Nothing more is to be pushed.
    CloseReading = 33: read::CloseReading => read::Done;
    /// Ends of logs, and records by their time.
    ListOffsets = 34: read::ListOffsets => read::OffsetsListed;
    /// A member lives.
    Beat = 40: groups::Beat => groups::Beaten;
    /// A member goes.
    Leave = 41: groups::Leave => read::Done;
    /// How far a group has read.
    CommitOffsets = 42: groups::CommitOffsets => groups::OffsetsCommitted;
    /// Asking for it.
    FetchOffsets = 43: groups::FetchOffsets => groups::OffsetsFetched;
    /// Forgetting it.
    DeleteOffsets = 44: groups::DeleteOffsets => topics::Outcomes;
    /// All groups.
    ListGroups = 45: groups::ListGroups => groups::GroupsListed;
    /// A group.
    DescribeGroup = 46: groups::DescribeGroup => groups::GroupDescribed;
    /// Groups go.
    DeleteGroups = 47: groups::DeleteGroups => topics::Outcomes;
    /// Settings.
    DescribeConfigs = 50: admin::DescribeConfigs => admin::ConfigsDescribed;
    /// Settings change.
    AlterConfigs = 51: admin::AlterConfigs => topics::Outcomes;
}

impl Refusal {
    /// Its body.
    ///
    /// # Errors
    /// As [`Request::encode`].
    pub fn encode(&self) -> Result<Body, FrameError> {
        rkyv::to_bytes::<rkyv::rancor::Error>(self).map_err(malformed)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`FrameError::Malformed`].
    pub fn decode(body: &[u8]) -> Result<Self, FrameError> {
        decode!(Self, body)
    }
}
