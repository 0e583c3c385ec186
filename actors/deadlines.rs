//! The deadlines of one actor: one queue with one wake-up, however many there are.
//!
//! A future for each would be polled with every message that the actor gets.

use actix::{Actor, AsyncContext, Context, Handler, Message, SpawnHandle};
use std::collections::HashMap;
use std::hash::Hash;
use tokio::time::Instant;

/// Some deadline may have passed.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Wake;

/// Deadlines by what they are for.
///
/// There is no order among them: they are moved all the time, and looked at only when a wake-up has
/// come, which is seldom. So each takes little.
#[derive(Debug)]
pub struct Deadlines<K> {
    by_key: HashMap<K, Instant>,
    /// No deadline is earlier; `None` when that is to be found out.
    earliest: Option<Instant>,
    /// Those that were found to have passed, the latest first.
    due: Vec<(Instant, K)>,
    wake_up: Option<(Instant, SpawnHandle)>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), earliest: None, due: Vec::new(), wake_up: None }
    }
}

impl<K: Clone + Hash + Ord> Deadlines<K> {
    /// Sets a deadline, in the place of the one that was set for the same.
    pub fn set(&mut self, key: K, at: Instant) {
        if self.by_key.is_empty() || self.earliest.is_some_and(|earliest| at < earliest) {
            self.earliest = Some(at);
        }
        self.by_key.insert(key, at);
    }

    /// Whether a deadline is set for that.
    pub fn is_set(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    /// Takes a deadline back.
    pub fn cancel(&mut self, key: &K) {
        self.by_key.remove(key);
    }

    /// The earliest deadline that has passed, which is thereby done with.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        loop {
            let Some((at, key)) = self.due.pop() else {
                if !self.find_due(now) {
                    return None;
                }
                continue;
            };
            // It may have been moved or taken back meanwhile.
            if self.by_key.get(&key) == Some(&at) {
                self.by_key.remove(&key);
                return Some(key);
            }
        }
    }

    /// Looks at all; whether there is one that has passed.
    fn find_due(&mut self, now: Instant) -> bool {
        self.earliest = None;
        let passed = self.by_key.iter().filter(|(_, at)| **at <= now);
        self.due = passed.map(|(key, at)| (*at, key.clone())).collect();
        self.due.sort_unstable_by(|one, other| other.cmp(one));
        !self.due.is_empty()
    }

    /// No deadlines, but the wake-up that is on its way.
    #[must_use]
    pub fn cleared(self) -> Self {
        Self { wake_up: self.wake_up, ..Self::default() }
    }

    /// Whether no deadline is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Sees to it that the actor is woken for the earliest deadline. A wake-up that comes too early,
    /// because its deadline was moved, is cheaper than moving it each time.
    pub fn arm<A>(&mut self, ctx: &mut Context<A>)
    where
        A: Actor<Context = Context<A>> + Handler<Wake>,
    {
        self.earliest = self.earliest.or_else(|| self.by_key.values().min().copied());
        let Some(at) = self.earliest.filter(|_| !self.is_empty()) else { return };
        if let Some((set, handle)) = self.wake_up {
            if set <= at {
                return;
            }
            ctx.cancel_future(handle);
        }
        let wait = at.saturating_duration_since(crate::clock::now());
        self.wake_up = Some((at, ctx.notify_later(Wake, wait)));
    }

    /// The wake-up has come.
    pub fn woken(&mut self) {
        self.wake_up = None;
        self.earliest = None;
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

    #[test]
    fn what_is_set_while_others_are_done_with_comes_when_it_has_passed_too() {
        let start = crate::clock::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::default();
        deadlines.set("a", after(1));
        deadlines.set("b", after(2));
        deadlines.set("c", after(3));
        assert_eq!(deadlines.pop_due(after(5)), Some("a"));
        deadlines.set("b", after(9));
        deadlines.cancel(&"c");
        deadlines.set("d", after(4));
        assert_eq!(deadlines.pop_due(after(5)), Some("d"));
        assert_eq!(deadlines.pop_due(after(5)), None);
        assert_eq!(deadlines.pop_due(after(9)), Some("b"));
    }
}
