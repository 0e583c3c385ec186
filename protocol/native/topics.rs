//! Topics: what there is, and changing it.

use super::body;
use super::refusal::Refusal;
use uuid::Uuid;

body! {
    /// Asks for topics.
    pub struct ListTopics {
        /// Their names; none for all that there are.
        pub names: Option<Vec<String>>,
        /// Whether one that is not there is created, where the broker allows it.
        pub create: bool,
    }

    /// The topics, in the order in which they were asked for.
    pub struct TopicsListed {
        /// What there is, or why not.
        pub topics: Vec<ListedTopic>,
    }

    /// A topic that was asked for.
    pub struct ListedTopic {
        /// Its name.
        pub name: String,
        /// What it is, or why it is not.
        pub outcome: Result<Topic, Refusal>,
    }

    /// A topic.
    pub struct Topic {
        /// Its id; one that is deleted and created again has another.
        pub id: Uuid,
        /// Its partitions, numbered from 0.
        pub partitions: u32,
    }

    /// Creates topics, each whole or not at all.
    pub struct CreateTopics {
        /// The topics.
        pub topics: Vec<NewTopic>,
        /// Whether to say only what would come of it.
        pub validate_only: bool,
    }

    /// A topic to create.
    pub struct NewTopic {
        /// Its name.
        pub name: String,
        /// Its partitions; none for the broker's default.
        pub partitions: Option<i32>,
        /// Replicas of each partition; none for the broker's default.
        pub replication_factor: Option<i16>,
        /// Its settings where they differ from the broker's.
        pub configs: Vec<(String, String)>,
    }

    /// Deletes topics.
    pub struct DeleteTopics {
        /// Their names.
        pub names: Vec<String>,
    }

    /// An outcome for each name, in their order.
    pub struct Outcomes {
        /// The outcomes.
        pub outcomes: Vec<Result<(), Refusal>>,
    }

    /// Lets topics have more partitions.
    pub struct CreatePartitions {
        /// The topics, each once, and how many partitions each is to have.
        pub topics: Vec<(String, i32)>,
        /// Whether to say only what would come of it.
        pub validate_only: bool,
    }
}
