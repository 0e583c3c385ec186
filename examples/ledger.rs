//! A ledger that survives SIGKILL at any moment: balances, and the transfers between them as events,
//! are one write each, so none is ever lost, doubled or half done.
//!
//!     cargo run --example ledger DIR [TRANSFERS]     # kill it, and run it again
//!
//! Prints `done N` for each transfer that is acknowledged. Each start first proves that the balances
//! are what the events say, and prints `balanced N` with the number of the events.

use anyhow::{Context, ensure};
use callboard::client::Error;
use callboard::client::admin::{Position, TopicSpec};
use callboard::client::codec::Json;
use callboard::client::consumer::Reset;
use callboard::client::error::Code;
use callboard::unit::UnitError;
use callboard::{Broker, Client, Config, Keyspace, Record};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;

type Accounts = Keyspace<Json<i64>>;

const TOPIC: &str = "transfers";
const ACCOUNTS: u64 = 5;
const BEGINNING: i64 = 1000;

#[derive(Debug, Serialize, Deserialize)]
struct Transfer {
    number: u64,
    from: u64,
    to: u64,
    amount: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("say in which folder the ledger is")?;
    let count: u64 = arguments.next().map_or(Ok(10), |count| count.parse())?;
    let config = Config::new(folder).without_ports().set("workers", 1).set("storage.free.bytes.min", 0);
    let broker = Broker::spawn(config).await?;
    let accounts = broker.keyspace("accounts", Json::default())?;
    let client = Client::in_process(&broker);
    match client.admin().create_topic(TopicSpec::new(TOPIC).partitions(1)).await {
        Ok(_) => {}
        Err(Error::Refused(refusal)) if refusal.code == Code::TOPIC_EXISTS => {}
        Err(error) => return Err(error.into()),
    }
    let next = prove(&client, &accounts).await?;
    say(&format!("balanced {next}"))?;
    for number in next..next + count {
        transfer(&broker, &accounts, number).await?;
        say(&format!("done {number}"))?;
    }
    broker.shutdown().await;
    Ok(())
}

/// Moves an amount between two accounts, and tells of it, in one write.
async fn transfer(broker: &Broker, accounts: &Accounts, number: u64) -> anyhow::Result<()> {
    let (from, to) = (number % ACCOUNTS, (number * 3 + 1) % ACCOUNTS);
    let transfer = Transfer { number, from, to, amount: (number % 7) as i64 };
    loop {
        let mut unit = broker.unit();
        if from != to {
            for (account, change) in [(from, -transfer.amount), (to, transfer.amount)] {
                let key = account.to_be_bytes();
                let read = accounts.get(key).await?;
                let balance = read.as_ref().map_or(BEGINNING, |read| read.value);
                // Another transfer may come in between: then this one is decided anew.
                unit.expect(accounts, key, read.map(|read| read.version))?;
                unit.insert(accounts, key, &(balance + change))?;
            }
        }
        unit.append(Record::to(TOPIC).value(serde_json::to_vec(&transfer)?));
        match unit.commit().await {
            Ok(_) => return Ok(()),
            Err(UnitError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Adds the events up, and compares them with the balances. Answers how many there are.
async fn prove(client: &Client, accounts: &Accounts) -> anyhow::Result<u64> {
    let end = client.admin().offset(TOPIC, 0, Position::Latest).await?.map_or(0, |end| end.offset);
    let consumer = client.consumer().assign(TOPIC, 0).auto_offset_reset(Reset::Earliest);
    let mut consumer = consumer.build().await?;
    let mut balances = BTreeMap::new();
    for expected in 0..end {
        let record = consumer.next().await?;
        let transfer: Transfer = serde_json::from_slice(record.value().context("no value")?)?;
        ensure!(transfer.number == expected as u64, "transfer {expected} is {transfer:?}");
        if transfer.from != transfer.to {
            *balances.entry(transfer.from).or_insert(BEGINNING) -= transfer.amount;
            *balances.entry(transfer.to).or_insert(BEGINNING) += transfer.amount;
        }
    }
    for (account, balance) in balances {
        let kept = accounts.get(account.to_be_bytes()).await?.map(|read| read.value);
        ensure!(kept == Some(balance), "account {account} has {kept:?}, its events say {balance}");
    }
    Ok(end as u64)
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("saying how far it is")
}
