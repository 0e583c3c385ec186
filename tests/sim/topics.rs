//! One client that creates, grows and deletes topics, and what must be there of them.
//!
//! One topic is there from the beginning and stays: groups and idempotent producers use it.

use crate::world::{Client, Over};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use callboard_protocol::kafka::create_topics::{CreatableTopic, CreateTopicsRequest, CreateTopicsResponse};
use callboard_protocol::kafka::delete_topics::{DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The topic that stays.
pub(crate) const KEPT: &str = "kept";
/// Its partitions.
pub(crate) const KEPT_PARTITIONS: i32 = 4;
/// Those that come and go.
const NAMES: [&str; 3] = ["tea", "oolong", "assam"];

#[derive(Debug, Default)]
pub(crate) struct Topics {
    there: BTreeMap<String, Topic>,
    gone: BTreeSet<Uuid>,
    /// What was asked for and is not answered.
    asked: Option<Asked>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Topic {
    id: Uuid,
    partitions: i32,
}

#[derive(Debug, Clone)]
enum Asked {
    Create(String, i32),
    Grow(String, i32),
    Delete(String),
}

impl Topics {
    /// The id of the topic that stays, once it is there.
    pub(crate) fn kept(&self) -> Option<Uuid> {
        self.there.get(KEPT).map(|topic| topic.id)
    }

    /// Topics with their partitions.
    pub(crate) fn all(&self) -> Vec<(String, Uuid, i32)> {
        self.there.iter().map(|(name, topic)| (name.clone(), topic.id, topic.partitions)).collect()
    }

    /// Whether a topic was there once and is not, or is about to go.
    pub(crate) fn may_be_gone(&self, id: Uuid) -> bool {
        let is_asked = |topic: &Topic| topic.id == id;
        let deleting = match &self.asked {
            Some(Asked::Delete(name)) => self.there.get(name).is_some_and(is_asked),
            Some(Asked::Create(..) | Asked::Grow(..)) | None => false,
        };
        deleting || self.gone.contains(&id)
    }

    /// One of those that are gone.
    pub(crate) fn gone(&self, number: usize) -> Option<Uuid> {
        self.gone.iter().nth(number % self.gone.len().max(1)).copied()
    }

    /// What a broker says that there is, nothing being changed. What was asked for is done or not.
    fn listed(&mut self, listed: BTreeMap<String, Topic>) {
        let asked = self.asked.take();
        for (name, topic) in &listed {
            assert!(!self.gone.contains(&topic.id), "{name} was deleted, and is there again");
        }
        let name = match &asked {
            None => return assert_eq!(self.there, listed),
            Some(Asked::Create(name, partitions)) => {
                let partitions_listed = listed.get(name).map(|topic| topic.partitions);
                assert!(
                    partitions_listed.is_none_or(|listed| listed == *partitions),
                    "{asked:?}: {listed:?}"
                );
                name
            }
            Some(Asked::Grow(name, partitions)) => {
                let (before, after) = (&self.there[name], &listed[name]);
                assert_eq!(before.id, after.id);
                assert!(
                    [before.partitions, *partitions].contains(&after.partitions),
                    "{asked:?}: {listed:?}"
                );
                name
            }
            Some(Asked::Delete(name)) => {
                match listed.get(name) {
                    Some(after) => assert_eq!(after, &self.there[name]),
                    None => drop(self.gone.insert(self.there[name].id)),
                }
                name
            }
        };
        self.there.remove(name);
        if let Some(topic) = listed.get(name) {
            self.there.insert(name.clone(), topic.clone());
        }
        assert_eq!(self.there, listed, "after {asked:?}");
    }
}

/// Compares what there is with what must be there.
pub(crate) async fn list(client: &Client) -> Result<(), Over> {
    let request = MetadataRequest { topics: None, ..Default::default() };
    let answer: MetadataResponse = client.ask(13, &request).await?;
    let topic = |topic: callboard_protocol::kafka::metadata::MetadataResponseTopic| {
        let partitions = topic.partitions.len() as i32;
        (String::from(topic.name.unwrap()), Topic { id: topic.topic_id, partitions })
    };
    client.world().topics.listed(answer.topics.into_iter().map(topic).collect());
    Ok(())
}

/// Changes topics until it is over.
pub(crate) async fn run(client: Client) -> Result<(), Over> {
    list(&client).await?;
    if client.world().topics.kept().is_none() {
        create(&client, KEPT, KEPT_PARTITIONS).await?;
    }
    loop {
        client.pause().await;
        let name = NAMES[client.below(NAMES.len())];
        match client.below(7) {
            0..3 => create(&client, name, 1 + client.below(3) as i32).await?,
            3 => grow(&client, name, 1 + client.below(6) as i32).await?,
            4 => delete(&client, name).await?,
            5 => missing(&client).await?,
            _ => list(&client).await?,
        }
    }
}

async fn create(client: &Client, name: &str, partitions: i32) -> Result<(), Over> {
    let was_there = client.world().topics.there.contains_key(name);
    if !was_there {
        client.world().topics.asked = Some(Asked::Create(name.to_owned(), partitions));
    }
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1000, ..Default::default() };
    let answer: CreateTopicsResponse = client.ask(7, &request).await?;
    let result = &answer.topics[0];
    if was_there {
        assert_eq!(result.error_code, ErrorCode::TOPIC_ALREADY_EXISTS, "{name}");
        return Ok(());
    }
    assert!(client.check(result.error_code)?, "{name}: {answer:?}");
    let topics = &mut client.world().topics;
    topics.asked = None;
    topics.there.insert(name.to_owned(), Topic { id: result.topic_id, partitions });
    Ok(())
}

async fn grow(client: &Client, name: &str, partitions: i32) -> Result<(), Over> {
    let before = client.world().topics.there.get(name).map(|topic| topic.partitions);
    let expected = match before {
        None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Some(before) if before >= partitions => ErrorCode::INVALID_PARTITIONS,
        Some(_) => ErrorCode::NONE,
    };
    if expected == ErrorCode::NONE {
        client.world().topics.asked = Some(Asked::Grow(name.to_owned(), partitions));
    }
    let topics = vec![CreatePartitionsTopic { name: name.into(), count: partitions, assignments: None }];
    let request = CreatePartitionsRequest { topics, timeout_ms: 1000, validate_only: false };
    let answer: CreatePartitionsResponse = client.ask(3, &request).await?;
    let code = answer.results[0].error_code;
    if expected == ErrorCode::NONE {
        client.check(code)?;
    }
    assert_eq!(code, expected, "{name} to {partitions}");
    let topics = &mut client.world().topics;
    topics.asked = None;
    if expected == ErrorCode::NONE {
        topics.there.get_mut(name).unwrap().partitions = partitions;
    }
    Ok(())
}

async fn delete(client: &Client, name: &str) -> Result<(), Over> {
    let was_there = client.world().topics.there.contains_key(name);
    if was_there {
        client.world().topics.asked = Some(Asked::Delete(name.to_owned()));
    }
    let topics = vec![DeleteTopicState { name: Some(name.into()), ..Default::default() }];
    let request = DeleteTopicsRequest { topics, timeout_ms: 1000, ..Default::default() };
    let answer: DeleteTopicsResponse = client.ask(6, &request).await?;
    let code = answer.responses[0].error_code;
    if !was_there {
        assert_eq!(code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "{name}");
        return Ok(());
    }
    assert!(client.check(code)?, "{name}: {answer:?}");
    let topics = &mut client.world().topics;
    topics.asked = None;
    let topic = topics.there.remove(name).unwrap();
    topics.gone.insert(topic.id);
    Ok(())
}

/// Asks for a topic that is gone.
async fn missing(client: &Client) -> Result<(), Over> {
    let number = client.below(8);
    let gone = client.world().topics.gone(number);
    let Some(topic_id) = gone else { return Ok(()) };
    let topics = Some(vec![MetadataRequestTopic { topic_id, name: None }]);
    let answer: MetadataResponse = client.ask(13, &MetadataRequest { topics, ..Default::default() }).await?;
    assert_eq!(answer.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    Ok(())
}
