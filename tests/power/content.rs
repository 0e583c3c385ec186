//! A file as a power failure leaves it: what was synced, and of what was done since then each page and the
//! length by themselves, or not.

use crate::chance::Chance;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

const PAGE_BYTES: usize = 4096;
/// What a disk writes at once, at least.
const SECTOR_BYTES: usize = 512;

type Page = [u8; PAGE_BYTES];

/// What becomes of things that are not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Kept,
    /// Each for itself.
    Open,
}

impl Fate {
    pub(crate) fn any(chance: &mut Chance) -> Self {
        [Self::Lost, Self::Kept, Self::Open, Self::Open][chance.below(4)]
    }

    /// How many of the changes of one thing are kept.
    fn of(self, changes: usize, chance: &mut Chance) -> usize {
        match self {
            Self::Lost => 0,
            Self::Kept => changes,
            Self::Open if chance.is_one_in(2) => [0, changes][chance.below(2)],
            Self::Open => chance.below(changes + 1),
        }
    }
}

/// How unsynced parts of files fare in one power failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PagesFate {
    pub(crate) pages: Fate,
    pub(crate) lengths: Fate,
    /// Whether a page can be kept by half.
    pub(crate) tears: bool,
}

/// Bytes and a length; pages that are not there are zeros.
#[derive(Debug, Default, Clone)]
pub(crate) struct Content {
    pages: BTreeMap<u64, Arc<Page>>,
    bytes: u64,
}

/// Something that was done to a file.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Write(u64, Arc<[u8]>),
    Cut(u64),
}

impl Content {
    /// What a real file has.
    pub(crate) fn read(path: &Path) -> Self {
        let mut content = Self::default();
        content.apply(&Change::Write(0, std::fs::read(path).unwrap().into()));
        content.pages.retain(|_, page| page.iter().any(|byte| *byte != 0));
        content
    }

    pub(crate) fn write_to(&self, path: &Path) {
        let file = File::create(path).unwrap();
        file.set_len(self.bytes).unwrap();
        for (number, page) in &self.pages {
            let position = number * PAGE_BYTES as u64;
            let count = self.bytes.saturating_sub(position).min(PAGE_BYTES as u64);
            file.write_all_at(&page[..count as usize], position).unwrap();
        }
    }

    fn apply(&mut self, change: &Change) {
        for number in self.touched(change) {
            let page = self.pages.entry(number).or_insert_with(|| Arc::new([0; PAGE_BYTES]));
            change.apply_to(number, Arc::make_mut(page));
        }
        self.bytes = change.length(self.bytes);
        if let Change::Cut(_) = change {
            self.pages.retain(|number, _| number * (PAGE_BYTES as u64) < self.bytes);
        }
    }

    fn touched(&self, change: &Change) -> Vec<u64> {
        let page_of = |position: u64| position / PAGE_BYTES as u64;
        match change {
            Change::Write(_, bytes) if bytes.is_empty() => Vec::new(),
            Change::Write(position, bytes) => {
                (page_of(*position)..=page_of(position + bytes.len() as u64 - 1)).collect()
            }
            Change::Cut(bytes) => self.pages.range(page_of(*bytes)..).map(|(number, _)| *number).collect(),
        }
    }
}

impl Change {
    fn length(&self, before: u64) -> u64 {
        match self {
            Self::Write(position, bytes) => before.max(position + bytes.len() as u64),
            Self::Cut(bytes) => *bytes,
        }
    }

    /// Does its part in one page. Answers whether it has any.
    fn apply_to(&self, number: u64, page: &mut Page) -> bool {
        let start = number * PAGE_BYTES as u64;
        let end = start + PAGE_BYTES as u64;
        match self {
            Self::Write(position, bytes) => {
                let (from, to) = (start.max(*position), end.min(position + bytes.len() as u64));
                if from >= to {
                    return false;
                }
                let part = &bytes[(from - position) as usize..(to - position) as usize];
                page[(from - start) as usize..(to - start) as usize].copy_from_slice(part);
                true
            }
            Self::Cut(bytes) => {
                let from = bytes.saturating_sub(start).min(PAGE_BYTES as u64) as usize;
                page[from..].fill(0);
                from < PAGE_BYTES
            }
        }
    }
}

/// A file: what is synced, and what was done since then.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    synced: Content,
    changes: Vec<(u64, Change)>,
}

impl Unsynced {
    pub(crate) fn synced(content: Content) -> Self {
        Self { synced: content, changes: Vec::new() }
    }

    pub(crate) fn change(&mut self, at: u64, change: Change) {
        self.changes.push((at, change));
    }

    /// A sync ended that began then.
    pub(crate) fn sync(&mut self, begun: u64) {
        let covered = self.changes.partition_point(|(at, _)| *at < begun);
        for (_, change) in self.changes.drain(..covered) {
            self.synced.apply(&change);
        }
    }

    /// What a power failure leaves.
    pub(crate) fn left(&self, fate: PagesFate, chance: &mut Chance) -> Content {
        let mut left = self.synced.clone();
        let (mut touched, mut lengths) = (BTreeSet::new(), vec![left.bytes]);
        for (_, change) in &self.changes {
            touched.extend(left.touched(change));
            lengths.push(change.length(*lengths.last().unwrap()));
        }
        for number in touched {
            let page = self.page(number, fate, chance);
            left.pages.insert(number, page.into());
        }
        let length = lengths[fate.lengths.of(self.changes.len(), chance)];
        left.bytes = left.bytes.max(length);
        left.apply(&Change::Cut(length));
        left
    }

    fn page(&self, number: u64, fate: PagesFate, chance: &mut Chance) -> Page {
        let mut page = self.synced.pages.get(&number).map_or([0; PAGE_BYTES], |page| **page);
        let mut versions = vec![page];
        for (_, change) in &self.changes {
            if change.apply_to(number, &mut page) {
                versions.push(page);
            }
        }
        let mut kept = versions[fate.pages.of(versions.len() - 1, chance)];
        if fate.tears {
            for start in (0..PAGE_BYTES).step_by(SECTOR_BYTES) {
                let sector = start..start + SECTOR_BYTES;
                let version = fate.pages.of(versions.len() - 1, chance);
                kept[sector.clone()].copy_from_slice(&versions[version][sector]);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(content: &Content) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        content.write_to(&folder.path().join("file"));
        std::fs::read(folder.path().join("file")).unwrap()
    }

    fn written(position: u64, byte: u8, count: usize) -> Change {
        Change::Write(position, vec![byte; count].into())
    }

    #[test]
    fn what_was_written_before_a_sync_began_is_left_and_the_rest_may_be() {
        let mut file = Unsynced::default();
        file.change(1, written(0, 1, 10));
        file.change(3, written(10, 2, 5000));
        file.sync(2);
        let mut chance = Chance::new(1);
        let mut left =
            |pages, lengths| bytes_of(&file.left(PagesFate { pages, lengths, tears: false }, &mut chance));
        assert_eq!(left(Fate::Lost, Fate::Lost), [1; 10]);
        let all = [vec![1; 10], vec![2; 5000]].concat();
        assert_eq!(left(Fate::Kept, Fate::Kept), all);
        assert_eq!(left(Fate::Kept, Fate::Lost), [1; 10]);
        assert_eq!(left(Fate::Lost, Fate::Kept), [vec![1; 10], vec![0; 5000]].concat());
        let half = (0..100).map(|_| left(Fate::Open, Fate::Kept)).find(|bytes| {
            bytes[..PAGE_BYTES] == all[..PAGE_BYTES] && bytes[PAGE_BYTES..].iter().all(|byte| *byte == 0)
        });
        assert!(half.is_some(), "no page was kept without the other");
    }

    #[test]
    fn what_is_cut_off_is_zeros_when_the_file_grows_again() {
        let mut content = Content::default();
        for change in [written(0, 1, 5000), Change::Cut(4), written(6, 2, 1)] {
            content.apply(&change);
        }
        assert_eq!(bytes_of(&content), [1, 1, 1, 1, 0, 0, 2]);
    }
}
