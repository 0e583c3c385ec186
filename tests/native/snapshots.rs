//! Snapshots of keyspaces: several readings, all as of one moment.

use crate::support::{Trial, soon};
use anyhow::Result;
use callboard::client::codec::{Json, Text};
use callboard::keyspace::KeyspaceError;
use callboard::testing::TestBroker;
use callboard::unit::UnitError;
use callboard::{Broker, Keyspace, Snapshot};

type Numbers = Keyspace<Json<i64>>;

fn numbers(broker: &Broker) -> Result<Numbers> {
    Ok(broker.keyspace("numbers", Json::<i64>::default())?)
}

/// Gives keys a value each, in one unit.
async fn set(broker: &Broker, numbers: &Numbers, rows: &[(&str, i64)]) -> Result<()> {
    let mut unit = broker.unit();
    for (key, value) in rows {
        unit.insert(numbers, key, value)?;
    }
    soon(unit.commit()).await??;
    Ok(())
}

async fn at(snapshot: &Snapshot, numbers: &Numbers, key: &str) -> Result<Option<i64>> {
    Ok(snapshot.get(numbers, key).await?.map(|read| read.value))
}

async fn all(snapshot: &Snapshot, numbers: &Numbers) -> Result<Vec<(String, i64)>> {
    let rows = snapshot.range(numbers, b"".to_vec().., 100).await?;
    rows.into_iter().map(|(key, read)| Ok((String::from_utf8(key)?, read.value))).collect()
}

#[tokio::test]
async fn what_a_unit_changes_between_two_readings_looks_unchanged() -> Result<()> {
    let trial = TestBroker::start().await?;
    let (broker, numbers) = (trial.broker(), numbers(trial.broker())?);
    let texts = broker.keyspace("texts", Text)?;
    set(broker, &numbers, &[("a", 1), ("b", 1)]).await?;
    let snapshot = broker.snapshot().await?;
    assert_eq!(at(&snapshot, &numbers, "a").await?, Some(1));
    let mut unit = broker.unit();
    unit.insert(&numbers, "a", &2)?.insert(&numbers, "b", &2)?.insert(&numbers, "c", &2)?;
    unit.insert(&texts, "a", "new")?;
    soon(unit.commit()).await??;
    assert_eq!(at(&snapshot, &numbers, "b").await?, Some(1), "it belongs to what was read of a");
    assert_eq!(all(&snapshot, &numbers).await?, [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    assert!(snapshot.get(&texts, "a").await?.is_none(), "the moment is one for all keyspaces");
    let later = broker.snapshot().await?;
    assert_eq!(at(&later, &numbers, "b").await?, Some(2));
    assert_eq!(later.get(&texts, "a").await?.unwrap().value, "new");
    assert_eq!(numbers.get("b").await?.unwrap().value, 2);
    Ok(())
}

#[tokio::test]
async fn a_snapshot_outlives_what_replaces_and_removes_its_rows() -> Result<()> {
    let trial = TestBroker::start().await?;
    let (broker, numbers) = (trial.broker(), numbers(trial.broker())?);
    set(broker, &numbers, &[("gone", 1), ("kept", 1)]).await?;
    let snapshot = broker.snapshot().await?.clone();
    let mut unit = broker.unit();
    unit.remove(&numbers, "gone")?;
    soon(unit.commit()).await??;
    for round in 0..200 {
        set(broker, &numbers, &[("kept", round), (&format!("new-{round}"), round)]).await?;
    }
    assert_eq!(all(&snapshot, &numbers).await?, [("gone".to_owned(), 1), ("kept".to_owned(), 1)]);
    assert!(numbers.get("gone").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn ranges_begin_where_they_are_told_and_end_at_their_bound() -> Result<()> {
    let trial = TestBroker::start().await?;
    let (broker, numbers) = (trial.broker(), numbers(trial.broker())?);
    set(broker, &numbers, &[("a", 1), ("b", 2), ("c", 3)]).await?;
    let snapshot = broker.snapshot().await?;
    let values = async |from: &[u8], count_max| -> Result<Vec<i64>> {
        let rows = snapshot.range(&numbers, from.to_vec().., count_max).await?;
        Ok(rows.into_iter().map(|(_, read)| read.value).collect())
    };
    assert_eq!(values(b"", 2).await?, [1, 2]);
    assert_eq!(values(b"b\0", 2).await?, [3], "behind b");
    assert_eq!(values(b"b", 0).await?, [] as [i64; 0]);
    assert_eq!(values(b"d", 2).await?, [] as [i64; 0]);
    Ok(())
}

#[tokio::test]
async fn a_unit_that_expects_what_a_snapshot_gave_sees_whether_it_changed_since() -> Result<()> {
    let trial = TestBroker::start().await?;
    let (broker, numbers) = (trial.broker(), numbers(trial.broker())?);
    set(broker, &numbers, &[("a", 1)]).await?;
    let snapshot = broker.snapshot().await?;
    let version = snapshot.get(&numbers, "a").await?.map(|read| read.version);
    for is_first in [true, false] {
        let mut unit = broker.unit();
        unit.expect(&numbers, "a", version)?.insert(&numbers, "a", &2)?;
        let committed = soon(unit.commit()).await?;
        assert_eq!(committed.is_ok(), is_first);
        assert!(is_first || matches!(committed, Err(UnitError::Conflict)));
    }
    Ok(())
}

#[tokio::test]
async fn a_snapshot_does_not_keep_the_folder_of_a_broker_that_stopped() -> Result<()> {
    let trial = Trial::start().await?;
    let before = numbers(&trial.broker)?;
    set(&trial.broker, &before, &[("a", 1)]).await?;
    let snapshot = trial.broker.snapshot().await?;
    let stopped = trial.broker.clone();
    let trial = soon(trial.restart()).await??;
    assert_eq!(numbers(&trial.broker)?.get("a").await?.unwrap().value, 1);
    let late = snapshot.get(&before, "a").await;
    assert!(matches!(late, Err(KeyspaceError::Unavailable(_))), "{late:?}");
    assert!(stopped.snapshot().await.is_err());
    Ok(())
}
