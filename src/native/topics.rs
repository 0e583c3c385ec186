//! Topics: what there is, and changing it.

use super::refusals::Refused;
use super::{Native, Reply, answer, unknown_topic};
use callboard_actors::broker::create_partitions::Growth;
use callboard_actors::broker::create_topics::{self, CreateTopicError, Mode};
use callboard_actors::broker::topics::TopicView;
use callboard_protocol::native::topics::{
    CreatePartitions, CreateTopics, DeleteTopics, ListTopics, ListedTopic, NewTopic, Outcomes, Topic,
    TopicsListed,
};
use callboard_protocol::native::{Code, Refusal, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashSet;
use std::sync::Arc;

pub(super) fn list(native: Arc<Native>, list: ListTopics) -> BoxFuture<'static, BoxFuture<'static, Reply>> {
    let creator = Arc::clone(&native);
    let preparing = async move { create_missing(&creator, list).await };
    let making = |listing: Result<Listing, Refusal>| {
        answer(Response::ListTopics, async move { listing.map(|listing| listing.answer(&native)) })
    };
    preparing.map(making).boxed()
}

/// Topics to tell of.
struct Listing {
    /// Their names; none for all.
    names: Option<Vec<String>>,
    /// Those that could not be created on the way.
    refused: Vec<(String, CreateTopicError)>,
}

/// Creates those topics of a listing that are to be there and are not, which waits for the disk.
async fn create_missing(native: &Native, list: ListTopics) -> Result<Listing, Refusal> {
    let Some(names) = list.names else { return Ok(Listing { names: None, refused: Vec::new() }) };
    native.check_count(names.len())?;
    let topics = native.broker.topics();
    let missing: Vec<_> = names.iter().filter(|name| topics.get(name).is_none()).cloned().collect();
    drop(topics);
    let mut refused = Vec::new();
    if list.create && native.broker.settings().topics.auto_create && !missing.is_empty() {
        let new = |name: &String| create_topics::NewTopic { name: name.clone(), ..Default::default() };
        let outcomes = native.broker.create_topics(missing.iter().map(new).collect(), Mode::Apply).await;
        let failed =
            missing.into_iter().zip(outcomes).filter_map(|(name, outcome)| Some((name, outcome.err()?)));
        // Another client may have been faster.
        refused.extend(failed.filter(|(_, error)| !matches!(error, CreateTopicError::Exists(_))));
    }
    Ok(Listing { names: Some(names), refused })
}

impl Listing {
    fn answer(self, native: &Native) -> TopicsListed {
        let Self { names, refused } = self;
        let topics = native.broker.topics();
        let Some(names) = names else {
            let listed = topics.iter().map(|view| listed(view.name.to_string(), Ok(topic(view))));
            return TopicsListed { topics: listed.collect() };
        };
        let listed = names.into_iter().map(|name| {
            let outcome = topics.get(&name).map(|view| topic(view)).ok_or_else(|| {
                let refused = refused.iter().find(|(refused, _)| *refused == name);
                refused.map_or_else(unknown_topic, |(_, error)| error.refusal())
            });
            listed(name, outcome)
        });
        TopicsListed { topics: listed.collect() }
    }
}

pub(super) async fn create(native: &Native, create: CreateTopics) -> Result<TopicsListed, Refusal> {
    native.check_count(create.topics.len())?;
    check_once(create.topics.iter().map(|topic| topic.name.as_str()))?;
    let names: Vec<_> = create.topics.iter().map(|topic| topic.name.clone()).collect();
    let new = create.topics.into_iter().map(new_topic).collect();
    let outcomes = native.broker.create_topics(new, mode(create.validate_only)).await;
    let listed = names.into_iter().zip(outcomes).map(|(name, outcome)| {
        listed(name, outcome.map(|view| topic(&view)).map_err(|error| error.refusal()))
    });
    Ok(TopicsListed { topics: listed.collect() })
}

pub(super) async fn delete(native: &Native, delete: DeleteTopics) -> Result<Outcomes, Refusal> {
    native.check_count(delete.names.len())?;
    check_once(delete.names.iter().map(String::as_str))?;
    if !native.broker.settings().topics.delete {
        let message = "topics may not be deleted: delete.topic.enable is false";
        return Err(Refusal::new(Code::DELETION_DISABLED, message));
    }
    let topics = native.broker.topics();
    let found: Vec<_> = delete.names.iter().map(|name| topics.get(name).map(|topic| topic.id)).collect();
    drop(topics);
    let ids: Vec<_> = found.iter().copied().flatten().collect();
    let mut deleted = native.broker.delete_topics(ids).await.into_iter();
    let outcomes = found.into_iter().map(|found| match found.and_then(|_| deleted.next()) {
        Some(outcome) => outcome.map_err(|error| error.refusal()),
        None => Err(unknown_topic()),
    });
    Ok(Outcomes { outcomes: outcomes.collect() })
}

pub(super) async fn grow(native: &Native, create: CreatePartitions) -> Result<Outcomes, Refusal> {
    native.check_count(create.topics.len())?;
    check_once(create.topics.iter().map(|(name, _)| name.as_str()))?;
    let growth = |(topic, count)| Growth { topic, count, assignments: None };
    let topics = create.topics.into_iter().map(growth).collect();
    let grown = native.broker.create_partitions(topics, mode(create.validate_only)).await;
    Ok(Outcomes {
        outcomes: grown.into_iter().map(|outcome| outcome.map_err(|error| error.refusal())).collect(),
    })
}

fn new_topic(new: NewTopic) -> create_topics::NewTopic {
    create_topics::NewTopic {
        name: new.name,
        partitions: new.partitions,
        replication_factor: new.replication_factor,
        assignments: Vec::new(),
        configs: new.configs.into_iter().map(|(name, value)| (name, Some(value))).collect(),
    }
}

fn mode(validate_only: bool) -> Mode {
    if validate_only { Mode::ValidateOnly } else { Mode::Apply }
}

fn check_once<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Refusal::new(Code::INVALID_REQUEST, format!("topic {name} is named twice")));
        }
    }
    Ok(())
}

fn listed(name: String, outcome: Result<Topic, Refusal>) -> ListedTopic {
    ListedTopic { name, outcome }
}

fn topic(view: &TopicView) -> Topic {
    Topic { id: view.id.0, partitions: view.partitions.len() as u32 }
}
