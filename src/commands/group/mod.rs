//! `callboard group`; [`reset`] is a file of its own.

mod reset;

use crate::cli::{Connection, GroupCommand};
use crate::commands::hints::AboutGroup;
use crate::commands::output::{Rows, done, line};
use anyhow::Result;
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
        GroupCommand::Reset(args) => reset::run(&admin, &args, json).await,
        GroupCommand::Delete { name } => {
            admin.delete_group(&name).await.about_group(&name)?;
            done(json, &format!("deleted {name}"), json!({"group": name}))
        }
    }
}

async fn describe(admin: &Admin, name: &str, json: bool) -> Result<()> {
    let group = admin.group(name).await.about_group(name)?;
    if json {
        let members = group.members.len();
        let summary =
            json!({"group": name, "protocol": group.protocol, "state": group.state, "members": members});
        line(&summary.to_string())?;
    } else if group.members.is_empty() {
        line(&format!("group {name} has no members; its state is {}", group.state))?;
    }
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
    if json || !members.is_empty() {
        members.print(json)?;
    }
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
