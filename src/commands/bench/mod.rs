//! `callboard bench`: how fast a running broker is, as a client sees it.
//!
//! - [`produce`], [`consume`], [`latency`]: what is measured
//! - [`values`]: what is sent
//! - [`report`]: what is told of it

mod consume;
mod latency;
mod produce;
mod report;
mod values;

use crate::cli::{BenchCommand, Load, When};
use crate::commands::hints::AboutTopic;
use anyhow::{Context, Result, ensure};
use callboard_client::admin::TopicSpec;
use callboard_client::{Acks, Client, Error};
use callboard_protocol::native::Code;
use callboard_protocol::native::topics::Topic;

pub(super) async fn run(client: &Client, bench: BenchCommand) -> Result<()> {
    match bench {
        BenchCommand::Produce(bench) => produce::run(client, bench).await,
        BenchCommand::Consume(bench) => consume::run(client, bench).await,
        BenchCommand::Latency(bench) => latency::run(client, bench).await,
    }
}

/// The topic of a load, which is created when it is not there.
async fn topic(client: &Client, load: &Load) -> Result<Topic> {
    let name = load.topic.as_str();
    let found = match client.admin().topic(name).await {
        Err(Error::Refused(refusal)) if refusal.code == Code::UNKNOWN_TOPIC => create(client, load).await?,
        found => found.about_topic(name)?,
    };
    if let Some(partitions) = load.partitions {
        ensure!(
            found.partitions == partitions,
            "topic {name} has {} partition(s); leave --partitions away, name another topic with --topic, \
             or begin anew with `callboard topic delete {name}`",
            found.partitions
        );
    }
    Ok(found)
}

async fn create(client: &Client, load: &Load) -> Result<Topic> {
    let spec = TopicSpec::new(&load.topic);
    let spec = load.partitions.map_or_else(|| TopicSpec::new(&load.topic), |count| spec.partitions(count));
    let created = client.admin().create_topic(spec).await;
    created.with_context(|| format!("topic {} cannot be created", load.topic))
}

fn acks(when: When) -> Acks {
    match when {
        When::None => Acks::None,
        When::Written => Acks::Written,
        When::Synced => Acks::Synced,
    }
}

/// Why a record was not delivered, and what to do about it.
fn undelivered(error: Error, topic: &str) -> anyhow::Error {
    let is_too_large = error.code() == Some(Code::BATCH_TOO_LARGE);
    let problem = anyhow::Error::new(error);
    if is_too_large {
        return problem.context(format!(
            "a batch was not delivered; lower --size or --batch-bytes, or let the topic take larger ones \
             with `callboard topic alter {topic} --set max.message.bytes=BYTES`"
        ));
    }
    problem.context("a record was not delivered")
}
