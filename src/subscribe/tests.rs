//! The end of a subscription whose actor has records in hand.

use super::*;
use crate::{Config, Record};
use actix::{Actor, Context, Handler, ResponseFuture};
use futures_util::future::{Either, select};
use tokio::sync::mpsc;

/// An actor that replies what it is told to, when it is told to.
struct Told {
    has_got: mpsc::UnboundedSender<()>,
    replies: Option<oneshot::Receiver<Result<(), Again>>>,
}

impl Actor for Told {
    type Context = Context<Self>;
}

impl Handler<Records> for Told {
    type Result = ResponseFuture<Result<(), Again>>;

    fn handle(&mut self, _records: Records, _ctx: &mut Context<Self>) -> Self::Result {
        self.has_got.send(()).unwrap();
        let reply = self.replies.take();
        Box::pin(async move { reply.unwrap().await.unwrap() })
    }
}

#[actix::test]
async fn a_reply_that_comes_after_the_word_to_end_is_the_last_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::spawn(Config::new(folder.path()).without_ports()).await.unwrap();
    let client = Client::in_process(&broker);
    client.producer().send(Record::to("orders").partition(0).value("x")).await.unwrap();
    for (reply, group, committed) in [(Ok(()), "taken", 1), (Err(Again), "refused", 0)] {
        let consumer = client.consumer().group(group).topics(["orders"]).auto_commit(None);
        let consumer = consumer.auto_offset_reset(Reset::Earliest).build().await.unwrap();
        let (has_got, mut got) = mpsc::unbounded_channel();
        let (told, replies) = oneshot::channel();
        let recipient = Told { has_got, replies: Some(replies) }.start().recipient();
        let (stop, stopped) = oneshot::channel();
        let delivering = Box::pin(deliver(consumer, &recipient, stopped));
        let Either::Right((Some(()), mut delivering)) = select(delivering, Box::pin(got.recv())).await else {
            panic!("{group}: it ended without a word");
        };
        stop.send(STOP_PATIENCE).unwrap();
        assert!(futures_util::poll!(&mut delivering).is_pending(), "{group}: it waits for the reply");
        told.send(reply).unwrap();
        assert!(matches!(delivering.await, Ended::Stopped), "{group}");
        assert_eq!(client.admin().group(group).await.unwrap().members.len(), 0, "{group} is left");
        let offsets = client.admin().group_offsets(group).await.unwrap();
        assert_eq!(offsets[0].offset, Some(committed), "{group}");
    }
}
