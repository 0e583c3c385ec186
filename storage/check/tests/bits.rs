//! Bits that flip in any file of a folder.

use super::*;
use proptest::prelude::*;

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
