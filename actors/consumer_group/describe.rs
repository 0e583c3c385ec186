//! Describe: a group with its members, and what each has and is to have.

use super::ConsumerGroup;
use super::heartbeat::TopicPartitions;
use super::state::{ConsumerGroupState, ConsumerState};
use crate::durable::Reply;
use crate::group::describe::DescribeError;
use crate::names::{InstanceId, MemberId};
use actix::{Context, Handler, Message};
use callboard_storage::TopicId;

/// Asks for the group with its members.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ConsumerDescribe {
    /// Where to answer.
    pub reply: Reply<DescribedConsumers, DescribeError>,
}

/// A group with its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConsumers {
    /// Its state.
    pub state: ConsumerState,
    /// Its epoch.
    pub epoch: i32,
    /// The epoch of its assignment.
    pub assignment_epoch: i32,
    /// The assignor.
    pub assignor: &'static str,
    /// The members.
    pub members: Vec<DescribedConsumer>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConsumer {
    /// Its id.
    pub id: MemberId,
    /// The name of a static member.
    pub instance: Option<InstanceId>,
    /// The place that it stands in.
    pub rack: Option<String>,
    /// Whether it speaks the classic protocol.
    pub is_classic: bool,
    /// The epoch that it has come to.
    pub epoch: i32,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// The topics that it subscribes to by name.
    pub topics: Vec<String>,
    /// The pattern of those beside them.
    pub pattern: Option<String>,
    /// What it has, or has not given up yet.
    pub assigned: TopicPartitions,
    /// What it is to have.
    pub target: TopicPartitions,
}

impl Handler<ConsumerDescribe> for ConsumerGroup {
    type Result = ();

    fn handle(&mut self, message: ConsumerDescribe, ctx: &mut Context<Self>) {
        let described = self.state.describe();
        self.state.answers.send(message.reply, Ok(described));
        self.settle(ctx);
    }
}

impl ConsumerGroupState {
    /// The group as clients see it.
    pub fn describe(&self) -> DescribedConsumers {
        let members = self.members.iter().map(|(id, member)| DescribedConsumer {
            id: id.clone(),
            instance: member.instance.clone(),
            rack: member.rack.clone(),
            is_classic: member.classic.is_some(),
            epoch: member.epoch,
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            topics: member.topics.iter().cloned().collect(),
            pattern: member.pattern.clone(),
            assigned: by_topic(member.in_hand()),
            target: member.target.iter().map(|(topic, it)| (*topic, it.iter().copied().collect())).collect(),
        });
        DescribedConsumers {
            state: self.state(),
            epoch: self.epoch,
            assignment_epoch: self.assignment_epoch,
            assignor: self.assignor().name(),
            members: members.collect(),
        }
    }
}

fn by_topic(partitions: impl Iterator<Item = (TopicId, i32)>) -> TopicPartitions {
    let mut all = TopicPartitions::new();
    for (topic, partition) in partitions {
        all.entry(topic).or_default().push(partition);
    }
    all
}
