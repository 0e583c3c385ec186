//! Uniform: members get as many partitions as each other, and keep what they have.
//!
//! Three steps: each keeps what it may; what nobody has goes to who has the least; and then
//! partitions move from who has the most to who has the least, one at a time, while that makes the
//! two more alike. Balance goes before keeping.

use super::{Partitions, Subscriber, Target};
use callboard_storage::TopicId;
use std::collections::{BTreeSet, HashMap};

/// Looks over all topics after which no better balance is sought. Where all subscribe to the same
/// topics, the second finds nothing to move.
const ROUNDS_MAX: usize = 16;

/// Who has how many partitions, the least first.
type Loads = BTreeSet<(usize, usize)>;

pub(super) fn assign(subscribers: &[Subscriber], partitions: &Partitions) -> Vec<Target> {
    let mut sharing = Sharing::new(subscribers, partitions);
    sharing.keep(subscribers);
    let order = sharing.order();
    for topic in &order {
        sharing.fill(*topic);
    }
    for _ in 0..ROUNDS_MAX {
        let moved = order.iter().filter(|topic| sharing.balance(**topic)).count();
        if moved == 0 {
            break;
        }
    }
    sharing.targets
}

struct Sharing<'a> {
    partitions: &'a Partitions,
    /// Who reads a topic, by place.
    readers: HashMap<TopicId, Vec<usize>>,
    targets: Vec<Target>,
    sizes: Vec<usize>,
    /// What nobody has.
    free: HashMap<TopicId, BTreeSet<i32>>,
    /// Where all read the same topics: the loads of all, not made anew for each topic.
    common: Option<Loads>,
    is_common: bool,
}

impl<'a> Sharing<'a> {
    fn new(subscribers: &[Subscriber], partitions: &'a Partitions) -> Self {
        let mut readers: HashMap<TopicId, Vec<usize>> = HashMap::new();
        for (at, subscriber) in subscribers.iter().enumerate() {
            for topic in subscriber.topics.iter() {
                readers.entry(*topic).or_default().push(at);
            }
        }
        let free = partitions.iter().map(|(topic, count)| (*topic, (0..*count).collect()));
        Self {
            partitions,
            free: free.filter(|(topic, _)| readers.contains_key(topic)).collect(),
            readers,
            common: None,
            is_common: subscribers.windows(2).all(|pair| matches!(pair, [a, b] if a.topics == b.topics)),
            targets: vec![Target::new(); subscribers.len()],
            sizes: vec![0; subscribers.len()],
        }
    }

    fn keep(&mut self, subscribers: &[Subscriber]) {
        for (at, subscriber) in subscribers.iter().enumerate() {
            for (topic, kept) in &subscriber.previous {
                if subscriber.topics.contains(topic) {
                    for partition in kept {
                        let is_free = self.free.get_mut(topic).is_some_and(|free| free.remove(partition));
                        if is_free {
                            self.give(at, *topic, *partition);
                        }
                    }
                }
            }
        }
    }

    /// Topics with many partitions for few readers first: there is least choice about them.
    fn order(&self) -> Vec<TopicId> {
        let mut topics: Vec<(u64, usize, TopicId)> = self
            .readers
            .iter()
            .map(|(topic, readers)| {
                let count = self.partitions.get(topic).map_or(0, |count| *count as u64);
                (u64::MAX - (count << 20) / readers.len().max(1) as u64, readers.len(), *topic)
            })
            .collect();
        topics.sort_unstable();
        topics.into_iter().map(|(_, _, topic)| topic).collect()
    }

    fn fill(&mut self, topic: TopicId) {
        let mut loads = self.loads(topic);
        for partition in self.free.remove(&topic).unwrap_or_default() {
            let Some((size, least)) = loads.pop_first() else { return };
            self.give(least, topic, partition);
            loads.insert((size + 1, least));
        }
        self.keep_loads(loads);
    }

    /// Moves partitions of a topic until no move makes its readers more alike. Whether any moved.
    fn balance(&mut self, topic: TopicId) -> bool {
        let mut loads = self.loads(topic);
        let mut has_moved = false;
        while let Some((least_size, least)) = loads.first().copied() {
            let gives = |(size, at): &&(usize, usize)| {
                *size > least_size + 1
                    && self.targets.get(*at).and_then(|it| it.get(&topic)).is_some_and(|it| !it.is_empty())
            };
            let Some((most_size, most)) = loads.iter().rev().find(gives).copied() else { break };
            let Some(partition) = self.take(most, topic) else { break };
            self.give(least, topic, partition);
            loads.remove(&(least_size, least));
            loads.remove(&(most_size, most));
            loads.insert((least_size + 1, least));
            loads.insert((most_size - 1, most));
            has_moved = true;
        }
        self.keep_loads(loads);
        has_moved
    }

    fn keep_loads(&mut self, loads: Loads) {
        self.common = self.is_common.then_some(loads);
    }

    fn loads(&mut self, topic: TopicId) -> Loads {
        if let Some(loads) = self.common.take() {
            return loads;
        }
        let readers = self.readers.get(&topic).into_iter().flatten();
        readers.map(|at| (self.sizes.get(*at).copied().unwrap_or(0), *at)).collect()
    }

    fn give(&mut self, at: usize, topic: TopicId, partition: i32) {
        if let (Some(target), Some(size)) = (self.targets.get_mut(at), self.sizes.get_mut(at)) {
            target.entry(topic).or_default().insert(partition);
            *size += 1;
        }
    }

    /// Takes the last partition of a topic that a member has.
    fn take(&mut self, at: usize, topic: TopicId) -> Option<i32> {
        let target = self.targets.get_mut(at)?;
        let kept = target.get_mut(&topic)?;
        let partition = kept.pop_last()?;
        if kept.is_empty() {
            target.remove(&topic);
        }
        *self.sizes.get_mut(at)? -= 1;
        Some(partition)
    }
}
