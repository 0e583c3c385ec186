//! From a commit to the handler of an actor that subscribes.

use crate::{create, own_usage};
use actix::{Actor, Handler};
use anyhow::{Context, Result};
use callboard::subscribe::{Again, Records};
use callboard::{Broker, Client, Config, Record, StartError};
use callboard_benches::broker::release_folder;
use callboard_benches::produce::Outcome;
use callboard_benches::report;
use std::time::Instant;
use tokio::sync::mpsc;

const RECORDS: usize = 5_000;

/// Tells when its handler was called.
struct Reader(mpsc::UnboundedSender<Instant>);

impl Actor for Reader {
    type Context = actix::Context<Self>;
}

impl Handler<Records> for Reader {
    type Result = Result<(), Again>;

    fn handle(&mut self, _records: Records, _ctx: &mut Self::Context) -> Self::Result {
        let _ = self.0.send(Instant::now());
        Ok(())
    }
}

/// One record after the other. The producer learns of a commit at the same time as the subscription, so
/// what is told is how much later the handler is called than the producer's task goes on: 0 where it
/// is called first.
///
/// # Errors
/// When the broker does not start, or records get lost.
pub(crate) fn run(broker: &str, start: impl AsyncFnOnce(Config) -> Result<Broker, StartError>) -> Result<()> {
    let folder = tempfile::tempdir_in(release_folder()?)?;
    actix::System::new().block_on(async {
        let running = start(Config::new(folder.path()).without_ports()).await?;
        let client = Client::in_process(&running);
        create(&client, "subscribed").await?;
        let (called, mut calls) = mpsc::unbounded_channel();
        let subscription =
            running.subscribe("readers", ["subscribed"], Reader(called).start().recipient()).await?;
        let producer = client.producer();
        let before = own_usage()?;
        let begun = Instant::now();
        let mut latencies = Vec::with_capacity(RECORDS);
        for _ in 0..RECORDS {
            producer.send(Record::to("subscribed").value("x")).await?;
            let committed = Instant::now();
            latencies
                .push(calls.recv().await.context("the actor is gone")?.saturating_duration_since(committed));
        }
        let took = begun.elapsed();
        latencies.sort_unstable();
        let outcome = Outcome { took, bytes: RECORDS, records: RECORDS, latencies };
        report::load("subscribed", broker, &outcome, before, own_usage()?);
        subscription.stop().await;
        running.shutdown().await;
        Ok(())
    })
}
