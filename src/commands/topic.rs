//! `callboard topic`.

use super::hints::AboutTopic;
use super::output::{Rows, done};
use crate::cli::{Connection, TopicCommand};
use crate::config::nearest::closest;
use anyhow::{Result, bail, ensure};
use callboard_client::Client;
use callboard_client::admin::{Admin, TopicSpec};
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::admin::{Edit, Resource};
use callboard_protocol::native::read::Position;
use serde_json::json;

pub(super) async fn run(client: &Client, command: TopicCommand, connection: &Connection) -> Result<()> {
    let (admin, json) = (client.admin(), connection.json);
    match command {
        TopicCommand::Create { name, partitions, set } => {
            let spec =
                partitions.map_or_else(|| TopicSpec::new(&name), |it| TopicSpec::new(&name).partitions(it));
            let spec = set.into_iter().fold(spec, |spec, (key, value)| spec.config(key, value));
            let topic = admin.create_topic(spec).await.about_topic(&name)?;
            let what = format!("created {name} with {} partition(s)", topic.partitions);
            done(
                json,
                &what,
                json!({"topic": name, "id": topic.id.to_string(), "partitions": topic.partitions}),
            )
        }
        TopicCommand::List => {
            let mut rows = Rows::new(&["topic", "partitions", "id"]);
            for (name, topic) in admin.topics().await? {
                rows.push([json!(name), json!(topic.partitions), json!(topic.id.to_string())]);
            }
            rows.print(json)
        }
        TopicCommand::Describe { name } => describe(client, &name, json).await,
        TopicCommand::Alter { name, partitions, set, unset } => {
            ensure!(
                partitions.is_some() || !set.is_empty() || !unset.is_empty(),
                "nothing is to be altered: say --partitions, --set or --unset"
            );
            if let Some(partitions) = partitions {
                // Before anything is changed: who is refused one thing did not get the other.
                admin.validate_growth(&name, partitions).await.about_topic(&name)?;
            }
            if !set.is_empty() || !unset.is_empty() {
                check_names(&admin, &name, &unset).await?;
                let set = set.into_iter().map(|(key, value)| (key, Edit::Set(value)));
                let edits = set.chain(unset.into_iter().map(|key| (key, Edit::Delete)));
                admin.alter_configs(Resource::Topic(name.clone()), edits).await.about_topic(&name)?;
            }
            if let Some(partitions) = partitions {
                admin.grow_topic(&name, partitions).await.about_topic(&name)?;
            }
            done(json, &format!("altered {name}"), json!({"topic": name}))
        }
        TopicCommand::Delete { name } => {
            admin.delete_topic(&name).await.about_topic(&name)?;
            done(json, &format!("deleted {name}"), json!({"topic": name}))
        }
    }
}

/// The broker passes over what is to have its default and is no setting at all.
async fn check_names(admin: &Admin, topic: &str, names: &[String]) -> Result<()> {
    let known = admin.configs(Resource::Topic(topic.to_owned())).await.about_topic(topic)?;
    for name in names {
        if !known.iter().any(|config| config.name == *name) {
            let known = known.iter().map(|config| config.name.as_str());
            let nearest = closest(name, known).unwrap_or_default();
            bail!("no topic has a setting {name}; the nearest known one is {nearest}");
        }
    }
    Ok(())
}

async fn describe(client: &Client, name: &str, json: bool) -> Result<()> {
    let admin = client.admin();
    let topic = admin.topic(name).await.about_topic(name)?;
    let mut rows = Rows::new(&["topic", "partition", "first offset", "end offset"]);
    for partition in 0..topic.partitions {
        let of = TopicPartition { topic: topic.id, partition };
        let earliest = admin.partition_offset(of, Position::Earliest).await?.map(|it| it.offset);
        let latest = admin.partition_offset(of, Position::Latest).await?.map(|it| it.offset);
        rows.push([json!(name), json!(partition), json!(earliest), json!(latest)]);
    }
    rows.print(json)?;
    let configs = admin.configs(Resource::Topic(name.to_owned())).await?;
    let mut rows = Rows::new(&["setting", "value"]);
    let mut is_any = false;
    for config in configs.into_iter().filter(|config| config.origin == "topic") {
        is_any = true;
        rows.push([json!(config.name), json!(config.value)]);
    }
    if is_any { rows.print(json) } else { Ok(()) }
}
