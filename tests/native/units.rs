//! Units of work: rows, events and offsets, together or not at all.

use crate::support::{create, reader, soon, values};
use actix::prelude::*;
use anyhow::Result;
use callboard::client::codec::{Json, Text};
use callboard::subscribe::{Again, Ended, Records};
use callboard::testing::TestBroker;
use callboard::unit::UnitError;
use callboard::{Broker, Keyspace, Record};

type Numbers = Keyspace<Json<i64>>;

async fn start() -> Result<(TestBroker, Numbers)> {
    let broker = TestBroker::start().await?;
    create(&broker.client(), "events", 1).await?;
    let numbers = broker.broker().keyspace("numbers", Json::<i64>::default())?;
    Ok((broker, numbers))
}

async fn number(numbers: &Numbers, key: &str) -> Result<Option<i64>> {
    Ok(numbers.get(key).await?.map(|found| found.value))
}

#[tokio::test]
async fn rows_and_events_are_there_together() -> Result<()> {
    let (broker, numbers) = start().await?;
    let mut unit = broker.broker().unit();
    unit.insert(&numbers, "a", &1)?.insert(&numbers, "a", &2)?.insert(&numbers, "b", &3)?;
    unit.append(Record::to("events").value("first")).append(Record::to("events").key("k").value("second"));
    assert_eq!(number(&numbers, "a").await?, None, "nothing is done before the commit");
    let receipts = soon(unit.commit()).await??;
    assert_eq!(receipts.iter().map(|it| it.offset).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((number(&numbers, "a").await?, number(&numbers, "b").await?), (Some(2), Some(3)));
    assert_eq!(values(&mut reader(&broker.client(), "events").await?, 2).await?, ["first", "second"]);
    let rows = numbers.range(b"b".to_vec().., 10).await?;
    assert_eq!(
        rows.iter().map(|(key, row)| (key.as_slice(), row.value)).collect::<Vec<_>>(),
        [(&b"b"[..], 3)]
    );
    let mut unit = broker.broker().unit();
    unit.remove(&numbers, "a")?;
    soon(unit.commit()).await??;
    assert_eq!(number(&numbers, "a").await?, None);
    Ok(())
}

#[tokio::test]
async fn keyspaces_do_not_see_each_other() -> Result<()> {
    let (broker, numbers) = start().await?;
    let other = broker.broker().keyspace("number", Text)?;
    let mut unit = broker.broker().unit();
    unit.insert(&numbers, "a", &1)?.insert(&other, "sa", "text")?;
    soon(unit.commit()).await??;
    assert_eq!(numbers.range(b"".to_vec().., 10).await?.len(), 1);
    assert_eq!(other.range(b"".to_vec().., 10).await?[0].0, b"sa");
    assert!(broker.broker().keyspace("", Text).is_err());
    Ok(())
}

#[tokio::test]
async fn a_unit_that_expects_something_else_leaves_everything_as_it_is() -> Result<()> {
    let (broker, numbers) = start().await?;
    let mut unit = broker.broker().unit();
    unit.expect(&numbers, "a", None)?.insert(&numbers, "a", &1)?;
    soon(unit.commit()).await??;
    let read = numbers.get("a").await?.unwrap();
    for expected in [None, Some(read.version)] {
        let mut unit = broker.broker().unit();
        unit.expect(&numbers, "a", expected)?.insert(&numbers, "a", &2)?;
        unit.append(Record::to("events").value("changed")).commit_offset("g", "events", 0, 5);
        let committed = soon(unit.commit()).await?;
        assert_eq!(committed.is_ok(), expected.is_some(), "{committed:?}");
    }
    assert_eq!(number(&numbers, "a").await?, Some(2));
    let client = broker.client();
    assert_eq!(values(&mut reader(&client, "events").await?, 1).await?, ["changed"]);
    let mut late = broker.broker().unit();
    late.expect(&numbers, "a", Some(read.version))?.commit_offset("g", "events", 0, 9);
    assert!(matches!(soon(late.commit()).await?, Err(UnitError::Conflict)));
    assert_eq!(client.admin().group_offsets("g").await?[0].offset, Some(5), "of the one that was committed");
    Ok(())
}

#[tokio::test]
async fn no_update_is_lost_among_many_at_once() -> Result<()> {
    let (broker, numbers) = start().await?;
    let add = async |broker: Broker, numbers: Numbers| -> Result<usize> {
        let mut conflicts = 0;
        loop {
            let read = numbers.get("sum").await?;
            let (sum, version) = read.map_or((0, None), |read| (read.value, Some(read.version)));
            let mut unit = broker.unit();
            unit.expect(&numbers, "sum", version)?.insert(&numbers, "sum", &(sum + 1))?;
            unit.append(Record::to("events").value((sum + 1).to_string()));
            match soon(unit.commit()).await? {
                Ok(_) => return Ok(conflicts),
                Err(UnitError::Conflict) => conflicts += 1,
                Err(error) => return Err(error.into()),
            }
        }
    };
    let adding = (0..40).map(|_| add(broker.broker().clone(), numbers.clone()));
    let conflicts: Vec<_> =
        futures_util::future::join_all(adding).await.into_iter().collect::<Result<_>>()?;
    assert!(conflicts.iter().sum::<usize>() > 0, "they were in each other's way");
    assert_eq!(number(&numbers, "sum").await?, Some(40));
    let expected: Vec<_> = (1..=40).map(|sum| sum.to_string()).collect();
    assert_eq!(values(&mut reader(&broker.client(), "events").await?, 40).await?, expected);
    Ok(())
}

#[tokio::test]
async fn what_was_committed_outlives_a_crash_with_its_versions() -> Result<()> {
    let (mut broker, numbers) = start().await?;
    let mut unit = broker.broker().unit();
    unit.insert(&numbers, "a", &1)?.append(Record::to("events").value("1"));
    unit.commit_offset("g", "events", 0, 1);
    soon(unit.commit()).await??;
    let before = numbers.get("a").await?.unwrap();
    broker.crash_and_restart().await?;
    let numbers = broker.broker().keyspace("numbers", Json::<i64>::default())?;
    let after = numbers.get("a").await?.unwrap();
    assert_eq!(before, after);
    let mut unit = broker.broker().unit();
    unit.expect(&numbers, "a", Some(after.version))?.insert(&numbers, "a", &2)?;
    soon(unit.commit()).await??;
    assert!(numbers.get("a").await?.unwrap().version > after.version, "versions only grow");
    let client = broker.client();
    assert_eq!(values(&mut reader(&client, "events").await?, 1).await?, ["1"]);
    assert_eq!(client.admin().group_offsets("g").await?[0].offset, Some(1));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_is_refused_whole() -> Result<()> {
    let (broker, numbers) = start().await?;
    let refused = async |fill: &dyn Fn(&mut callboard::Unit)| -> Result<UnitError> {
        let mut unit = broker.broker().unit();
        unit.insert(&numbers, "a", &1)?;
        fill(&mut unit);
        Ok(soon(unit.commit()).await?.unwrap_err())
    };
    let missing = refused(&|unit| _ = unit.append(Record::to("missing"))).await?;
    assert!(matches!(missing, UnitError::UnknownTopic(_)), "{missing}");
    let partition = refused(&|unit| _ = unit.append(Record::to("events").partition(1))).await?;
    assert!(matches!(partition, UnitError::UnknownPartition { .. }), "{partition}");
    let large = refused(&|unit| _ = unit.append(Record::to("events").value(vec![0; 2 << 20]))).await?;
    assert!(matches!(large, UnitError::Record(_)), "{large}");
    let groups = |unit: &mut callboard::Unit| {
        unit.commit_offset("g", "events", 0, 1).commit_offset("h", "events", 0, 1);
    };
    assert!(matches!(refused(&groups).await?, UnitError::TwoGroups));
    assert_eq!(number(&numbers, "a").await?, None);
    Ok(())
}

/// Adds up what it reads, and acknowledges it in the same unit.
struct Adder {
    broker: Broker,
    sums: Numbers,
    /// It dies when it has done its work, and before it answers.
    is_mortal: bool,
}

impl Actor for Adder {
    type Context = Context<Self>;
}

impl Handler<Records> for Adder {
    type Result = ResponseFuture<Result<(), Again>>;

    fn handle(&mut self, records: Records, _ctx: &mut Context<Self>) -> Self::Result {
        let (broker, sums, is_mortal) = (self.broker.clone(), self.sums.clone(), self.is_mortal);
        Box::pin(async move {
            let mut sum = sums.get("sum").await.unwrap().map_or(0, |read| read.value);
            for record in records.batch.clone() {
                sum += std::str::from_utf8(record.unwrap().value().unwrap()).unwrap().parse::<i64>().unwrap();
            }
            let mut unit = broker.unit();
            unit.insert(&sums, "sum", &sum).unwrap().acknowledge(&records);
            let outcome = unit.commit().await.map(drop).map_err(|_| Again);
            assert!(!is_mortal, "it dies");
            outcome
        })
    }
}

#[actix::test]
async fn an_actor_acknowledges_in_the_unit_that_holds_its_state() -> Result<()> {
    let (broker, sums) = start().await?;
    let client = broker.client();
    let adder = Adder { broker: broker.broker().clone(), sums: sums.clone(), is_mortal: false }.start();
    let subscription = broker.broker().subscribe("adders", ["events"], adder.recipient()).await?;
    for number in 1..=100 {
        client.producer().send(Record::to("events").value(number.to_string())).await?;
    }
    let done = async {
        while number(&sums, "sum").await.unwrap() != Some(5050) {
            tokio::task::yield_now().await;
        }
    };
    soon(done).await?;
    assert_eq!(client.admin().group_offsets("adders").await?[0].offset, Some(100));
    soon(subscription.stop()).await?;
    Ok(())
}

#[actix::test]
async fn what_a_unit_acknowledged_does_not_come_again_when_the_actor_dies_before_it_answers() -> Result<()> {
    let (broker, sums) = start().await?;
    let client = broker.client();
    for number in 1..=20 {
        client.producer().send(Record::to("events").value(number.to_string())).await?;
    }
    let mut deaths = 0;
    while number(&sums, "sum").await? != Some(210) {
        let adder = Adder { broker: broker.broker().clone(), sums: sums.clone(), is_mortal: true }.start();
        let mut subscription = broker.broker().subscribe("adders", ["events"], adder.recipient()).await?;
        assert!(matches!(soon(subscription.ended()).await?, Ended::ActorGone));
        deaths += 1;
        assert!(number(&sums, "sum").await? <= Some(210), "something was added twice");
        assert!(deaths <= 20, "something comes again and again");
    }
    assert_eq!(client.admin().group_offsets("adders").await?[0].offset, Some(20));
    Ok(())
}
