//! Describe: a group with its members.

use super::Group;
use super::state::{ClassicGroup, State};
use crate::durable::Reply;
use crate::mail::Unavailable;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};
use bytes::Bytes;

/// Asks for the group with its members.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Describe {
    /// Where to answer.
    pub reply: Reply<Described, DescribeError>,
}

/// Why a group is not described so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescribeError {
    /// It is of the other protocol.
    #[error("the group is of another protocol")]
    OtherKind,
    /// Storage has failed, or the group's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A group with its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its state.
    pub state: State,
    /// What its members are; none when it never had any.
    pub protocol_type: Option<String>,
    /// The assignment protocol; none unless the group is stable.
    pub protocol: Option<String>,
    /// The members.
    pub members: Vec<DescribedMember>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub id: MemberId,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// What it says of itself; empty unless the group is stable.
    pub metadata: Bytes,
    /// What was assigned to it last.
    pub assignment: Bytes,
}

impl Handler<Describe> for Group {
    type Result = ();

    fn handle(&mut self, message: Describe, ctx: &mut Context<Self>) {
        let described = self.state.describe();
        self.state.answers.send(message.reply, Ok(described));
        self.settle(ctx);
    }
}

impl ClassicGroup {
    /// The group as clients see it. Who was only given an id is not in it yet.
    pub fn describe(&self) -> Described {
        let protocol = self.protocol.clone().filter(|_| self.state() == State::Stable);
        let members = self.members.iter().map(|(id, member)| DescribedMember {
            id: id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: protocol.as_deref().map(|protocol| member.metadata(protocol)).unwrap_or_default(),
            assignment: member.assignment.clone(),
        });
        Described {
            state: self.state(),
            protocol_type: self.protocol_type.clone(),
            members: members.collect(),
            protocol,
        }
    }
}
