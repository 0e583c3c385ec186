//! Whole folders are clean, every damaged byte that counts is found, and nothing is changed.

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
use proptest::prelude::*;
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

/// Bytes of the journal that may be damaged without a loss: the content of batches that nobody may
/// read, and the last record, which nothing that was written later vouches for: it may be torn.
fn careless(folder: &Path, left: Left) -> Vec<(PathBuf, std::ops::Range<u64>)> {
    let journal = folder.join("journal");
    let mut careless = Vec::new();
    let mut last = (SegmentId(0), 0..0);
    segments::walk(&OsDisk, &journal, Sequence(0), &mut |found| {
        let Found::Record { segment, record, .. } = found else { panic!("{found:?}") };
        last = (segment, record.position..record.position + record.bytes);
        for batch in &record.batches {
            let is_below = batch.partition == PartitionId(2) && batch.header.base_offset < 4;
            if batch.partition == PartitionId(3) || is_below {
                // What the batch's own checksum covers; the rest belongs to the record.
                let content = batch.position + 21..batch.position + u64::from(batch.length);
                careless.push((segment::path(&journal, segment), content));
            }
        }
        Ok(())
    })
    .unwrap();
    if left == Left::Crashed {
        careless.push((segment::path(&journal, last.0), last.1));
    }
    careless
}

/// Whether a file does not matter: nobody reads it, or it cannot be told that it is wrong.
fn is_careless(folder: &Path, path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    // The cluster's id and the node's number are text without a checksum.
    if name == "identity" {
        return true;
    }
    let current = path.parent().unwrap().join("current");
    let is_version = name.strip_prefix('v').is_some_and(|number| number.parse::<u64>().is_ok());
    let is_table = path.parent().unwrap().ends_with("tables");
    if is_version {
        return fs::read(current).unwrap()[0].to_string() != name[1..];
    }
    let counts = || {
        let mut seen = Vec::new();
        let wrong = &mut |path: PathBuf, _| seen.push(path);
        let whole = fs::read(path).unwrap();
        fs::write(path, b"").unwrap();
        crate::index::files::check(&folder.join("index"), wrong, &mut |_| {}).unwrap();
        fs::write(path, whole).unwrap();
        !seen.is_empty()
    };
    is_table && !counts()
}

#[test]
fn every_damaged_byte_that_counts_is_found() {
    for left in [Left::Closed, Left::Crashed] {
        let folder = folder(left);
        let careless = careless(folder.path(), left);
        let files: Vec<_> = files(folder.path())
            .into_iter()
            .filter(|(path, (bytes, _))| !bytes.is_empty() && !is_careless(folder.path(), path))
            .collect();
        assert!(files.len() > 12, "{files:?}");
        let config = ProptestConfig { cases: 48, ..ProptestConfig::default() };
        let which = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..8_u32);
        proptest!(config, |((file, place, bit) in which)| {
            let (path, (whole, _)) = file.get(&files);
            let place = place.index(whole.len());
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << bit;
            fs::write(path, &damaged).unwrap();
            let report = checked(folder.path());
            fs::write(path, whole).unwrap();
            let may_be = careless.iter().any(|(file, range)| file == path && range.contains(&(place as u64)));
            prop_assert!(may_be || report.findings.count() > 0, "{path:?} {place} {bit}: {:?}", report.refusal);
        });
        assert!(checked(folder.path()).is_clean(), "all is put right again");
    }
}

#[test]
fn a_damaged_version_of_the_index_is_refused_before_the_database_panics_over_it() {
    let folder = folder(Left::Closed);
    let keyspace = folder.path().join("index/keyspaces/1");
    let current = fs::read(keyspace.join("current")).unwrap()[0];
    let version = keyspace.join(format!("v{current}"));
    let whole = fs::read(&version).unwrap();
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x80;
        fs::write(&version, damaged).unwrap();
        let checkpoint = Checkpoint::read(&OsDisk, &folder.path().join("checkpoint")).unwrap();
        let refused = Index::open(&folder.path().join("index"), checkpoint.as_ref()).unwrap_err().to_string();
        assert!(refused.contains("index is damaged") && refused.contains("callboard check"), "{refused}");
    }
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
fn rows_that_do_not_fit_together_are_found() {
    let wrong: [(&str, Vec<Row>); 6] = [
        ("topic orders lacks partitions", vec![partition(2, ORDERS, 2, Offset(4))]),
        ("number 9 has no place in a topic", vec![partition(9, TopicId(Uuid::from_u128(9)), 0, Offset(0))]),
        ("two topics are called orders", vec![topic(TopicId(Uuid::from_u128(9)), "orders")]),
        (
            "which never was",
            vec![(
                Table::Offsets,
                keys::offsets("kitchen", TopicId(Uuid::from_u128(9)), 0),
                committed("", 0).2,
            )],
        ),
        ("cannot be read", vec![(Table::Groups, keys::groups("kitchen"), Some(vec![7, 7]))]),
        (
            "which never was",
            vec![(
                Table::Producers,
                keys::producers(PartitionId(77), crate::ProducerId(1)),
                Some(crate::values::ProducerRow { epoch: 0, batches: Vec::new() }.encode().unwrap()),
            )],
        ),
    ];
    for (says, rows) in wrong {
        let folder = folder(Left::Closed);
        let mut writing = Writing::open(folder.path());
        writing.rows(rows);
        writing.leave(Left::Crashed);
        let content = told(&checked(folder.path()));
        assert!(content.contains(says), "{says}: {content}");
    }
}

/// Changes rows of an index behind the journal's back.
fn change(folder: &Path, change: impl FnOnce(&mut crate::index::IndexBatch<'_>)) {
    let checkpoint = Checkpoint::read(&OsDisk, &folder.join("checkpoint")).unwrap();
    let index = Index::open(&folder.join("index"), checkpoint.as_ref()).unwrap();
    let mut batch = index.batch();
    change(&mut batch);
    batch.commit().unwrap();
    index.begin_flush().unwrap();
    while !index.is_flushed().unwrap() {
        std::thread::yield_now();
    }
}

#[test]
fn rows_of_a_log_that_lead_elsewhere_are_found() {
    let place = |folder: &Path, base| {
        let checkpoint = Checkpoint::read(&OsDisk, &folder.join("checkpoint")).unwrap();
        let index = Index::open(&folder.join("index"), checkpoint.as_ref()).unwrap();
        index.get(Table::Log, &keys::log(PartitionId(1), Offset(base))).unwrap().unwrap()
    };
    let key = |base| keys::log(PartitionId(1), Offset(base));
    let found = |says: &str, make: &dyn Fn(&mut crate::index::IndexBatch<'_>, Vec<u8>)| {
        let folder = folder(Left::Closed);
        let other = place(folder.path(), 6);
        change(folder.path(), |batch| make(batch, other));
        let content = told(&checked(folder.path()));
        assert!(content.contains(says), "{says}: {content}");
    };
    found("partition 0 of orders, offset 5: no batch has them", &|batch, _| {
        batch.delete(Table::Log, &key(5));
    });
    found("it leads to something else than the batch", &|batch, other| batch.put(Table::Log, &key(5), other));
    found("the journal has them, the index has not", &|batch, _| batch.delete(Table::Log, &key(18)));
    found("its segment is missing", &|batch, mut other| {
        other[..8].copy_from_slice(&99_u64.to_be_bytes());
        batch.put(Table::Log, &key(6), other);
    });
    found("table epochs leads to a batch that is not there", &|batch, _| {
        batch.put(Table::Epochs, &keys::epochs(PartitionId(1), 7), 1000_i64.to_be_bytes().to_vec());
    });
    found("table times says something else", &|batch, _| {
        batch.put(Table::Times, &keys::times(PartitionId(1), 1_000_000), 6_i64.to_be_bytes().to_vec());
    });
    found("a row cannot be read", &|batch, _| batch.put(Table::Log, &key(5), vec![1]));
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
