//! Upgrade: a classic group becomes one that the broker assigns to. Its members stay in it, in the epoch
//! that is their generation, with what their leader assigned to them.

use super::assignors::Target;
use super::classic_join::TOPICS_MAX;
use super::member::{ClassicPart, Member};
use super::state::{ConsumerGroupState, Owned};
use crate::broker::topics::Topics;
use crate::config::GroupSettings;
use crate::group::CONSUMER;
use crate::names::MemberId;
use callboard_protocol::subscription::NamedPartitions;
use callboard_protocol::{assignment, subscription};
use callboard_storage::TopicId;
use callboard_storage::values::{ClassicGroupRow, ClassicMemberRow, ClassicRow};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a classic group stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// The broker is told not to.
    #[error("online upgrade is disabled.")]
    Disabled,
    /// Its members are no consumers.
    #[error("the group does not use the consumer embedded protocol.")]
    NotConsumers,
    /// It has more members than such a group may.
    #[error("the group size exceeds the consumer group maximum size.")]
    TooLarge,
    /// What its members or their leader say cannot be read.
    #[error("the embedded consumer protocol is malformed.")]
    Malformed,
    /// Its assignor says more than the broker could.
    #[error(
        "an unsupported custom assignor is in use. Please refer to the documentation or switch to a default \
         assignor before re-attempting the upgrade."
    )]
    CustomAssignor,
}

impl ConsumerGroupState {
    /// The group that a classic one becomes.
    ///
    /// # Errors
    /// [`UpgradeError`].
    pub fn from_classic(
        row: ClassicGroupRow,
        settings: Arc<GroupSettings>,
        topics: &Topics,
    ) -> Result<Self, UpgradeError> {
        if !settings.migration.upgrade {
            return Err(UpgradeError::Disabled);
        }
        if row.protocol_type.as_deref() != Some(CONSUMER) {
            return Err(UpgradeError::NotConsumers);
        }
        if row.members.len() > settings.consumer_members_max {
            return Err(UpgradeError::TooLarge);
        }
        let mut group = Self::new(settings);
        if row.members.is_empty() {
            return Ok(group);
        }
        (group.epoch, group.assignment_epoch) = (row.generation, row.generation);
        for member in row.members {
            let id = MemberId::from(member.id.as_str());
            let member = upgraded(member, row.generation, row.protocol.as_deref(), topics)?;
            if !group.is_free(&member.target) {
                return Err(UpgradeError::Malformed);
            }
            group.put(&id, member);
        }
        group.topics_hash = group.hash(topics);
        Ok(group)
    }

    /// A leader may have given a partition to two members.
    fn is_free(&self, target: &Target) -> bool {
        let mut all =
            target.iter().flat_map(|(topic, numbers)| numbers.iter().map(|number| (*topic, *number)));
        all.all(|partition| !self.owners.contains_key(&partition))
    }
}

fn upgraded(
    row: ClassicMemberRow,
    generation: i32,
    protocol: Option<&str>,
    topics: &Topics,
) -> Result<Member, UpgradeError> {
    let assigned = match row.assignment.as_slice() {
        [] => assignment::Assignment::default(),
        bytes => assignment::read(bytes).ok_or(UpgradeError::Malformed)?,
    };
    if assigned.has_user_data {
        return Err(UpgradeError::CustomAssignor);
    }
    let chosen = row.protocols.iter().find(|(name, _)| Some(name.as_str()) == protocol);
    let (_, metadata) = chosen.or_else(|| row.protocols.first()).ok_or(UpgradeError::Malformed)?;
    let subscribed = subscription::read(metadata).filter(|it| it.topics.len() <= TOPICS_MAX);
    let subscribed = subscribed.ok_or(UpgradeError::Malformed)?;
    let assigned = by_id(&assigned.partitions, topics);
    let since = |numbers: &Vec<i32>| numbers.iter().map(|number| (*number, generation)).collect();
    let owned: Owned = assigned.iter().map(|(topic, numbers)| (*topic, since(numbers))).collect();
    let session_timeout_ms = row.session_timeout_ms;
    Ok(Member {
        instance: row.instance.as_deref().map(Into::into),
        rack: subscribed.rack.filter(|rack| !rack.is_empty()),
        client_id: row.client_id,
        client_host: row.client_host,
        topics: subscribed.topics.into_iter().collect(),
        rebalance_timeout_ms: i32::try_from(row.rebalance_timeout_ms).unwrap_or(i32::MAX),
        epoch: generation,
        previous_epoch: generation,
        assigned: owned,
        target: assigned.into_iter().map(|(topic, numbers)| (topic, numbers.into_iter().collect())).collect(),
        classic: Some(ClassicPart::from(ClassicRow { session_timeout_ms, protocols: row.protocols })),
        ..Member::new()
    })
}

/// Partitions by the ids of their topics; those of topics that are not there are left out.
pub(super) fn by_id(named: &NamedPartitions, topics: &Topics) -> BTreeMap<TopicId, Vec<i32>> {
    let mut all: BTreeMap<TopicId, Vec<i32>> = BTreeMap::new();
    for (name, numbers) in named {
        if let Some(topic) = topics.get(name) {
            all.entry(topic.id).or_default().extend(numbers);
        }
    }
    all
}
