//! An actix application with the broker in it: one actor sends orders, another subscribes to them.
//!
//!     cargo run --example subscribe

use actix::prelude::*;
use callboard::client::Producer;
use callboard::subscribe::{Again, Records};
use callboard::{Broker, Client, Config, Record};
use tokio::sync::mpsc;

/// Takes orders and puts them on the board.
struct Counter {
    orders: Producer,
}

#[derive(Message)]
#[rtype(result = "Result<i64, callboard::client::Error>")]
struct Order(&'static str);

impl Actor for Counter {
    type Context = Context<Self>;
}

impl Handler<Order> for Counter {
    type Result = ResponseFuture<Result<i64, callboard::client::Error>>;

    fn handle(&mut self, Order(what): Order, _ctx: &mut Context<Self>) -> Self::Result {
        let delivery = self.orders.send(Record::to("orders").value(what));
        Box::pin(async { Ok(delivery.await?.offset) })
    }
}

/// Gets every order, in the order of its partition; what it does not acknowledge comes again.
struct Kitchen {
    done: mpsc::UnboundedSender<String>,
}

impl Actor for Kitchen {
    type Context = Context<Self>;
}

impl Handler<Records> for Kitchen {
    type Result = Result<(), Again>;

    fn handle(&mut self, Records { batch, .. }: Records, _ctx: &mut Context<Self>) -> Self::Result {
        for record in batch {
            let record = record.map_err(|_| Again)?;
            let what = record.value().map(|value| String::from_utf8_lossy(value).into_owned());
            println!("kitchen: {what:?} from {}-{}", record.topic, record.partition);
            self.done.send(what.unwrap_or_default()).map_err(|_| Again)?;
        }
        Ok(())
    }
}

#[actix::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // On the thread of these actors: no message between them and the broker wakes another.
    let broker = Broker::start_on(Config::new(folder.path()).without_ports(), [Arbiter::current()]).await?;
    let counter = Counter { orders: Client::in_process(&broker).producer() }.start();
    let (done, mut inbox) = mpsc::unbounded_channel();
    let kitchen = Kitchen { done }.start();
    let subscription = broker.subscribe("kitchen", ["orders"], kitchen.recipient()).await?;
    for what in ["one teapot", "two cups", "a spoon"] {
        println!("counter: {what} is order {}", counter.send(Order(what)).await??);
    }
    for _ in 0..3 {
        inbox.recv().await;
    }
    subscription.stop().await;
    broker.shutdown().await;
    Ok(())
}
