//! The members of a classic group: who they are, which protocols they know, and what they wait for.

use super::join::{JoinRefused, Joined};
use super::sync::{SyncError, Synced};
use crate::durable::Reply;
use crate::names::{InstanceId, MemberId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// A way of assigning partitions that a member knows, and what it says of itself for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// The protocol's name.
    pub name: String,
    /// For the leader: what the member subscribes to, and the like.
    pub metadata: Bytes,
}

/// A member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) instance: Option<InstanceId>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) session_timeout: Duration,
    pub(super) rebalance_timeout: Duration,
    /// The best one comes first.
    pub(super) protocols: Vec<Protocol>,
    /// What the leader assigned to it; empty before that.
    pub(super) assignment: Bytes,
    /// Waits for the group to be joined by all.
    pub(super) join: Option<Reply<Joined, JoinRefused>>,
    /// Waits for the leader's assignment.
    pub(super) sync: Option<Reply<Synced, SyncError>>,
    /// It has not been through the end of a join phase yet.
    pub(super) is_new: bool,
}

impl Member {
    /// Whether the member is there because it waits, without a sign of life.
    pub(super) fn is_waiting(&self) -> bool {
        !self.is_new && (self.join.is_some() || self.sync.is_some())
    }

    /// What it says of itself for a protocol.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|known| known.name == protocol);
        found.map(|known| known.metadata.clone()).unwrap_or_default()
    }
}

/// Bytes that a protocol takes beside its name and metadata.
const PROTOCOL_BYTES: usize = 64;

/// Bytes that a member's protocols take.
pub(crate) fn bytes_of(protocols: &[Protocol]) -> usize {
    protocols.iter().map(|it| PROTOCOL_BYTES + it.name.len() + it.metadata.len()).sum()
}

/// The members of a group. How many know a protocol is counted along.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Sorted. Most groups are small, and a tree makes room for many.
    by_id: Vec<(MemberId, Box<Member>)>,
    by_instance: BTreeMap<InstanceId, MemberId>,
    /// By name, how many know a protocol; sorted.
    knowing: Vec<(String, usize)>,
    /// Of what all say of themselves.
    bytes: usize,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Bytes of what all say of themselves.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where a member is, or would be.
    fn place(&self, id: &str) -> Result<usize, usize> {
        self.by_id.binary_search_by(|(known, _)| (**known).cmp(id))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.place(id).is_ok()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Member> {
        let place = self.place(id).ok()?;
        self.by_id.get(place).map(|(_, member)| &**member)
    }

    /// A member, for changes of anything but its protocols and its instance.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Member> {
        let place = self.place(id).ok()?;
        self.by_id.get_mut(place).map(|(_, member)| &mut **member)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.by_id.iter().map(|(id, member)| (id, &**member))
    }

    pub(super) fn ids(&self) -> Vec<MemberId> {
        self.by_id.iter().map(|(id, _)| id.clone()).collect()
    }

    /// The member that has a static member's name now.
    pub(super) fn of_instance(&self, instance: &str) -> Option<&MemberId> {
        self.by_instance.get(instance)
    }

    pub(super) fn insert(&mut self, id: MemberId, member: Member) {
        if let Some(instance) = &member.instance {
            self.by_instance.insert(instance.clone(), id.clone());
        }
        self.count(&member.protocols);
        match self.place(&id) {
            Ok(place) => drop(self.by_id.remove(place)),
            Err(_) if self.by_id.is_empty() => self.by_id.reserve_exact(1),
            Err(_) => {}
        }
        let place = self.place(&id).unwrap_or_else(|place| place);
        self.by_id.insert(place, (id, Box::new(member)));
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Member> {
        let (id, member) = self.by_id.remove(self.place(id).ok()?);
        if let Some(instance) = &member.instance
            && self.by_instance.get(instance) == Some(&id)
        {
            self.by_instance.remove(instance);
        }
        self.discount(&member.protocols);
        Some(*member)
    }

    pub(super) fn set_protocols(&mut self, id: &str, protocols: Vec<Protocol>) {
        let Some(member) = self.get_mut(id) else { return };
        let old = std::mem::replace(&mut member.protocols, protocols.clone());
        self.discount(&old);
        self.count(&protocols);
    }

    /// Whether all members have joined.
    pub(super) fn have_joined(&self) -> bool {
        self.by_id.iter().all(|(_, member)| member.join.is_some())
    }

    /// How many wait for the others to join.
    pub(super) fn joined_count(&self) -> usize {
        self.by_id.iter().filter(|(_, member)| member.join.is_some()).count()
    }

    /// How long the slowest may take to join again.
    pub(super) fn rebalance_timeout(&self) -> Duration {
        self.by_id.iter().map(|(_, member)| member.rebalance_timeout).max().unwrap_or_default()
    }

    /// Whether every member knows the protocol.
    pub(super) fn all_know(&self, protocol: &str) -> bool {
        let count = self.knowing_place(protocol).ok().and_then(|place| self.knowing.get(place));
        count.map_or(0, |(_, count)| *count) == self.len()
    }

    fn knowing_place(&self, protocol: &str) -> Result<usize, usize> {
        self.knowing.binary_search_by(|(known, _)| known.as_str().cmp(protocol))
    }

    fn count(&mut self, protocols: &[Protocol]) {
        self.bytes += bytes_of(protocols);
        for protocol in protocols {
            match self.knowing_place(&protocol.name) {
                Ok(place) => self.knowing.get_mut(place).into_iter().for_each(|(_, count)| *count += 1),
                Err(place) => {
                    if self.knowing.is_empty() {
                        self.knowing.reserve_exact(1);
                    }
                    self.knowing.insert(place, (protocol.name.clone(), 1));
                }
            }
        }
    }

    fn discount(&mut self, protocols: &[Protocol]) {
        self.bytes -= bytes_of(protocols);
        for protocol in protocols {
            let Ok(place) = self.knowing_place(&protocol.name) else { continue };
            if let Some((_, count)) = self.knowing.get_mut(place) {
                *count -= 1;
                if *count == 0 {
                    self.knowing.remove(place);
                }
            }
        }
    }
}
