//! Brokers for tests under a Kafka client that nobody here wrote: its error paths can be tried.

use crate::client::Client as Program;
use anyhow::{Context, Result};
use callboard::testing::{Effect, Fault, TestBroker};
use callboard_protocol::kafka::ErrorCode;
use std::fs;
use std::time::Duration;

/// Sends a line by kcat, which ends when its connection does, and tells what is in the topic then.
async fn send(broker: &TestBroker, topic: &'static str) -> Result<String> {
    let address = broker.bootstrap_servers();
    let sent = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("line");
        fs::write(&file, "a line\n")?;
        let (broker, file) = (["-b", &address, "-t", topic], file.to_str().context("a strange path")?);
        let quick =
            ["-X", "enable.idempotence=true", "-X", "retry.backoff.ms=10", "-X", "reconnect.backoff.ms=10"];
        Program::Kcat.run(&[&["-P", "-p", "0", "-l", file][..], &broker, &quick].concat())?;
        let read =
            Program::Kcat.run(&[&["-C", "-e", "-q", "-o", "beginning", "-p", "0"][..], &broker].concat())?;
        Ok::<_, anyhow::Error>(String::from_utf8(read)?)
    });
    sent.await?
}

#[tokio::test]
async fn kcat_gets_over_whatever_goes_wrong_once() -> Result<()> {
    if !Program::Kcat.is_chosen() {
        return Ok(());
    }
    let broker = TestBroker::start().await?;
    let refuse = |code: ErrorCode| Effect::Refuse(code.0);
    for (topic, operation, effect) in [
        ("refused", "Produce", refuse(ErrorCode::NOT_LEADER_OR_FOLLOWER)),
        ("late", "Produce", Effect::Delay(Duration::from_millis(50))),
        ("unknown", "Metadata", refuse(ErrorCode::LEADER_NOT_AVAILABLE)),
        ("nobody", "InitProducerId", refuse(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)),
        ("unread", "Fetch", refuse(ErrorCode::NOT_LEADER_OR_FOLLOWER)),
    ] {
        let before = broker.faults_happened();
        broker.inject(Fault::new(effect).on(operation));
        assert_eq!(send(&broker, topic).await.with_context(|| topic)?, "a line\n", "{topic}");
        assert_eq!(broker.faults_happened(), before + 1, "{topic}");
    }
    Ok(())
}
