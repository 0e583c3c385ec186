//! Actors that subscribe: what they acknowledge, what they refuse, and what happens when they die.

use crate::support::{PATIENCE, Trial, create, fill, soon};
use actix::prelude::*;
use anyhow::Result;
use callboard::subscribe::{Again, Ended, Records};
use callboard::{Broker, Client, Config, Record};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// An actor that tells what it got, and takes so many records before it refuses or dies.
struct Reader {
    got: mpsc::UnboundedSender<String>,
    takes: usize,
    then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    RefuseOnce,
    Die,
}

impl Actor for Reader {
    type Context = Context<Self>;
}

impl Handler<Records> for Reader {
    type Result = Result<(), Again>;

    fn handle(&mut self, Records { batch, .. }: Records, ctx: &mut Context<Self>) -> Self::Result {
        for record in batch {
            if self.takes == 0 {
                self.takes = usize::MAX;
                if self.then == Then::Die {
                    ctx.stop();
                }
                return Err(Again);
            }
            self.takes -= 1;
            let value = record.unwrap().value().unwrap().to_vec();
            self.got.send(String::from_utf8(value).unwrap()).unwrap();
        }
        Ok(())
    }
}

fn reader(takes: usize, then: Then) -> (Recipient<Records>, mpsc::UnboundedReceiver<String>) {
    let (got, inbox) = mpsc::unbounded_channel();
    (Reader { got, takes, then }.start().recipient(), inbox)
}

async fn received(inbox: &mut mpsc::UnboundedReceiver<String>, count: usize) -> Result<Vec<String>> {
    let mut all = Vec::new();
    while all.len() < count {
        all.push(soon(inbox.recv()).await?.unwrap());
    }
    Ok(all)
}

#[actix::test]
async fn an_actor_gets_what_is_there_and_what_comes_and_it_is_committed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let broker = Broker::start(Config::new(folder.path()).without_ports()).await?;
    let client = Client::in_process(&broker);
    create(&client, "orders", 1).await?;
    fill(&client, "orders", 0, &["1", "2"]).await?;
    let (recipient, mut inbox) = reader(usize::MAX, Then::Die);
    let subscription = broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(received(&mut inbox, 2).await?, ["1", "2"]);
    fill(&client, "orders", 0, &["3"]).await?;
    assert_eq!(received(&mut inbox, 1).await?, ["3"]);
    soon(subscription.stop()).await?;
    let offsets = client.admin().group_offsets("group").await?;
    assert_eq!(offsets[0].offset, Some(3), "what was acknowledged is committed");
    fill(&client, "orders", 0, &["4"]).await?;
    let (recipient, mut inbox) = reader(usize::MAX, Then::Die);
    let _subscription = broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(received(&mut inbox, 1).await?, ["4"]);
    Ok(())
}

#[actix::test]
async fn what_an_actor_refuses_comes_again() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "orders", 1).await?;
    for value in ["1", "2", "3"] {
        fill(&client, "orders", 0, &[value]).await?;
    }
    let (recipient, mut inbox) = reader(1, Then::RefuseOnce);
    let _subscription = trial.broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(received(&mut inbox, 3).await?, ["1", "2", "3"]);
    Ok(())
}

#[actix::test]
async fn what_a_dead_actor_did_not_acknowledge_comes_to_its_successor() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "orders", 1).await?;
    for value in ["1", "2", "3"] {
        fill(&client, "orders", 0, &[value]).await?;
    }
    let (recipient, mut inbox) = reader(2, Then::Die);
    let mut subscription = trial.broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(received(&mut inbox, 2).await?, ["1", "2"]);
    assert!(matches!(soon(subscription.ended()).await?, Ended::ActorGone));
    let (recipient, mut inbox) = reader(usize::MAX, Then::Die);
    let _subscription = trial.broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(received(&mut inbox, 1).await?, ["3"]);
    Ok(())
}

#[actix::test]
async fn many_records_pass_through_in_order() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "many", 1).await?;
    let count = 100_000;
    let producer = client.producer();
    let (recipient, mut inbox) = reader(usize::MAX, Then::Die);
    let _subscription = trial.broker.subscribe("group", ["many"], recipient).await?;
    let sending = actix_rt::spawn(async move {
        producer.send_all((0..count).map(|number| Record::to("many").value(number.to_string()))).await
    });
    for number in 0..count {
        assert_eq!(soon(inbox.recv()).await?.unwrap(), number.to_string());
    }
    soon(sending).await???;
    Ok(())
}

/// An actor that has records in hand and does not reply until it is told to.
struct Slow {
    got: mpsc::UnboundedSender<i64>,
    go_on: Option<oneshot::Receiver<()>>,
}

impl Actor for Slow {
    type Context = Context<Self>;
}

impl Handler<Records> for Slow {
    type Result = ResponseFuture<Result<(), Again>>;

    fn handle(&mut self, Records { batch, .. }: Records, _ctx: &mut Context<Self>) -> Self::Result {
        self.got.send(batch.first_offset()).unwrap();
        let go_on = self.go_on.take();
        Box::pin(async move { go_on.unwrap().await.map_err(|_| Again) })
    }
}

fn slow() -> (Recipient<Records>, mpsc::UnboundedReceiver<i64>, oneshot::Sender<()>) {
    let (got, inbox) = mpsc::unbounded_channel();
    let (told, go_on) = oneshot::channel();
    (Slow { got, go_on: Some(go_on) }.start().recipient(), inbox, told)
}

#[actix::test]
async fn stopping_does_not_wait_for_ever_for_an_actor_that_does_not_reply() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "orders", 1).await?;
    fill(&client, "orders", 0, &["1"]).await?;
    let (recipient, mut inbox, _never) = slow();
    let subscription = trial.broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(soon(inbox.recv()).await?, Some(0));
    soon(subscription.stop_within(Duration::from_millis(50))).await?;
    assert_eq!(client.admin().group("group").await?.members.len(), 0, "the group is left");
    let (recipient, mut inbox) = reader(usize::MAX, Then::Die);
    let _subscription = trial.broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(received(&mut inbox, 1).await?, ["1"], "it was withdrawn");
    Ok(())
}

#[actix::test]
async fn stopping_waits_for_the_reply_to_what_an_actor_has_in_hand() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "orders", 1).await?;
    fill(&client, "orders", 0, &["1"]).await?;
    let (recipient, mut inbox, go_on) = slow();
    let subscription = trial.broker.subscribe("group", ["orders"], recipient).await?;
    assert_eq!(soon(inbox.recv()).await?, Some(0));
    let stopping = actix_rt::spawn(subscription.stop_within(PATIENCE));
    tokio::task::yield_now().await;
    go_on.send(()).unwrap();
    soon(stopping).await??;
    assert_eq!(client.admin().group_offsets("group").await?[0].offset, Some(1), "it was acknowledged");
    Ok(())
}
