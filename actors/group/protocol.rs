//! Which assignment protocol a group uses: one that all know, by vote.

use super::members::{Members, Protocol};
use super::state::{ClassicGroup, State};
use std::cmp::Reverse;
use std::collections::HashMap;

impl ClassicGroup {
    /// Whether the group could use one of the protocols beside its members.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state() == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|protocol| self.members.all_know(&protocol.name))
    }
}

impl Members {
    /// Each member votes for the first of its protocols that all know; most votes win. Of those with
    /// as many, Kafka takes the first as its hash tables are ordered, and so does this.
    pub(super) fn vote(&self) -> Option<String> {
        let mut votes: HashMap<&str, usize> = HashMap::new();
        for (_, member) in self.iter() {
            let vote = member.protocols.iter().find(|protocol| self.all_know(&protocol.name))?;
            *votes.entry(&vote.name).or_default() += 1;
        }
        let best = votes.into_iter().min_by_key(|(name, count)| (Reverse(*count), place(name), *name));
        best.map(|(name, _)| name.to_owned())
    }
}

/// Where a small hash table of Java has a text.
fn place(name: &str) -> u32 {
    let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    (hash ^ (hash >> 16)) & 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_stand_as_in_java() {
        let places = ["compatible", "sticky", "range", "roundrobin", "cooperative-sticky"].map(place);
        assert_eq!(places, [2, 8, 9, 10, 15]);
    }
}
