//! Whether who speaks is a member of the group, which every message of a member asks first.

use super::join::JoinError;
use super::state::ClassicGroup;
use crate::names::{InstanceId, MemberId};
use crate::offsets::commit::CommitOffsetsError;

/// Why who speaks is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// The group has no such member.
    #[error("the group has no such member")]
    Unknown,
    /// Another member took over the static member's name.
    #[error("another member has the instance id")]
    Fenced,
}

impl ClassicGroup {
    pub(super) fn check_member(
        &self,
        member: &MemberId,
        instance: Option<&InstanceId>,
    ) -> Result<(), MemberError> {
        if let Some(instance) = instance {
            let owner = self.members.of_instance(instance).ok_or(MemberError::Unknown)?;
            if owner != member {
                return Err(MemberError::Fenced);
            }
        }
        if self.members.contains(member) { Ok(()) } else { Err(MemberError::Unknown) }
    }
}

impl From<MemberError> for JoinError {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Unknown => Self::UnknownMember,
            MemberError::Fenced => Self::FencedInstance,
        }
    }
}

impl From<MemberError> for CommitOffsetsError {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Unknown => Self::UnknownMember,
            MemberError::Fenced => Self::FencedInstance,
        }
    }
}
