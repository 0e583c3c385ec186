//! Whole folders are clean, every damaged byte that counts is found, and nothing is changed.

mod bits;
mod rows;

use super::*;
use crate::folder::{Folder, Identity};
use crate::index::Index;
use crate::journal::tests::batch;
use crate::journal::{Mutation, segment};
use crate::keys::{self, Table};
use crate::log::checkpointer::CheckpointBounds;
use crate::log::{Commit, Log, LogOptions};
use crate::values::{DELETED, OffsetRow, PartitionRow, TopicRow};
use crate::{PartitionId, SegmentId, TopicId};
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// How a data folder was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Closed,
    Crashed,
}

/// Table, key and value of a row, or that it is deleted.
type Row = (Table, Vec<u8>, Option<Vec<u8>>);

pub(crate) const ORDERS: TopicId = TopicId(Uuid::from_u128(1));
const TEAS: TopicId = TopicId(Uuid::from_u128(2));

/// An open folder.
pub(crate) struct Writing {
    folder: Folder,
    pub(crate) log: Log,
}

impl Writing {
    pub(crate) fn open(path: &Path) -> Self {
        let folder = Folder::open(path, Identity { cluster_id: "test".into(), node_id: 1 }).unwrap();
        let checkpoint = CheckpointBounds { bytes: u64::MAX, records: u64::MAX, interval: Duration::MAX };
        let options = LogOptions { segment_bytes: 4096, checkpoint };
        let log = Log::open(Arc::new(OsDisk), &folder, &options).unwrap();
        Self { folder, log }
    }

    pub(crate) fn commit(&mut self, commit: Commit) {
        let group = self.log.append(vec![commit]).unwrap();
        self.log.sync().unwrap();
        self.log.apply(&[group]).unwrap();
    }

    pub(crate) fn rows(&mut self, rows: impl IntoIterator<Item = Row>) {
        let mutations = rows.into_iter().map(|(table, key, value)| Mutation { table, key, value });
        self.commit(Commit { mutations: mutations.collect(), ..Commit::default() });
    }

    pub(crate) fn batches(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let partition = PartitionId(number as u32 % 3 + 1);
            self.commit(Commit { batches: vec![(partition, batch(number, 200))], ..Commit::default() });
        }
    }

    pub(crate) fn leave(self, left: Left) {
        match left {
            Left::Closed => self.log.close().unwrap(),
            Left::Crashed => drop(self.log),
        }
        drop(self.folder);
    }
}

pub(crate) fn topic(id: TopicId, name: &str) -> Row {
    let row = TopicRow { name: name.into(), configs: vec![("retention.ms".into(), "1".into())] };
    (Table::Topics, keys::topics(id), Some(row.encode().unwrap()))
}

pub(crate) fn partition(id: u32, topic: TopicId, index: u32, start: Offset) -> Row {
    let row = PartitionRow { topic, index, log_start: start };
    (Table::Partitions, keys::partitions(PartitionId(id)), Some(row.encode()))
}

pub(crate) fn committed(group: &str, offset: i64) -> Row {
    let row = OffsetRow {
        offset,
        leader_epoch: 0,
        metadata: "here".into(),
        committed_at_ms: 5,
        expires_at_ms: None,
    };
    (Table::Offsets, keys::offsets(group, ORDERS, 0), Some(row.encode()))
}

/// Two partitions of a topic, one whose log starts later, and a topic that was deleted, over several
/// segments and two starts.
pub(crate) fn folder(left: Left) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut writing = Writing::open(folder.path());
    writing.rows([
        topic(ORDERS, "orders"),
        partition(1, ORDERS, 0, Offset(0)),
        partition(2, ORDERS, 1, Offset(0)),
    ]);
    writing.rows([topic(TEAS, "teas"), partition(3, TEAS, 0, Offset(0))]);
    writing.batches(0..40);
    writing.rows([committed("kitchen", 3)]);
    writing.rows([(Table::Topics, keys::topics(TEAS), None), partition(3, TEAS, 0, DELETED)]);
    writing.leave(Left::Closed);
    let mut writing = Writing::open(folder.path());
    writing.rows([partition(2, ORDERS, 1, Offset(4)), committed("kitchen", 9)]);
    for number in 40..50 {
        let partition = PartitionId(number as u32 % 2 + 1);
        writing.commit(Commit { batches: vec![(partition, batch(number, 300))], ..Commit::default() });
    }
    writing.leave(left);
    folder
}

pub(crate) fn checked(folder: &Path) -> Report {
    check(folder, &mut |_| {}).unwrap()
}

fn told(report: &Report) -> String {
    report.findings.kept().iter().map(|finding| format!("{finding}\n")).collect()
}

/// All files with their contents, but for the index's own log, which is thrown away.
fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_none_or(|it| it != "jnl") {
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            files.insert(path.clone(), (fs::read(&path).unwrap(), changed));
        }
    }
    files
}

#[test]
fn a_whole_folder_is_clean_and_not_changed() {
    for left in [Left::Closed, Left::Crashed] {
        let folder = folder(left);
        let before = files(folder.path());
        let mut bytes = 0;
        let report = check(folder.path(), &mut |read| bytes += read).unwrap();
        assert!(report.is_clean(), "{left:?}: {:?}\n{}", report.refusal, told(&report));
        assert_eq!((report.topics, report.journal.records), (1, 55));
        assert_eq!(report.batches, 14 + 5 + 13 + 5 - 4, "those that may be read");
        assert!(report.journal.segments > 3 && report.rows > 30 && bytes > 10_000, "{report:?}");
        assert_eq!(files(folder.path()), before, "{left:?}");
    }
}

#[test]
fn a_folder_in_use_and_one_that_is_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(check(folder.path(), &mut |_| {}).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let writing = Writing::open(folder.path());
    let refused = check(folder.path(), &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    writing.leave(Left::Closed);
    assert!(checked(folder.path()).is_clean());
}

#[test]
fn damage_is_told_with_its_place_and_whose_offsets_it_concerns() {
    let folder = folder(Left::Closed);
    let path = segment::path(&folder.path().join("journal"), SegmentId(2));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let report = checked(folder.path());
    let content = told(&report);
    assert_eq!(report.findings.count(), 1, "{content}");
    assert!(content.contains("of orders, offset") && content.contains("segment 2, position"), "{content}");
    assert!(report.refusal.is_none(), "an opening does not read it");
    // The head of a record: all of its batches are lost.
    bytes[36] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let content = told(&checked(folder.path()));
    assert!(content.contains("segment 2, bytes 36 to") && content.contains("(1 records)"), "{content}");
    // A whole segment.
    fs::remove_file(&path).unwrap();
    let content = told(&checked(folder.path()));
    assert!(
        content.contains("of orders, offsets") && content.contains("its segment is missing"),
        "{content}"
    );
}

#[test]
fn a_checkpoint_that_leads_nowhere_is_found() {
    let folder = folder(Left::Closed);
    let path = folder.path().join("checkpoint");
    let mut checkpoint = Checkpoint::read(&OsDisk, &path).unwrap().unwrap();
    checkpoint.sequence = checkpoint.sequence.previous();
    checkpoint.write(&OsDisk, &path).unwrap();
    let content = told(&checked(folder.path()));
    assert!(content.contains("file checkpoint: it says that record"), "{content}");
}

#[test]
fn a_torn_end_is_no_damage_and_what_was_written_again_is_none() {
    let folder = folder(Left::Crashed);
    let newest = || segment::list(&OsDisk, &folder.path().join("journal")).unwrap().pop().unwrap();
    let path = segment::path(&folder.path().join("journal"), newest());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
    let report = checked(folder.path());
    assert!(report.is_clean(), "{}", told(&report));
    assert_eq!(report.journal.records, 54, "the last one is cut");
    fs::write(&path, [&bytes[..], &[7; 100]].concat()).unwrap();
    assert!(checked(folder.path()).is_clean(), "what is behind it is none");
    // Starts write the end again, under the same numbers.
    for start in 0..3 {
        let mut writing = Writing::open(folder.path());
        writing.batches(51..51 + start);
        writing.leave(Left::Crashed);
        let report = checked(folder.path());
        assert!(report.is_clean(), "{}", told(&report));
    }
}

/// A folder whose first segments were freed, and some in between.
pub(crate) fn freed() -> tempfile::TempDir {
    let folder = folder(Left::Closed);
    let mut writing = Writing::open(folder.path());
    writing.rows([partition(1, ORDERS, 0, Offset(12))]);
    writing.rows([partition(2, ORDERS, 1, Offset(13))]);
    writing.leave(Left::Closed);
    Writing::open(folder.path()).leave(Left::Closed);
    folder
}

#[test]
fn segments_that_were_freed_are_not_missed() {
    let folder = freed();
    let left = segment::list(&OsDisk, &folder.path().join("journal")).unwrap();
    assert!(left[0] > SegmentId(1), "the first are freed: {left:?}");
    let has_gap = left.windows(2).any(|two| two[0].next() != two[1]);
    assert!(has_gap, "some in between are freed: {left:?}");
    let report = checked(folder.path());
    assert!(report.is_clean(), "{}", told(&report));
}

#[test]
fn an_index_that_was_not_created_to_its_end_is_begun_anew_and_no_damage() {
    let folder = folder(Left::Crashed);
    let (index, checkpoint) = (folder.path().join("index"), folder.path().join("checkpoint"));
    fs::remove_file(&checkpoint).unwrap();
    fs::remove_file(index.join("version")).unwrap();
    let content = told(&checked(folder.path()));
    assert!(content.contains("file index/version: it is missing"), "it was complete once: {content}");
    fs::remove_file(index.join("complete")).unwrap();
    let report = checked(folder.path());
    assert!(report.is_clean(), "{:?}\n{}", report.refusal, told(&report));
    Writing::open(folder.path()).leave(Left::Closed);
    assert!(checked(folder.path()).is_clean());
}
