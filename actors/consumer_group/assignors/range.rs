//! Range: of each topic every subscriber gets a run of neighbours.
//!
//! Topics with as many partitions and the same subscribers are shared alike, so that records with
//! the same key in two of them are read by one member.

use super::{Partitions, Subscriber, Target};

pub(super) fn assign(subscribers: &[Subscriber], partitions: &Partitions) -> Vec<Target> {
    // Static members first, so that they stay where they are when others come and go.
    let mut order: Vec<usize> = (0..subscribers.len()).collect();
    order.sort_by_key(|at| {
        subscribers.get(*at).map(|one| (one.instance.is_none(), one.instance.as_ref(), &one.id))
    });
    let mut targets = vec![Target::new(); subscribers.len()];
    for (topic, count) in partitions {
        let reads = |at: &&usize| subscribers.get(**at).is_some_and(|one| one.topics.contains(topic));
        let readers: Vec<usize> = order.iter().filter(reads).copied().collect();
        let number = readers.len() as i32;
        let mut next = 0;
        for (place, at) in (0..).zip(readers) {
            let quota = count / number + i32::from(place < count % number);
            if quota > 0
                && let Some(target) = targets.get_mut(at)
            {
                target.insert(*topic, (next..next + quota).collect());
            }
            next += quota;
        }
    }
    targets
}
