//! A committer on a disk whose syncs wait until the test lets them go.

use super::*;
use crate::broker::topics::{PartitionSlot, TopicView};
use crate::committer::commit::Commit;
use crate::committer::commit::Told;
use crate::config::{Settings, TopicConfig};
use crate::courtesy::Courtesy;
use crate::partition::Partition;
use crate::partition::append::{Acks, Append, AppendError, Appended};
use crate::placement::Placement;
use actix::{Actor, ArbiterHandle};
use arc_swap::ArcSwap;
use bytes::Bytes;
use callboard_protocol::batch::BatchBuilder;
use callboard_protocol::batch::{Compression, NewRecord};
use callboard_storage::disk::simulated::SimulatedDisk;
use callboard_storage::folder::{Folder, Identity};
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, Table};
use callboard_storage::log::checkpointer::CheckpointBounds;
use callboard_storage::log::{self, LogOptions};
use callboard_storage::{Offset, PartitionId, TopicId};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use uuid::Uuid;

const PARTITION: PartitionId = PartitionId(7);

type Appending = oneshot::Receiver<Result<Appended, AppendError>>;
type Committing = oneshot::Receiver<Result<(), Unavailable>>;

struct Trial {
    disk: SimulatedDisk,
    thread: ArbiterHandle,
    committer: Addr<Committer>,
    _folder: TempDir,
}

impl Trial {
    /// A committer on a thread of its own.
    fn start() -> Self {
        let (place, disk) = (tempfile::tempdir().unwrap(), SimulatedDisk::new());
        let folder = Folder::open(place.path(), Identity { cluster_id: "c".into(), node_id: 1 }).unwrap();
        let checkpoint =
            CheckpointBounds { bytes: 1 << 30, records: 1000, interval: Duration::from_secs(30) };
        let options = LogOptions { segment_bytes: 1 << 20, checkpoint };
        let log = Log::open(Arc::new(disk.clone()), &folder, &options).unwrap();
        let thread = Placement::start(1).committer().clone();
        let committer = Committer::start_in_arbiter(&thread, move |_| {
            Committer::new(log, folder, 0, Courtesy::default())
        });
        Self { disk, thread, committer, _folder: place }
    }

    fn commit(&self, key: u8) -> Committing {
        self.commit_row(Table::Groups, keys::groups(&key.to_string()))
    }

    fn commit_row(&self, table: Table, key: Vec<u8>) -> Committing {
        let (reply, told) = oneshot::channel();
        let row = Mutation { table, key, value: Some(vec![1]) };
        let commit = log::Commit { mutations: vec![row], batches: Vec::new() };
        post(&self.committer, Commit { commit, chain: None, reply: Told::from(reply) }).unwrap();
        told
    }

    /// Two commits whose sync has begun, and waits. In their group is a batch that need only be written.
    async fn syncing(&self, partition: &Addr<Partition>) -> [Committing; 2] {
        self.disk.hold_syncs(true);
        let (go, gate) = std::sync::mpsc::channel();
        let (stopped, stops) = oneshot::channel();
        self.thread.spawn_fn(move || {
            stopped.send(()).unwrap();
            gate.recv().unwrap();
        });
        // Before that the committer would take the first commit alone.
        stops.await.unwrap();
        let told = [1, 2].map(|key| self.commit(key));
        let written = append(partition, Acks::Written);
        is_there(partition).await;
        go.send(()).unwrap();
        self.disk.wait_for_held_sync();
        assert_eq!(offset(written.await.unwrap()), Offset(0));
        told
    }

    async fn partition(&self) -> Addr<Partition> {
        let config = TopicConfig::restore([], &Settings::default().topics.defaults);
        let slots = [PartitionSlot::new(PARTITION, 0)];
        let topic = TopicView::new(TopicId(Uuid::nil()), "topic".into(), config, slots);
        let settings = Arc::new(ArcSwap::from_pointee(Settings::default()));
        let partition = Partition::new(PARTITION, Arc::new(topic), self.committer.clone(), settings).start();
        is_there(&partition).await;
        partition
    }
}

/// Waits until a partition has handled all messages that it has got.
async fn is_there(partition: &Addr<Partition>) {
    let poll = |reply| crate::partition::poll::Poll { watch: None, reply };
    crate::mail::ask(partition, poll).await.unwrap();
}

fn append(partition: &Addr<Partition>, acks: Acks) -> Appending {
    let mut builder = BatchBuilder::default();
    builder.push(NewRecord { timestamp: 1, key: None, value: Some(b"x"), headers: &[] });
    let records: Bytes = builder.seal(Compression::None, None).unwrap().bytes;
    let (reply, appended) = oneshot::channel();
    post(partition, Append { records, acks, reply }).unwrap();
    appended
}

fn offset(appended: Result<Appended, AppendError>) -> Offset {
    appended.unwrap().base_offset
}

#[actix::test]
async fn what_need_only_be_written_is_answered_while_a_sync_runs() {
    let trial = Trial::start();
    let partition = trial.partition().await;
    let told = trial.syncing(&partition).await;
    let mut synced = append(&partition, Acks::Synced);
    assert_eq!(offset(append(&partition, Acks::Written).await.unwrap()), Offset(2));
    assert!(synced.try_recv().is_err(), "it is written, and not durable");
    trial.disk.hold_syncs(false);
    assert_eq!(offset(synced.await.unwrap()), Offset(1));
    for told in told {
        assert_eq!(told.await, Ok(Ok(())));
    }
    assert_eq!(offset(append(&partition, Acks::Synced).await.unwrap()), Offset(3));
}

#[actix::test]
async fn what_stands_behind_a_sync_that_failed_is_lost() {
    let trial = Trial::start();
    let partition = trial.partition().await;
    let told = trial.syncing(&partition).await;
    let synced = append(&partition, Acks::Synced);
    assert_eq!(offset(append(&partition, Acks::Written).await.unwrap()), Offset(2));
    trial.disk.fail_once_after(0);
    trial.disk.hold_syncs(false);
    assert!(matches!(synced.await.unwrap(), Err(AppendError::Unavailable(_))));
    for told in told {
        assert_eq!(told.await, Ok(Err(Unavailable)));
    }
    assert!(append(&partition, Acks::Written).await.is_err(), "nothing is written any more");
}

#[actix::test]
async fn what_is_synced_and_cannot_be_applied_is_lost() {
    let trial = Trial::start();
    // No partition's row is that short, and none is put into the index unread.
    let unreadable = trial.commit_row(Table::Partitions, keys::partitions(PARTITION));
    let beside = trial.commit(1);
    assert_eq!(unreadable.await, Ok(Err(Unavailable)));
    assert_eq!(beside.await, Ok(Err(Unavailable)), "it is of the same group");
    assert_eq!(trial.commit(2).await, Ok(Err(Unavailable)), "nothing is written any more");
}

#[actix::test]
async fn a_starting_partition_finds_what_was_on_its_way_before() {
    let trial = Trial::start();
    let first = trial.partition().await;
    let _told = trial.syncing(&first).await;
    let written = append(&first, Acks::Written);
    assert_eq!(offset(written.await.unwrap()), Offset(1));
    let (reply, state) = oneshot::channel();
    post(&trial.committer, Adopt { partition: PARTITION, reply }).unwrap();
    trial.disk.hold_syncs(false);
    assert_eq!(state.await.unwrap().unwrap().next_offset, Offset(2));
}
