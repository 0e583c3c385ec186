//! The snapshot of all topics that everybody reads without asking an actor.

use crate::config::TopicConfig;
use crate::partition::Partition;
use actix::Addr;
use arc_swap::{ArcSwap, ArcSwapOption};
use callboard_storage::{PartitionId, TopicId};
use std::sync::Arc;

/// All topics at one moment. A clone shares what it does not change.
#[derive(Debug, Clone, Default)]
pub struct Topics {
    by_name: imbl::OrdMap<Arc<str>, Arc<TopicView>>,
    by_id: imbl::HashMap<TopicId, Arc<TopicView>>,
    partitions: usize,
}

/// A topic at one moment.
#[derive(Debug)]
pub struct TopicView {
    /// Its identity.
    pub id: TopicId,
    /// Its name.
    pub name: Arc<str>,
    /// Its configuration, which all moments of the topic share: a change counts at once for all.
    pub config: Arc<ArcSwap<TopicConfig>>,
    /// Its partitions, by their index.
    pub partitions: Vec<Arc<PartitionSlot>>,
}

/// A partition, and its actor once it was used.
#[derive(Debug)]
pub struct PartitionSlot {
    /// The partition.
    pub id: PartitionId,
    /// Its number within the topic, from 0.
    pub index: u32,
    actor: ArcSwapOption<Addr<Partition>>,
}

impl PartitionSlot {
    /// A partition that was not used yet.
    pub fn new(id: PartitionId, index: u32) -> Self {
        Self { id, index, actor: ArcSwapOption::empty() }
    }

    /// The partition's actor, when it lives.
    pub fn actor(&self) -> Option<Addr<Partition>> {
        self.actor.load().as_deref().filter(|actor| actor.connected()).cloned()
    }

    pub(super) fn set_actor(&self, actor: Addr<Partition>) {
        self.actor.store(Some(Arc::new(actor)));
    }
}

impl TopicView {
    /// A topic of that configuration.
    pub fn new(
        id: TopicId,
        name: Arc<str>,
        config: TopicConfig,
        partitions: impl IntoIterator<Item = PartitionSlot>,
    ) -> Self {
        let partitions = partitions.into_iter().map(Arc::new).collect();
        Self { id, name, config: Arc::new(ArcSwap::from_pointee(config)), partitions }
    }

    /// The partition with that index, as a client numbers it.
    pub fn partition(&self, index: i32) -> Option<&Arc<PartitionSlot>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

impl Topics {
    /// The topic with that name.
    pub fn get(&self, name: &str) -> Option<&Arc<TopicView>> {
        self.by_name.get(name)
    }

    /// The topic with that identity.
    pub fn get_by_id(&self, id: TopicId) -> Option<&Arc<TopicView>> {
        self.by_id.get(&id)
    }

    /// All topics, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<TopicView>> {
        self.by_name.values()
    }

    /// The topics from a name on, in the order of their names.
    pub fn iter_from(&self, name: &str) -> impl Iterator<Item = &Arc<TopicView>> {
        self.by_name.range::<_, Arc<str>>(Arc::<str>::from(name)..).map(|(_, topic)| topic)
    }

    /// Partitions of all topics.
    pub fn partition_count(&self) -> usize {
        self.partitions
    }

    /// The topic whose name is the same but for `.` and `_`, which metrics do not tell apart.
    pub fn collision(&self, name: &str) -> Option<&Arc<TopicView>> {
        if !name.contains(['.', '_']) {
            return None;
        }
        // Names that collide begin alike up to the first of the two characters.
        let start = name.split(['.', '_']).next().unwrap_or_default();
        self.iter_from(start)
            .take_while(|topic| topic.name.starts_with(start))
            .find(|topic| *topic.name != *name && folds_alike(&topic.name, name))
    }

    /// Puts a topic in, in the place of the one with its name.
    pub(super) fn put(&mut self, topic: Arc<TopicView>) {
        self.remove(&topic.name);
        self.partitions += topic.partitions.len();
        self.by_id.insert(topic.id, Arc::clone(&topic));
        self.by_name.insert(Arc::clone(&topic.name), topic);
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(topic) = self.by_name.remove(name) {
            self.by_id.remove(&topic.id);
            self.partitions -= topic.partitions.len();
        }
    }
}

/// Whether two names are the same but for `.` and `_`. Nothing is allocated: all names that begin
/// alike are looked at.
fn folds_alike(one: &str, other: &str) -> bool {
    let fold = |byte: u8| if byte == b'.' { b'_' } else { byte };
    one.bytes().map(fold).eq(other.bytes().map(fold))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::TopicDefaults;
    use crate::config::Values;
    use uuid::Uuid;

    /// Topics by their numbers, names and partitions.
    pub(crate) fn topics(all: &[(u128, &str, u32)]) -> Arc<Topics> {
        let mut topics = Topics::default();
        all.iter().for_each(|(number, name, partitions)| topics.put(topic(*number, name, *partitions)));
        Arc::new(topics)
    }

    fn topic(number: u128, name: &str, partitions: u32) -> Arc<TopicView> {
        let defaults = TopicDefaults::from_values(&Values::default()).unwrap();
        let slots = (0..partitions).map(|index| PartitionSlot::new(PartitionId(index), index));
        let id = TopicId(Uuid::from_u128(number));
        Arc::new(TopicView::new(id, name.into(), TopicConfig::inherited(&defaults), slots))
    }

    #[test]
    fn topics_are_found_by_name_and_id_and_counted() {
        let mut topics = Topics::default();
        topics.put(topic(1, "orders", 3));
        topics.put(topic(2, "audit", 1));
        topics.put(topic(1, "orders", 5));
        assert_eq!(topics.partition_count(), 6);
        let names: Vec<_> = topics.iter().map(|topic| topic.name.to_string()).collect();
        assert_eq!(names, ["audit", "orders"]);
        assert_eq!(topics.get_by_id(TopicId(Uuid::from_u128(1))).unwrap().partitions.len(), 5);
        topics.remove("orders");
        assert_eq!(topics.partition_count(), 1);
        assert!(topics.get_by_id(TopicId(Uuid::from_u128(1))).is_none());
    }

    #[test]
    fn names_that_differ_in_dots_and_underscores_collide() {
        let mut topics = Topics::default();
        topics.put(topic(1, "a.b_c", 1));
        topics.put(topic(2, "plain", 1));
        let collides = |name| topics.collision(name).map(|topic| topic.name.to_string());
        assert_eq!(collides("a_b.c").as_deref(), Some("a.b_c"));
        assert_eq!(collides("a.b.c").as_deref(), Some("a.b_c"));
        assert_eq!(collides("a.b_c"), None, "it is the same topic");
        assert_eq!(collides("a.b"), None);
        assert_eq!(collides("plain"), None);
    }
}
