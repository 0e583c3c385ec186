//! Telling all who wait for commits what became of them.

use super::append::{Committed, Outcome};
use super::pending::Origin;
use super::unit;
use crate::mail::{Unavailable, post};
use crate::partition::Partition;
use actix::Addr;
use callboard_storage::PartitionId;
use callboard_storage::log::Group;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Answers each partition once, and each other one. Of what was committed the groups are given, all
/// of it in the order of the origins; of what is lost none.
pub(super) fn answer(origins: impl IntoIterator<Item = Origin>, groups: Option<Vec<Group>>) {
    let is_committed = groups.is_some();
    let mut placed = groups.into_iter().flatten().flat_map(Group::into_placed);
    // In an order, so that a simulation repeats itself.
    let mut partitions: BTreeMap<PartitionId, (Addr<Partition>, Committed)> = BTreeMap::new();
    let mut units = Vec::new();
    for origin in origins {
        let batches = placed.next();
        match origin {
            Origin::Partition { id, from, .. } => {
                let Some(actor) = from.fulfil() else { continue };
                let batch = batches.and_then(|batches| batches.into_iter().next());
                let outcome = batch.map_or(Outcome::Lost, |placed| Outcome::Appended(placed.batch));
                outcomes_of(&mut partitions, id, actor).push(outcome);
            }
            Origin::Unit(unit) => {
                let (to_tell, answer) = unit.outcome(batches);
                for (id, actor, batch) in to_tell {
                    outcomes_of(&mut partitions, id, actor).push(Outcome::OfUnit(batch));
                }
                units.push(answer);
            }
            Origin::Other { reply, .. } => {
                reply.tell(if is_committed { Ok(()) } else { Err(Unavailable) });
            }
        }
    }
    partitions.into_values().for_each(deliver);
    // Who learns of a unit finds its events.
    units.into_iter().for_each(unit::Answer::send);
}

/// The list of a partition's outcomes. A new actor may have taken the place of one that died.
fn outcomes_of(
    partitions: &mut BTreeMap<PartitionId, (Addr<Partition>, Committed)>,
    id: PartitionId,
    actor: Addr<Partition>,
) -> &mut Vec<Outcome> {
    let none = Committed { batches: Vec::new() };
    let (_, committed) = match partitions.entry(id) {
        Entry::Occupied(entry) if entry.get().0 == actor => entry.into_mut(),
        Entry::Occupied(mut entry) => {
            deliver(entry.insert((actor, none)));
            entry.into_mut()
        }
        Entry::Vacant(entry) => entry.insert((actor, none)),
    };
    &mut committed.batches
}

fn deliver((actor, committed): (Addr<Partition>, Committed)) {
    // An actor that is gone answers nobody; the one after it adopts what is committed.
    let _ = post(&actor, committed);
}
