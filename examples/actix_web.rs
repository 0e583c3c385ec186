//! A web application with the broker in it: what is posted goes to a topic, and an actor reads it there.
//!
//!     cargo run --example actix_web [PORT]       # 8080 without; 0 for any that is free
//!     curl -d 'one teapot' localhost:8080/orders
//!     curl localhost:8080/orders
//!
//! Web server, broker and actors share one actix system. Ctrl-C ends them in the order in which they
//! need each other.

use actix::prelude::*;
use actix_web::error::{ErrorBadRequest, ErrorServiceUnavailable};
use actix_web::web::{self, Data, Json};
use actix_web::{App, HttpResponse, HttpServer, Responder};
use callboard::client::Producer;
use callboard::client::admin::TopicSpec;
use callboard::subscribe::{Again, Records};
use callboard::{Broker, Client, Config, Record};
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::signal::unix::{SignalKind, signal};

/// Orders that the kitchen remembers.
const SEEN_MAX: usize = 100;

/// Gets every order once it is durable, and remembers the last ones.
#[derive(Default)]
struct Kitchen {
    seen: VecDeque<Value>,
}

impl Actor for Kitchen {
    type Context = Context<Self>;
}

impl Handler<Records> for Kitchen {
    type Result = Result<(), Again>;

    fn handle(&mut self, Records { batch, .. }: Records, _ctx: &mut Context<Self>) -> Self::Result {
        for record in batch {
            let record = record.map_err(|_| Again)?;
            let what = record.value().map(|value| String::from_utf8_lossy(value));
            if self.seen.len() == SEEN_MAX {
                self.seen.pop_front();
            }
            let (partition, offset) = (record.partition, record.offset());
            self.seen.push_back(json!({"partition": partition, "offset": offset, "order": what}));
        }
        Ok(())
    }
}

/// Asks for the last orders that the kitchen got.
#[derive(Message)]
#[rtype(result = "Vec<Value>")]
struct Seen;

impl Handler<Seen> for Kitchen {
    type Result = Vec<Value>;

    fn handle(&mut self, _: Seen, _ctx: &mut Context<Self>) -> Self::Result {
        self.seen.iter().cloned().collect()
    }
}

/// Takes an order. The answer says where it stands, and comes when it is synced to the disk.
async fn post_order(orders: Data<Producer>, what: String) -> actix_web::Result<impl Responder> {
    if what.is_empty() {
        return Err(ErrorBadRequest("an order says what is ordered\n"));
    }
    let receipt = orders.send(Record::to("orders").value(what)).await.map_err(ErrorServiceUnavailable)?;
    let place = json!({"partition": receipt.partition, "offset": receipt.offset});
    Ok(HttpResponse::Created().json(place))
}

/// Tells what the kitchen has got.
async fn get_orders(kitchen: Data<Addr<Kitchen>>) -> actix_web::Result<impl Responder> {
    Ok(Json(kitchen.send(Seen).await.map_err(ErrorServiceUnavailable)?))
}

#[actix::main]
async fn main() -> anyhow::Result<()> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let folder = tempfile::tempdir()?;
    let broker = Broker::start(Config::new(folder.path()).without_ports()).await?;
    let client = Client::in_process(&broker);
    client.admin().create_topic(TopicSpec::new("orders").partitions(1)).await?;
    let orders = Data::new(client.producer());
    let kitchen = Kitchen::default().start();
    let subscription = broker.subscribe("kitchen", ["orders"], kitchen.clone().recipient()).await?;

    let kitchen = Data::new(kitchen);
    let application = move || {
        let orders_of = web::resource("/orders").post(post_order).get(get_orders);
        App::new().app_data(orders.clone()).app_data(kitchen.clone()).service(orders_of)
    };
    // Before it says that it is there: who hears of it may stop it at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopped = async move { _ = interrupt.recv().await };
    let server = HttpServer::new(application).workers(1).bind(("127.0.0.1", port))?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    // Ends when requests that have begun are answered; only then what they need may go.
    server.shutdown_signal(stopped).shutdown_timeout(5).run().await?;
    subscription.stop().await;
    broker.shutdown().await;
    println!("stopped");
    Ok(())
}
