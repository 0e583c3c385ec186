//! Who is heard: whether there is room, whose name it is, and whether the epoch is right.

use super::heartbeat::{Beat, BeatError};
use super::member::{GONE_FOR_A_WHILE, Member};
use super::patterns::Patterns;
use super::state::ConsumerGroupState;
use crate::names::{InstanceId, MemberId};

impl ConsumerGroupState {
    /// Whether there is room for one more, or it is in already.
    pub(super) fn check_room(&self, id: &MemberId) -> Result<(), BeatError> {
        let max = self.settings.consumer_members_max;
        let has_room = self.members.len() < max || self.members.contains_key(id);
        if has_room { Ok(()) } else { Err(BeatError::Full(max)) }
    }

    /// Whether somebody who begins could be in a group that is about to come to be.
    ///
    /// # Errors
    /// [`BeatError`] that it would get there.
    pub(crate) fn check_newcomer(&self, beat: &Beat) -> Result<(), BeatError> {
        let id = beat.member.clone().unwrap_or_else(|| MemberId::from(""));
        self.check_room(&id)?;
        let pattern = beat.pattern.as_deref().filter(|pattern| !pattern.is_empty());
        Ok(pattern.map_or(Ok(()), |pattern| Patterns::default().take(pattern))?)
    }

    /// What is known of who speaks, and the id of the static member whose place it takes.
    pub(super) fn admit(&self, id: &MemberId, beat: &Beat) -> Result<(Member, Option<MemberId>), BeatError> {
        match &beat.instance {
            Some(instance) => self.admit_static(id, instance, beat),
            None => {
                let known = self.members.get(id).cloned();
                let member = if beat.epoch == 0 {
                    known.unwrap_or_else(Member::new)
                } else {
                    known.ok_or_else(|| unknown(id))?
                };
                check_epoch(&member, beat)?;
                Ok((member, None))
            }
        }
    }

    fn admit_static(
        &self,
        id: &MemberId,
        instance: &InstanceId,
        beat: &Beat,
    ) -> Result<(Member, Option<MemberId>), BeatError> {
        let holder = self.by_instance.get(instance);
        let holder = holder.and_then(|holder| Some((holder, self.members.get(holder)?)));
        let texts = |holder: &MemberId| (id.to_string(), instance.to_string(), holder.to_string());
        match holder {
            None if beat.epoch == 0 => Ok((self.members.get(id).cloned().unwrap_or_else(Member::new), None)),
            None => Err(unknown(id)),
            Some((holder, member)) if beat.epoch == 0 => {
                if member.epoch != GONE_FOR_A_WHILE && member.classic.is_none() {
                    let (id, instance, holder) = texts(holder);
                    return Err(BeatError::UnreleasedInstance(id, instance, holder));
                }
                Ok((Member { epoch: 0, previous_epoch: 0, ..member.clone() }, Some(holder.clone())))
            }
            Some((holder, _)) if holder != id => {
                let (id, instance, holder) = texts(holder);
                Err(BeatError::FencedInstance(id, instance, holder))
            }
            Some((_, member)) => {
                check_epoch(member, beat)?;
                Ok((member.clone(), None))
            }
        }
    }
}

fn unknown(id: &MemberId) -> BeatError {
    BeatError::UnknownMember(id.to_string())
}

/// The epoch of an answer that was lost is good too, from a member that has nothing but what it was
/// given; and 0 from one that begins again.
fn check_epoch(member: &Member, beat: &Beat) -> Result<(), BeatError> {
    let (found, known) = (beat.epoch, member.epoch);
    let has_only_its_own = || {
        beat.owned.as_ref().is_some_and(|owned| {
            owned.iter().all(|(topic, numbers)| {
                let given = member.assigned.get(topic);
                numbers.iter().all(|number| given.is_some_and(|given| given.contains_key(number)))
            })
        })
    };
    let is_good = found == 0
        || found == known
        || (found < known && found == member.previous_epoch && has_only_its_own());
    if is_good { Ok(()) } else { Err(BeatError::FencedEpoch { found, known }) }
}
