//! A program around the broker: its units are done whole or not at all, whatever happens.
//!
//! Each unit writes a row of its own, counts in a row that all share, appends a batch, and commits an offset.

use crate::log::Place;
use crate::offsets::committed;
use crate::topics::{KEPT, KEPT_PARTITIONS};
use crate::wire::patiently;
use crate::world::{Client, Over};
use callboard::client::codec::Json;
use callboard::keyspace::{KeyspaceError, Versioned};
use callboard::unit::{Unit, UnitError};
use callboard::{Keyspace, Record};
use callboard_actors::clock;
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};

/// Programs that do units at the same time. Each commits offsets of a partition of its own.
pub(crate) const PROGRAMS: usize = 2;
const GROUP: &str = "chefs";
/// The row that all units count in.
const COUNT: &str = "count";

type Rows = Keyspace<Json<i64>>;

/// What is known of all units, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Units(BTreeMap<i64, Asked>);

/// A unit that was to be committed.
#[derive(Debug, Clone)]
struct Asked {
    program: usize,
    /// The batch's number in the model of the logs.
    batch: Option<i64>,
    commits: bool,
    /// What it makes of the row that all share, unless that has changed.
    count: Option<i64>,
    /// Whether it was done; nothing as long as nobody knows.
    is_done: Option<bool>,
}

impl Units {
    /// What is done stays done, and what is not done is never done.
    fn learn(&mut self, number: i64, is_done: bool) {
        let asked = self.0.get_mut(&number).unwrap();
        let known = *asked.is_done.get_or_insert(is_done);
        assert_eq!(known, is_done, "unit {number} was {known}, and is {is_done}: {asked:?}");
    }
}

/// Does units until it is over.
pub(crate) async fn run(client: Client, program: usize) -> Result<(), Over> {
    let rows = rows(&client);
    loop {
        client.pause().await;
        let Some(topic) = client.world().topics.kept() else {
            client.let_pass(std::time::Duration::from_millis(1)).await;
            continue;
        };
        match client.below(4) {
            0 => look_behind(&client, &rows).await?,
            _ => work(&client, &rows, program, topic).await?,
        }
    }
}

fn rows(client: &Client) -> Rows {
    client.broker.keyspace("units", Json::default()).unwrap()
}

/// The name of the row that only this unit writes.
fn own(number: i64) -> String {
    format!("unit {number}")
}

async fn work(client: &Client, rows: &Rows, program: usize, topic: uuid::Uuid) -> Result<(), Over> {
    let place = (topic, client.below(KEPT_PARTITIONS as usize) as i32);
    let count = if client.is_one_in(2) { get(client, rows, COUNT).await? } else { None };
    let counts = count.is_some() || client.is_one_in(4);
    let (number, asked, behind) = {
        let appends = (!client.is_one_in(4)).then(|| 1 + client.below(3) as i32);
        let commits = !client.is_one_in(4);
        let world = &mut *client.world();
        let batch = appends.map(|records| world.logs.send(place, records, None).0);
        let next = count.as_ref().map_or(0, |read| read.value) + 1;
        let asked = Asked { program, batch, commits, count: counts.then_some(next), is_done: None };
        let number = 1 + world.units.0.len() as i64;
        world.units.0.insert(number, asked.clone());
        (number, asked, world.logs.end(place))
    };
    let unit = unit(client, rows, place, (number, &asked), count.as_ref());
    let committed = patiently(client.looks(), async { Some(unit.commit().await) }).await;
    say(client, &(number, &asked, &committed));
    match committed.ok_or(Over)? {
        Ok(receipts) => {
            let world = &mut *client.world();
            world.units.learn(number, true);
            let offsets: Vec<_> = receipts.iter().map(|receipt| receipt.offset).collect();
            if let Some((batch, first)) = asked.batch.zip(offsets.first()) {
                assert!(offsets.iter().copied().eq(*first..first + offsets.len() as i64), "{offsets:?}");
                world.logs.acknowledged(batch, *first, behind, true);
            }
        }
        Err(UnitError::Conflict) => {
            assert!(asked.count.is_some(), "unit {number} expects nothing");
            client.world().units.learn(number, false);
            asked.batch.into_iter().for_each(|batch| client.world().logs.refused(batch));
            return has_committed(client, program).await;
        }
        Err(error) => return Err(unavailable(client, &error)),
    }
    // It reads what it wrote.
    if let Some(count) = asked.count {
        let read = get(client, rows, COUNT).await?.map_or(0, |read| read.value);
        assert!(read >= count, "unit {number} counted {count}, and it is {read}");
    }
    has_committed(client, program).await?;
    is_whole(client, rows, number).await
}

/// What a program committed last is there, and nothing of what was refused.
async fn has_committed(client: &Client, program: usize) -> Result<(), Over> {
    let is = committed(client, GROUP, program as i32).await?.unwrap_or(0);
    let world = client.world();
    let commits = world.units.0.iter().filter(|(_, asked)| asked.program == program && asked.commits);
    let last =
        commits.clone().rfind(|(_, asked)| asked.is_done == Some(true)).map_or(0, |(number, _)| *number);
    let unknown = commits.clone().filter(|(_, asked)| asked.is_done.is_none()).map(|(number, _)| *number);
    assert!(is == last || unknown.clone().any(|it| it > last && it == is), "{is} is committed, not {last}");
    Ok(())
}

fn unit(
    client: &Client,
    rows: &Rows,
    (_, partition): Place,
    (number, asked): (i64, &Asked),
    count: Option<&Versioned<i64>>,
) -> Unit {
    let mut unit = client.broker.unit();
    unit.insert(rows, own(number), &number).unwrap();
    if let Some(next) = asked.count {
        unit.expect(rows, COUNT, count.map(|read| read.version)).unwrap();
        unit.insert(rows, COUNT, &next).unwrap();
    }
    for at in 0..asked.batch.map_or(0, |batch| client.world().logs.count(batch)) {
        let batch = asked.batch.unwrap();
        let record = Record::to(KEPT).partition(partition as u32).timestamp(batch + i64::from(at));
        unit.append(record.value(format!("{batch}/{at}")));
    }
    if asked.commits {
        unit.commit_offset(GROUP, KEPT, asked.program as u32, number);
    }
    unit
}

/// Who has found the event of a unit finds its row: of any batch that somebody read.
async fn look_behind(client: &Client, rows: &Rows) -> Result<(), Over> {
    let read = {
        let world = client.world();
        let is_read = |asked: &Asked| asked.batch.is_some_and(|batch| world.logs.is_durable(batch));
        world
            .units
            .0
            .iter()
            .filter(|(_, asked)| is_read(asked))
            .map(|(number, _)| *number)
            .collect::<Vec<_>>()
    };
    let Some(number) = read.len().checked_sub(1).map(|last| read[last - client.below(read.len().min(4))])
    else {
        return Ok(());
    };
    client.world().units.learn(number, true);
    is_whole(client, rows, number).await
}

/// A unit that is done left its row.
async fn is_whole(client: &Client, rows: &Rows, number: i64) -> Result<(), Over> {
    let read = get(client, rows, &own(number)).await?.map(|read| read.value);
    assert_eq!(read, Some(number), "unit {number} is done, and its row is not there");
    Ok(())
}

/// With nobody else there: each unit is there with all that belongs to it, or nothing of it is. The logs were
/// read to their ends before.
pub(crate) async fn look_at_all(client: &Client) -> Result<(), Over> {
    let rows = rows(client);
    let found = rows.range(b"unit ".to_vec().., usize::MAX).await;
    let found = found.map_err(|error| unreadable(client, &error))?;
    {
        let world = &mut *client.world();
        let numbers: Vec<_> = world.units.0.keys().copied().collect();
        let is_there = |number| found.iter().any(|(key, _)| *key == own(number).into_bytes());
        for number in numbers {
            let is_done = is_there(number);
            world.units.learn(number, is_done);
            let batch = world.units.0[&number].batch;
            let is_appended = batch.map(|batch| world.logs.offset(batch).is_some());
            assert!(is_appended.is_none_or(|is| is == is_done), "unit {number}: {is_done}, {is_appended:?}");
        }
        assert_eq!(found.len(), world.units.done().count(), "rows that nobody wrote");
    }
    let count = get(client, &rows, COUNT).await?.map_or(0, |read| read.value);
    let counted = client.world().units.done().filter(|(_, asked)| asked.count.is_some()).count();
    assert_eq!(count, counted as i64, "what units counted");
    if client.world().topics.kept().is_none() {
        return Ok(());
    }
    for program in 0..PROGRAMS {
        let is = committed(client, GROUP, program as i32).await?;
        let world = client.world();
        let mut commits = world.units.done().filter(|(_, asked)| asked.program == program && asked.commits);
        assert_eq!(is, commits.next_back().map(|(number, _)| number), "what units of {program} committed");
    }
    Ok(())
}

impl Units {
    fn done(&self) -> impl DoubleEndedIterator<Item = (i64, &Asked)> {
        let done = self.0.iter().filter(|(_, asked)| asked.is_done == Some(true));
        done.map(|(number, asked)| (*number, asked))
    }
}

async fn get(client: &Client, rows: &Rows, key: &str) -> Result<Option<Versioned<i64>>, Over> {
    let read = rows.get(key).await;
    say(client, &(key, &read));
    read.map_err(|error| unreadable(client, &error))
}

fn unreadable<E: std::error::Error>(client: &Client, error: &KeyspaceError<E>) -> Over {
    unavailable(client, error)
}

fn unavailable(client: &Client, error: &impl Display) -> Over {
    assert!(client.world().is_sick, "{error}, and the disk is well");
    Over
}

/// Adds to the trace what the program was told.
fn say(client: &Client, told: &impl Debug) {
    let mut world = client.world();
    if world.is_loud {
        println!("{} {told:?}", clock::wall_ms());
    }
    world.witness(crate::wire::sum(format!("{told:?}").as_bytes()));
}
