//! Settings and the cluster.

use super::body;
use super::refusal::Refusal;

body! {
    /// Asks for settings.
    pub struct DescribeConfigs {
        /// Whose they are.
        pub resources: Vec<Resource>,
    }

    /// The settings of each resource, in their order.
    pub struct ConfigsDescribed {
        /// The settings, sorted by name.
        pub outcomes: Vec<Result<Vec<Config>, Refusal>>,
    }

    /// A setting.
    pub struct Config {
        /// Its name.
        pub name: String,
        /// Its value; none when it has none, or it is not shown.
        pub value: Option<String>,
        /// Where its value is from: `topic`, `group`, `node`, `cluster`, `broker` or `default`.
        pub origin: String,
        /// Whether it can only be set before the broker starts.
        pub is_read_only: bool,
    }

    /// Changes settings, of each resource all or none.
    pub struct AlterConfigs {
        /// The resources, each once, and what to change.
        pub resources: Vec<(Resource, Vec<ConfigEdit>)>,
        /// Whether to say only what would come of it.
        pub validate_only: bool,
    }

    /// A change of a setting.
    pub struct ConfigEdit {
        /// Its name.
        pub name: String,
        /// What becomes of it.
        pub edit: Edit,
    }

    /// Asks for the cluster.
    pub struct DescribeCluster {}

    /// The cluster.
    pub struct ClusterDescribed {
        /// Its id.
        pub cluster_id: String,
        /// The number of the controller.
        pub controller_id: i32,
        /// The brokers.
        pub brokers: Vec<BrokerDescribed>,
    }

    /// A broker.
    pub struct BrokerDescribed {
        /// Its number.
        pub node_id: i32,
        /// Where Kafka clients are sent; none when it listens to none.
        pub kafka: Option<String>,
        /// Where native clients are listened to; none when it listens to none.
        pub native: Option<String>,
        /// The place that it stands in.
        pub rack: Option<String>,
    }
}

/// Something that has settings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Resource {
    /// A topic, by its name.
    Topic(String),
    /// A group, whether it is there or not.
    Group(String),
    /// All brokers.
    Cluster,
    /// The broker that is asked.
    Broker,
}

/// What becomes of a setting.
#[derive(Debug, Clone, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Edit {
    /// It gets a value.
    Set(String),
    /// It gets its default back.
    Delete,
    /// An element is added to its list.
    Append(String),
    /// An element is taken off its list.
    Subtract(String),
}
