//! The index's own files after a crash, after a loss, and put back from a copy.

use super::*;
use std::fs;
use std::path::PathBuf;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

/// A copy of a data folder.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for path in files(from) {
        let target = to.path().join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        if path.is_dir() {
            fs::create_dir_all(target).unwrap();
        } else if path.extension().is_some_and(|it| it == "jnl") {
            // Mostly a hole, which a copy would fill.
            fs::File::create(target).unwrap();
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
    to
}

/// A copy of a data folder in which the index was not created to its end.
fn partial(from: &Path) -> tempfile::TempDir {
    let to = copy(from);
    remove(&to.path().join("index/complete"));
    to
}

fn all_is_there(opened: &mut Opened) -> bool {
    opened.log.state(PARTITION).unwrap().next_offset == Offset(20)
        && opened.base_offsets(0, 20, 1 << 20, FirstBatch::Always) == (0..20).collect::<Vec<_>>()
        && opened.log_start_row() == Some(Offset(0))
}

impl Opened {
    fn log_start_row(&self) -> Option<Offset> {
        self.log.index.bounds().get(PARTITION)
    }
}

fn filled(path: &Path) -> Opened {
    let mut opened = open(path);
    opened.set_log_start(Offset(0));
    for number in 0..20 {
        opened.append(batch(number, 10));
    }
    opened
}

#[test]
fn a_crash_while_the_index_is_created_leaves_nothing_in_the_way() {
    let path = tempfile::tempdir().unwrap();
    drop(filled(path.path()));
    let mut pieces = files(&path.path().join("index"));
    pieces.retain(|piece| !piece.ends_with("complete"));
    assert!(pieces.len() > 10);
    for piece in &pieces {
        for cut in [false, true] {
            let crashed = partial(path.path());
            let piece = crashed.path().join(piece.strip_prefix(path.path()).unwrap());
            if cut && piece.is_file() {
                fs::File::create(&piece).unwrap();
            } else {
                remove(&piece);
            }
            assert!(all_is_there(&mut open(crashed.path())), "without {}", piece.display());
        }
    }
}

#[test]
fn a_crash_leaves_any_first_part_of_a_new_index() {
    let path = tempfile::tempdir().unwrap();
    drop(filled(path.path()));
    let pieces = ["version", "0.jnl", "keyspaces", "lock"];
    let mut left = partial(path.path());
    for piece in pieces {
        remove(&left.path().join("index").join(piece));
        assert!(all_is_there(&mut open(copy(left.path()).path())), "without {piece}");
    }
    remove(&left.path().join("index"));
    assert!(all_is_there(&mut open(left.path())));
    left = partial(path.path());
    fs::write(left.path().join("index/version"), "").unwrap();
    assert!(all_is_there(&mut open(left.path())), "the version was not written yet");
}

#[test]
fn a_piece_of_the_index_that_is_lost_after_a_checkpoint_is_told_or_not_needed() {
    let path = tempfile::tempdir().unwrap();
    filled(path.path()).log.close().unwrap();
    let mut told = 0;
    for piece in files(&path.path().join("index")) {
        let damaged = copy(path.path());
        remove(&damaged.path().join(piece.strip_prefix(path.path()).unwrap()));
        match try_open(damaged.path()) {
            Ok(mut opened) => assert!(all_is_there(&mut opened), "without {}", piece.display()),
            Err(_) => told += 1,
        }
    }
    assert!(told > 3, "{told}");
}

#[test]
fn an_index_that_was_removed_or_put_back_from_a_copy_is_told() {
    let path = tempfile::tempdir().unwrap();
    let opened = filled(path.path());
    opened.log.close().unwrap();
    drop(opened.folder);
    let old = copy(path.path());
    let mut opened = open(path.path());
    assert!(all_is_there(&mut opened), "a copy of now is as good");
    opened.append(batch(20, 10));
    opened.log.close().unwrap();
    drop(opened.folder);
    remove(&path.path().join("index"));
    let told = try_open(path.path()).unwrap_err();
    assert!(matches!(told, Error::IndexBehind { .. }), "{told}");
    fs::rename(old.path().join("index"), path.path().join("index")).unwrap();
    let told = try_open(path.path()).unwrap_err();
    assert!(matches!(told, Error::IndexBehind { found, .. } if found.0 == 21), "{told}");
}

#[test]
fn the_index_counts_on_without_a_write_ahead_log() {
    let path = tempfile::tempdir().unwrap();
    let opened = filled(path.path());
    opened.log.close().unwrap();
    drop(opened.folder);
    for piece in files(&path.path().join("index")) {
        if piece.extension().is_some_and(|extension| extension == "jnl") {
            remove(&piece);
        }
    }
    let mut opened = open(path.path());
    assert!(all_is_there(&mut opened));
    opened.set_log_start(Offset(5));
    let row = opened.log.index.get(Table::Partitions, &keys::partitions(PARTITION)).unwrap().unwrap();
    assert_eq!(PartitionRow::decode(&row).unwrap().log_start, Offset(5), "the newest row is found");
}

#[test]
fn an_index_that_somebody_still_reads_is_not_touched() {
    let path = tempfile::tempdir().unwrap();
    let opened = filled(path.path());
    let reader = opened.log.reader();
    drop(opened);
    assert!(matches!(try_open(path.path()), Err(Error::InUse(_))));
    let extent = Extent { partition: PARTITION, start: Offset(0), end: Offset(20) };
    assert_eq!(reader.read(extent, 1 << 20, FirstBatch::Always, || usize::MAX).unwrap().len(), 20);
    drop(reader);
    assert!(all_is_there(&mut open(path.path())));
}

#[test]
fn a_whole_index_is_kept_before_the_first_checkpoint() {
    let path = tempfile::tempdir().unwrap();
    drop(filled(path.path()));
    let stranger = path.path().join("index/stranger");
    fs::write(&stranger, "").unwrap();
    assert!(all_is_there(&mut open(path.path())));
    assert!(stranger.exists());
    remove(&path.path().join("index/complete"));
    assert!(all_is_there(&mut open(path.path())));
    assert!(!stranger.exists());
}
