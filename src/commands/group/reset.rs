//! `callboard group reset`: lets a group go on from elsewhere.

use crate::cli::{From, ResetArgs};
use crate::commands::hints::{AboutGroup, AboutTopic, chosen, has_members};
use crate::commands::output::{Rows, warn};
use anyhow::Result;
use callboard_client::Error;
use callboard_client::admin::Admin;
use callboard_protocol::native::read::Position;
use callboard_protocol::native::{Code, TopicPartition};
use serde_json::json;

pub(super) async fn run(admin: &Admin, args: &ResetArgs, json: bool) -> Result<()> {
    let ResetArgs { name, topic, .. } = args;
    let found = admin.topic(topic).await.about_topic(topic)?;
    let partitions = chosen(topic, found.partitions, args.partition)?;
    if args.dry_run && is_read(admin, name).await? {
        return Err(has_members(name));
    }
    let mut offsets = Vec::new();
    let mut rows = Rows::new(&["group", "topic", "partition", "offset"]);
    for partition in partitions {
        let of = TopicPartition { topic: found.id, partition };
        let offset = offset(admin, of, args.to).await?;
        if let From::Offset(wanted) = args.to
            && wanted != offset
        {
            warn(&format!(
                "partition {partition} of {topic} has no offset {wanted}; {offset} is the nearest"
            ));
        }
        offsets.push((of, offset));
        rows.push([json!(name), json!(topic), json!(partition), json!(offset)]);
    }
    if !args.dry_run {
        admin.set_group_offsets(name, offsets).await.about_group(name)?;
    }
    rows.print(json)
}

/// Whether the group has members.
async fn is_read(admin: &Admin, group: &str) -> Result<bool> {
    match admin.group(group).await {
        Ok(group) => Ok(!group.members.is_empty()),
        // One that is not there is made by its first offset.
        Err(Error::Refused(refusal)) if refusal.code == Code::UNKNOWN_GROUP => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The offset of a partition that a place comes to; behind the last record where none has that time.
async fn offset(admin: &Admin, partition: TopicPartition, place: From) -> Result<i64> {
    let at = async |position| admin.partition_offset(partition, position).await;
    let found = match place {
        From::Offset(wanted) => {
            let earliest = at(Position::Earliest).await?.map_or(0, |found| found.offset);
            let latest = at(Position::Latest).await?.map_or(earliest, |found| found.offset);
            return Ok(wanted.clamp(earliest, latest.max(earliest)));
        }
        From::Beginning => at(Position::Earliest).await?,
        From::End => None,
        From::Time(time) => at(Position::AtTime(time)).await?,
    };
    let found = match found {
        Some(found) => Some(found),
        None => at(Position::Latest).await?,
    };
    Ok(found.map_or(0, |found| found.offset))
}
