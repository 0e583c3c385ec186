//! What a client knows of topics: their ids and how many partitions they have.

use crate::error::Error;
use crate::transport::{Transport, ask, one};
use callboard_protocol::native::topics::{ListTopics, Topic};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long what is known is taken for true; partitions are added and topics made anew meanwhile.
const FRESH_FOR: Duration = Duration::from_secs(60);

/// What is known of topics.
#[derive(Debug)]
pub(crate) struct Topics {
    transport: Arc<dyn Transport>,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_name: HashMap<String, (Topic, Instant)>,
    names: HashMap<Uuid, Arc<str>>,
}

impl Topics {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, known: RwLock::default() }
    }

    /// What is known of a topic, if that is fresh.
    pub(crate) fn known(&self, name: &str) -> Option<Topic> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (topic, since) = known.by_name.get(name)?;
        (since.elapsed() < FRESH_FOR).then(|| topic.clone())
    }

    /// A topic, asked for where it is not known, and made where there is none and the broker allows it.
    pub(crate) async fn get(&self, name: &str) -> Result<Topic, Error> {
        match self.known(name) {
            Some(topic) => Ok(topic),
            None => self.ask(name).await,
        }
    }

    /// A topic as the broker knows it now.
    pub(crate) async fn ask(&self, name: &str) -> Result<Topic, Error> {
        let names = Some(vec![name.to_owned()]);
        let listed = ask(&*self.transport, ListTopics { names, create: true }).await?;
        let topic = one(listed.topics)?.outcome?;
        self.learn(name, topic.clone());
        Ok(topic)
    }

    /// The name of a topic, if that is known.
    pub(crate) fn name(&self, id: Uuid) -> Option<Arc<str>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).names.get(&id).cloned()
    }

    /// Asks for the names of topics. Answers those that are not there.
    pub(crate) async fn learn_names(&self, mut topics: BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>, Error> {
        let listed = ask(&*self.transport, ListTopics { names: None, create: false }).await?;
        for listed in listed.topics {
            let Ok(topic) = listed.outcome else { continue };
            topics.remove(&topic.id);
            self.learn(&listed.name, topic);
        }
        Ok(topics)
    }

    /// Forgets what turned out not to be true any more.
    pub(crate) fn forget(&self, name: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).by_name.remove(name);
    }

    fn learn(&self, name: &str, topic: Topic) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.names.insert(topic.id, name.into());
        known.by_name.insert(name.to_owned(), (topic, Instant::now()));
    }
}
