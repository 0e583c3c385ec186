//! Creating topics on a broker that runs in a folder of its own.

use super::*;
use crate::broker::{BrokerHandle, start};
use crate::config::Settings;
use crate::mail::ask;
use crate::placement::Placement;
use futures_util::future::join;
use tempfile::TempDir;

/// A broker with one worker, and its folder.
pub(in crate::broker) struct Trial {
    pub(in crate::broker) broker: BrokerHandle,
    folder: TempDir,
}

impl Trial {
    pub(in crate::broker) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings)
    }

    fn start_in(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let place = [("data.dir", folder.path().to_str().unwrap())];
        let settings = Settings::from_pairs(settings.iter().copied().chain(place)).unwrap();
        let broker = start::start(Arc::new(settings), Placement::start(1)).unwrap();
        Self { broker, folder }
    }

    pub(in crate::broker) async fn restart(self) -> Self {
        self.broker.shutdown().await;
        Self::start_in(self.folder, &[])
    }

    pub(in crate::broker) async fn create(&self, topics: Vec<NewTopic>, mode: Mode) -> Vec<Outcome> {
        ask(self.broker.broker(), |reply| CreateTopics { topics, mode, reply }).await.unwrap()
    }

    /// Creates one topic.
    pub(in crate::broker) async fn create_one(&self, name: &str, partitions: i32) -> Outcome {
        self.create(vec![topic(name, partitions)], Mode::Apply).await.pop().unwrap()
    }

    pub(in crate::broker) fn names(&self) -> Vec<String> {
        self.broker.topics().iter().map(|topic| topic.name.to_string()).collect()
    }
}

pub(in crate::broker) fn topic(name: &str, partitions: i32) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions: Some(partitions), ..NewTopic::default() }
}

/// The numbers of a topic's partitions.
pub(in crate::broker) fn numbers(topic: &TopicView) -> Vec<u32> {
    topic.partitions.iter().map(|slot| slot.id.0).collect()
}

fn refusals(outcomes: Vec<Outcome>) -> Vec<CreateTopicError> {
    outcomes.into_iter().map(|outcome| outcome.unwrap_err()).collect()
}

#[actix::test]
async fn a_topic_is_there_when_it_is_answered_and_after_a_restart() {
    let trial = Trial::start(&[("num.partitions", "3")]);
    let by_default = NewTopic { name: "audit".to_owned(), ..NewTopic::default() };
    let created = trial.create(vec![topic("orders", 2), by_default], Mode::Apply).await;
    let orders = created[0].as_ref().unwrap();
    assert_eq!(numbers(orders), [0, 1]);
    assert_eq!(numbers(created[1].as_ref().unwrap()), [2, 3, 4]);
    assert_eq!(trial.names(), ["audit", "orders"]);
    let trial = trial.restart().await;
    assert_eq!(trial.names(), ["audit", "orders"]);
    assert_eq!(numbers(trial.broker.topics().get_by_id(orders.id).unwrap()), [0, 1]);
}

#[actix::test]
async fn a_name_is_taken_by_what_exists_is_being_created_or_stands_in_the_same_request() {
    let trial = Trial::start(&[]);
    let collides = |name: &str, existing: &str| CreateTopicError::Collides {
        name: name.to_owned(),
        existing: existing.to_owned(),
    };
    let (first, second) = join(trial.create_one("a.b", 1), trial.create_one("a_b", 1)).await;
    assert_eq!(first.unwrap().name.to_string(), "a.b");
    assert_eq!(second.unwrap_err(), collides("a_b", "a.b"));
    assert_eq!(trial.create_one("a.b", 1).await.unwrap_err(), CreateTopicError::Exists("a.b".to_owned()));
    let mut both = trial.create(vec![topic("c.d", 1), topic("c_d", 1)], Mode::Apply).await;
    assert_eq!(both.pop().unwrap().unwrap_err(), collides("c_d", "c.d"));
    assert_eq!(trial.names(), ["a.b", "c.d"]);
}

#[actix::test]
async fn a_request_for_too_many_partitions_creates_nothing() {
    let trial = Trial::start(&[]);
    let most = PARTITIONS_PER_REQUEST_MAX;
    let topics = vec![topic("a", 1), topic("b", most as i32), topic("c d", 0)];
    let too_many = CreateTopicError::TooManyPerRequest(most + 1);
    assert_eq!(refusals(trial.create(topics, Mode::Apply).await), vec![too_many; 3]);
    assert!(trial.names().is_empty());
    let created = trial.create(vec![topic("b", most as i32)], Mode::ValidateOnly).await;
    assert_eq!(created[0].as_ref().unwrap().partitions.len(), most);
}

#[actix::test]
async fn a_full_broker_creates_what_fits() {
    let trial = Trial::start(&[("max.partitions", "5")]);
    let created = trial.create(vec![topic("a", 4), topic("b", 2), topic("c", 1)], Mode::Apply).await;
    assert_eq!(created[1].as_ref().unwrap_err(), &CreateTopicError::TooManyPartitions { wanted: 2, left: 1 });
    assert_eq!(trial.names(), ["a", "c"]);
    let full = CreateTopicError::TooManyPartitions { wanted: 1, left: 0 };
    assert_eq!(trial.create_one("d", 1).await.unwrap_err(), full);
}

#[actix::test]
async fn a_check_creates_nothing_and_uses_no_numbers() {
    let trial = Trial::start(&[]);
    let checked = trial.create(vec![topic("a", 7)], Mode::ValidateOnly).await;
    assert_eq!(checked[0].as_ref().unwrap().partitions.len(), 7);
    assert!(trial.names().is_empty());
    assert_eq!(numbers(&trial.create_one("a", 2).await.unwrap()), [0, 1]);
}

#[actix::test]
async fn the_name_is_checked_before_the_configs_and_these_before_the_numbers() {
    let trial = Trial::start(&[]);
    let config = vec![("no.such".to_owned(), Some("1".to_owned()))];
    let nothing_right = |name: &str| NewTopic { configs: config.clone(), ..topic(name, 0) };
    let numbers = |partitions, replication_factor| NewTopic {
        replication_factor: Some(replication_factor),
        ..topic("t", partitions)
    };
    let assigned = |partitions, assignments| NewTopic {
        name: "t".to_owned(),
        partitions,
        assignments,
        ..NewTopic::default()
    };
    let topics = vec![
        nothing_right("a b"),
        nothing_right("__transaction_state"),
        nothing_right("t"),
        numbers(0, 0),
        numbers(0, 2),
        numbers(1, 2),
        assigned(Some(1), vec![(0, vec![9])]),
        assigned(None, vec![(0, vec![9])]),
    ];
    let expected = vec![
        TopicNameError::Characters("a b".to_owned()).into(),
        CreateTopicError::Internal("__transaction_state".to_owned()),
        ConfigError::UnknownTopicConfig { name: "no.such".to_owned() }.into(),
        CreateTopicError::ReplicationFactor,
        CreateTopicError::Partitions,
        CreateTopicError::TooFewBrokers(2),
        CreateTopicError::AssignmentAndNumber("numPartitions"),
        AssignmentError::UnknownBroker(9).into(),
    ];
    assert_eq!(refusals(trial.create(topics, Mode::Apply).await), expected);
}
