//! The deadlines of one actor: one queue with one wake-up, however many there are.
//!
//! A future for each would be polled with every message that the actor gets.

use actix::{Actor, AsyncContext, Context, Handler, Message, SpawnHandle};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use tokio::time::Instant;

/// Some deadline may have passed.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Wake;

/// Deadlines by what they are for.
#[derive(Debug)]
pub struct Deadlines<K> {
    by_key: HashMap<K, Instant>,
    in_order: BTreeSet<(Instant, K)>,
    wake_up: Option<(Instant, SpawnHandle)>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), in_order: BTreeSet::new(), wake_up: None }
    }
}

impl<K: Clone + Hash + Ord> Deadlines<K> {
    /// Sets a deadline, in the place of the one that was set for the same.
    pub fn set(&mut self, key: K, at: Instant) {
        self.cancel(&key);
        self.by_key.insert(key.clone(), at);
        self.in_order.insert((at, key));
    }

    /// Whether a deadline is set for that.
    pub fn is_set(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    /// Takes a deadline back.
    pub fn cancel(&mut self, key: &K) {
        if let Some((key, at)) = self.by_key.remove_entry(key) {
            self.in_order.remove(&(at, key));
        }
    }

    /// The earliest deadline that has passed, which is thereby done with.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        self.in_order.first().filter(|(at, _)| *at <= now)?;
        let (_, key) = self.in_order.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// No deadlines, but the wake-up that is on its way.
    #[must_use]
    pub fn cleared(self) -> Self {
        Self { wake_up: self.wake_up, ..Self::default() }
    }

    /// Whether no deadline is set.
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// Sees to it that the actor is woken for the earliest deadline. A wake-up that comes too early,
    /// because its deadline was moved, is cheaper than moving it each time.
    pub fn arm<A>(&mut self, ctx: &mut Context<A>)
    where
        A: Actor<Context = Context<A>> + Handler<Wake>,
    {
        let Some((at, _)) = self.in_order.first() else { return };
        if let Some((set, handle)) = self.wake_up {
            if set <= *at {
                return;
            }
            ctx.cancel_future(handle);
        }
        let wait = at.saturating_duration_since(crate::clock::now());
        self.wake_up = Some((*at, ctx.notify_later(Wake, wait)));
    }

    /// The wake-up has come.
    pub fn woken(&mut self) {
        self.wake_up = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_earliest_comes_first_and_each_once() {
        let start = crate::clock::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::default();
        deadlines.set("a", after(3));
        deadlines.set("b", after(1));
        deadlines.set("c", after(2));
        deadlines.set("a", after(1));
        deadlines.cancel(&"b");
        assert_eq!(deadlines.pop_due(start), None);
        assert_eq!(deadlines.pop_due(after(2)), Some("a"));
        assert_eq!(deadlines.pop_due(after(2)), Some("c"));
        assert_eq!(deadlines.pop_due(after(9)), None);
        assert!(deadlines.is_empty());
    }
}
