//! Groups: members that share partitions (the same groups as those of KIP-848), and their offsets.

use super::refusal::Refusal;
use super::{TopicPartition, body};

body! {
    /// A member enters a group, lives in it, or says what it has. What is none is as before.
    pub struct Beat {
        /// The group.
        pub group: String,
        /// The member's id, which it chooses.
        pub member: String,
        /// Its epoch: 0 to enter, else what the last answer said.
        pub epoch: i32,
        /// The name of a static member.
        pub instance: Option<String>,
        /// The place that it stands in.
        pub rack: Option<String>,
        /// How long it may take to give partitions up, in milliseconds; needed to enter.
        pub rebalance_timeout_ms: Option<i32>,
        /// The topics that it subscribes to by name.
        pub topics: Option<Vec<String>>,
        /// The pattern of those that it subscribes to beside them; an empty one is none.
        pub pattern: Option<String>,
        /// The assignor that it wants: `uniform` or `range`.
        pub assignor: Option<String>,
        /// What it has; needed to enter, where it is empty, and to say that something was given up.
        pub owned: Option<Vec<TopicPartition>>,
    }

    /// What a member is told.
    pub struct Beaten {
        /// The epoch that it has come to.
        pub epoch: i32,
        /// When it is to speak again, in milliseconds.
        pub interval_ms: u32,
        /// What it is to have; none when that is as before.
        pub assignment: Option<Vec<TopicPartition>>,
    }

    /// A member goes.
    pub struct Leave {
        /// The group.
        pub group: String,
        /// The member's id.
        pub member: String,
        /// The name of a static member.
        pub instance: Option<String>,
        /// Whether a static member will be back: its partitions wait for it until its session is over.
        pub for_a_while: bool,
    }

    /// Commits offsets, durable when it is answered.
    pub struct CommitOffsets {
        /// The group.
        pub group: String,
        /// The member; none for somebody outside, who may commit while the group has no members.
        pub member: Option<String>,
        /// The name of a static member.
        pub instance: Option<String>,
        /// The member's epoch; -1 for somebody outside.
        pub epoch: i32,
        /// The offsets, of each partition once.
        pub offsets: Vec<NewOffset>,
    }

    /// An offset to commit.
    pub struct NewOffset {
        /// The partition.
        pub partition: TopicPartition,
        /// The offset of the next record to read.
        pub offset: i64,
        /// What the client wants to find beside it.
        pub metadata: String,
    }

    /// An outcome for each offset, in their order.
    pub struct OffsetsCommitted {
        /// The outcomes.
        pub outcomes: Vec<Result<(), Refusal>>,
    }

    /// Asks for committed offsets.
    pub struct FetchOffsets {
        /// The group.
        pub group: String,
        /// The member; none for somebody outside.
        pub member: Option<String>,
        /// The member's epoch; -1 for somebody outside.
        pub epoch: i32,
        /// The partitions; none for all that there are.
        pub partitions: Option<Vec<TopicPartition>>,
    }

    /// The committed offsets, those that were asked for in their order.
    pub struct OffsetsFetched {
        /// The offsets.
        pub offsets: Vec<CommittedOffset>,
    }

    /// A partition with what is committed for it.
    pub struct CommittedOffset {
        /// The partition.
        pub partition: TopicPartition,
        /// The offset of the next record to read; none when nothing was committed.
        pub offset: Option<i64>,
        /// What was committed beside it.
        pub metadata: String,
    }

    /// Lets a group forget offsets.
    pub struct DeleteOffsets {
        /// The group.
        pub group: String,
        /// The partitions.
        pub partitions: Vec<TopicPartition>,
    }

    /// Asks for all groups.
    pub struct ListGroups {}

    /// The groups.
    pub struct GroupsListed {
        /// In the order of their names.
        pub groups: Vec<ListedGroup>,
    }

    /// A group.
    pub struct ListedGroup {
        /// Its name.
        pub group: String,
        /// `classic` or `consumer`.
        pub protocol: String,
        /// Kafka's name of its state.
        pub state: String,
    }

    /// Asks for a group with its members.
    pub struct DescribeGroup {
        /// The group.
        pub group: String,
    }

    /// A group with its members.
    pub struct GroupDescribed {
        /// `classic` or `consumer`.
        pub protocol: String,
        /// Kafka's name of its state.
        pub state: String,
        /// Its epoch, or 0 for a classic group.
        pub epoch: i32,
        /// The assignor or assignment protocol; empty when there is none.
        pub assignor: String,
        /// The members.
        pub members: Vec<DescribedMember>,
    }

    /// A member.
    pub struct DescribedMember {
        /// Its id.
        pub member: String,
        /// The name of a static member.
        pub instance: Option<String>,
        /// What its client calls itself.
        pub client_id: String,
        /// Where it is.
        pub client_host: String,
        /// What it has, by the names of the topics.
        pub assigned: Vec<(String, Vec<i32>)>,
    }

    /// Forgets groups without members, with their offsets.
    pub struct DeleteGroups {
        /// The groups.
        pub groups: Vec<String>,
    }
}
