//! Which assignment protocol a group uses: one that all know, by vote.

use super::members::{Members, Protocol};
use super::state::{ClassicGroup, State};
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
    /// as many, the one that the members of the smallest ids like is taken.
    pub(super) fn vote(&self) -> Option<String> {
        let mut votes: HashMap<&str, usize> = HashMap::new();
        let mut voted = Vec::new();
        for (_, member) in self.iter() {
            let vote = member.protocols.iter().find(|protocol| self.all_know(&protocol.name))?;
            let count = votes.entry(&vote.name).or_default();
            if *count == 0 {
                voted.push(vote.name.as_str());
            }
            *count += 1;
        }
        let most = votes.values().max()?;
        voted.into_iter().find(|name| votes.get(name) == Some(most)).map(str::to_owned)
    }
}
