//! Commits without sockets: what the groups, the committer and the disk can do.

use super::{COMMITTING_FOR, TOPIC};
use anyhow::{Context, Result};
use callboard_actors::broker::create_topics::{CreateTopics, Mode, NewTopic};
use callboard_actors::broker::{self, BrokerHandle};
use callboard_actors::config::Settings;
use callboard_actors::coordinator::groups::Kind;
use callboard_actors::coordinator::locate::Missing;
use callboard_actors::mail::ask;
use callboard_actors::names::GroupId;
use callboard_actors::offsets::commit::{CommitOffsets, Committing, Epochs, NewOffset};
use callboard_actors::placement::Placement;
use callboard_benches::broker::release_folder;
use callboard_benches::commits::GROUPS;
use callboard_storage::TopicId;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// As many groups as over sockets, each of which commits one offset at a time.
pub fn commits() -> Result<()> {
    let folder = tempfile::tempdir_in(release_folder()?)?;
    let path = folder.path().to_string_lossy();
    let settings = Arc::new(Settings::from_pairs([("data.dir", path.as_ref())])?);
    actix::System::new().block_on(async {
        let placement = Placement::start(0);
        let broker = broker::start::start(settings, placement.clone())?;
        let topic = create_topic(&broker).await?;
        let (counts, mut counted) = mpsc::unbounded_channel();
        let begun = Instant::now();
        for number in 0..GROUPS {
            let group = GroupId::from(format!("committing-{number}").as_str());
            // Where the group is, or elsewhere, as connections are.
            let (broker, counts) = (broker.clone(), counts.clone());
            placement.connection().spawn(async move {
                let _ = counts.send(commit_on(broker, group, topic, begun + COMMITTING_FOR).await);
            });
        }
        drop(counts);
        let mut count = 0;
        while let Some(more) = counted.recv().await {
            count += more?;
        }
        let rate = count as f64 / begun.elapsed().as_secs_f64();
        let text = format!("{rate:.0} a second from {GROUPS} groups");
        super::print("in process", "commits", &text);
        broker.shutdown().await;
        placement.stop();
        Ok(())
    })
}

async fn create_topic(broker: &BrokerHandle) -> Result<TopicId> {
    let topics = vec![NewTopic { name: TOPIC.into(), ..NewTopic::default() }];
    let created = ask(broker.broker(), |reply| CreateTopics { topics, mode: Mode::Apply, reply }).await?;
    Ok(created.into_iter().next().context("no topic")??.id)
}

/// Commits until then, and tells how often.
async fn commit_on(broker: BrokerHandle, group: GroupId, topic: TopicId, until: Instant) -> Result<i64> {
    let mut offset = 0;
    while Instant::now() < until {
        let new = NewOffset { partition: (topic, 0), offset, leader_epoch: -1, metadata: String::new() };
        let offsets = Arc::new(vec![new]);
        let from = Committing { member: None, instance: None, generation: -1, epochs: Epochs::Known };
        let message = |reply| CommitOffsets {
            from: from.clone(),
            offsets: Arc::clone(&offsets),
            retention: None,
            reply,
        };
        broker.ask_group(&group, Missing::Create(Kind::Classic), message).await??;
        offset += 1;
    }
    Ok(offset)
}
