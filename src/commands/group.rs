//! `callboard group`.

use super::AboutTopic;
use super::output::{Rows, done};
use crate::cli::{Connection, From, GroupCommand};
use anyhow::{Context, Result};
use callboard_client::Client;
use callboard_client::admin::Admin;
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::read::Position;
use serde_json::json;
use std::collections::HashMap;

pub(super) async fn run(client: &Client, command: GroupCommand, connection: &Connection) -> Result<()> {
    let (admin, json) = (client.admin(), connection.json);
    match command {
        GroupCommand::List => {
            let mut rows = Rows::new(&["group", "protocol", "state"]);
            for group in admin.groups().await? {
                rows.push([json!(group.group), json!(group.protocol), json!(group.state)]);
            }
            rows.print(json)
        }
        GroupCommand::Describe { name } => describe(&admin, &name, json).await,
        GroupCommand::Reset { name, topic, to } => reset(&admin, &name, &topic, to, json).await,
        GroupCommand::Delete { name } => {
            admin.delete_group(&name).await.with_context(|| about(&name))?;
            done(json, &format!("deleted {name}"), json!({"group": name}))
        }
    }
}

fn about(group: &str) -> String {
    format!("group {group}; `callboard group list` tells which there are")
}

async fn describe(admin: &Admin, name: &str, json: bool) -> Result<()> {
    let group = admin.group(name).await.with_context(|| about(name))?;
    let mut members = Rows::new(&["group", "state", "member", "client", "host", "partitions"]);
    for member in group.members {
        let assigned = member.assigned.iter().map(|(topic, partitions)| format!("{topic}{partitions:?}"));
        let assigned = assigned.collect::<Vec<_>>().join(" ");
        let (state, client, host) = (&group.state, member.client_id, member.client_host);
        members.push([
            json!(name),
            json!(state),
            json!(member.member),
            json!(client),
            json!(host),
            json!(assigned),
        ]);
    }
    members.print(json)?;
    let names: HashMap<_, _> =
        admin.topics().await?.into_iter().map(|(name, topic)| (topic.id, name)).collect();
    let mut offsets = Rows::new(&["topic", "partition", "offset", "end offset", "lag"]);
    for committed in admin.group_offsets(name).await? {
        let TopicPartition { topic, partition } = committed.partition;
        let Some(topic) = names.get(&topic) else { continue };
        let end = admin.partition_offset(committed.partition, Position::Latest).await?.map(|it| it.offset);
        let lag = end.zip(committed.offset).map(|(end, offset)| (end - offset).max(0));
        offsets.push([json!(topic), json!(partition), json!(committed.offset), json!(end), json!(lag)]);
    }
    offsets.print(json)
}

async fn reset(admin: &Admin, group: &str, topic: &str, to: From, json: bool) -> Result<()> {
    let found = admin.topic(topic).await.about_topic(topic)?;
    let mut offsets = Vec::new();
    let mut rows = Rows::new(&["group", "topic", "partition", "offset"]);
    for partition in 0..found.partitions {
        let partition = TopicPartition { topic: found.id, partition };
        let offset = offset(admin, partition, to).await?;
        offsets.push((partition, offset));
        rows.push([json!(group), json!(topic), json!(partition.partition), json!(offset)]);
    }
    let set = admin.set_group_offsets(group, offsets).await;
    set.with_context(|| format!("group {group}; its members must have left before it can be reset"))?;
    rows.print(json)
}

/// The offset of a partition that a place comes to; behind the last record where none has that time.
async fn offset(admin: &Admin, partition: TopicPartition, place: From) -> Result<i64> {
    let position = match place {
        From::Offset(offset) => return Ok(offset),
        From::Beginning => Position::Earliest,
        From::End => Position::Latest,
        From::Time(time) => Position::AtTime(time),
    };
    let found = match admin.partition_offset(partition, position).await? {
        Some(found) => Some(found),
        None => admin.partition_offset(partition, Position::Latest).await?,
    };
    Ok(found.map_or(0, |found| found.offset))
}
