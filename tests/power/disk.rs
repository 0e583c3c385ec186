//! A disk that only keeps what it must: replays what was recorded, and tells what a power failure may leave.

use crate::chance::Chance;
use crate::content::{Change, Content, Fate, PagesFate, Unsynced};
use crate::recording::{Call, Entry};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

const CREATE: i64 = 0o100;
const EMPTY: i64 = 0o1000;

/// How unsynced entries of folders fare in one power failure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EntriesFate {
    /// Each change by itself.
    Each(Fate),
    /// Of each folder the last alone.
    Last,
    /// In each folder those before some moment.
    InOrder,
    /// In all folders those before one moment, as with a file system that has a journal.
    AtOnce,
}

/// One power failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    pub(crate) pages: PagesFate,
    pub(crate) entries: EntriesFate,
}

impl Failure {
    /// Nothing is left but what was synced.
    pub(crate) const WORST: Self = Self {
        pages: PagesFate { pages: Fate::Lost, lengths: Fate::Lost, tears: false },
        entries: EntriesFate::Each(Fate::Lost),
    };

    pub(crate) fn any(chance: &mut Chance) -> Self {
        let entries = match chance.below(4) {
            0 => EntriesFate::InOrder,
            1 => EntriesFate::AtOnce,
            _ => EntriesFate::Each(Fate::any(chance)),
        };
        let pages =
            PagesFate { pages: Fate::any(chance), lengths: Fate::any(chance), tears: chance.is_one_in(3) };
        Self { pages, entries }
    }
}

type Number = usize;

#[derive(Debug)]
enum Node {
    File(Unsynced),
    Folder(Folder),
}

#[derive(Debug, Default)]
struct Folder {
    now: BTreeMap<String, Number>,
    synced: BTreeMap<String, Number>,
    changes: Vec<(u64, EntryChange)>,
}

/// Both at once, where both are there.
#[derive(Debug, Clone)]
struct EntryChange {
    goes: Option<String>,
    comes: Option<(String, Number)>,
}

impl EntryChange {
    fn apply_to(&self, entries: &mut BTreeMap<String, Number>) {
        if let Some(name) = &self.goes {
            entries.remove(name);
        }
        if let Some((name, number)) = &self.comes {
            entries.insert(name.clone(), *number);
        }
    }
}

/// The files below a folder.
#[derive(Debug)]
pub(crate) struct Disk {
    root: String,
    nodes: Vec<Node>,
    open: HashMap<i64, Number>,
    /// What each thread syncs, and since when.
    syncing: HashMap<i64, (Number, u64)>,
}

impl Disk {
    /// With all that is in a real folder, synced.
    pub(crate) fn of(root: &Path) -> Self {
        let name = root.to_str().unwrap().to_owned();
        let mut disk = Self { root: name, nodes: Vec::new(), open: HashMap::new(), syncing: HashMap::new() };
        disk.add(root);
        disk
    }

    fn add(&mut self, path: &Path) -> Number {
        let number = self.nodes.len();
        if path.is_file() {
            self.nodes.push(Node::File(Unsynced::synced(Content::read(path))));
            return number;
        }
        self.nodes.push(Node::Folder(Folder::default()));
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
            entries.insert(entry.file_name().into_string().unwrap(), self.add(&entry.path()));
        }
        self.nodes[number] =
            Node::Folder(Folder { now: entries.clone(), synced: entries, changes: Vec::new() });
        number
    }

    /// Does what was recorded.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        let at = entry.end;
        match &entry.call {
            Call::Open { fd, flags, path } => self.open(at, *fd, *flags, path),
            Call::Close { fd } => drop(self.open.remove(fd)),
            Call::Copy { fd, to } => drop(self.open.insert(*to, self.open[fd])),
            Call::Change { fd, change } => self.change(at, self.open[fd], change.clone()),
            Call::SyncBegins { fd, thread } => drop(self.syncing.insert(*thread, (self.open[fd], at))),
            Call::SyncEnds { thread } => self.sync(*thread),
            Call::Rename { from, to } => self.rename(at, from, to),
            Call::Remove { path } => {
                let (folder, name) = self.place(path);
                self.change_entry(at, folder, EntryChange { goes: Some(name), comes: None });
            }
            Call::Start => {
                self.open.clear();
                self.syncing.clear();
            }
            Call::MakeFolder { path } => self.create(at, path, Node::Folder(Folder::default())),
        }
    }

    fn open(&mut self, at: u64, fd: i64, flags: i64, path: &Path) {
        if self.find(path).is_none() {
            assert!(flags & CREATE != 0, "{} was opened and is not there", path.display());
            self.create(at, path, Node::File(Unsynced::default()));
        }
        let number = self.find(path).unwrap();
        if flags & EMPTY != 0 {
            self.change(at, number, Change::Cut(0));
        }
        self.open.insert(fd, number);
    }

    fn change(&mut self, at: u64, number: Number, change: Change) {
        match &mut self.nodes[number] {
            Node::File(file) => file.change(at, change),
            Node::Folder(_) => panic!("a folder was written to"),
        }
    }

    fn sync(&mut self, thread: i64) {
        let (number, begun) = self.syncing.remove(&thread).unwrap();
        match &mut self.nodes[number] {
            Node::File(file) => file.sync(begun),
            Node::Folder(folder) => {
                let covered = folder.changes.partition_point(|(at, _)| *at < begun);
                for (_, change) in folder.changes.drain(..covered) {
                    change.apply_to(&mut folder.synced);
                }
            }
        }
    }

    fn create(&mut self, at: u64, path: &Path, node: Node) {
        let (folder, name) = self.place(path);
        self.nodes.push(node);
        let comes = Some((name, self.nodes.len() - 1));
        self.change_entry(at, folder, EntryChange { goes: None, comes });
    }

    fn rename(&mut self, at: u64, from: &Path, to: &Path) {
        let number = self.find(from).unwrap();
        let ((folder, from), (target, to)) = (self.place(from), self.place(to));
        assert_eq!(folder, target, "the model knows no renaming from folder to folder");
        self.change_entry(at, folder, EntryChange { goes: Some(from), comes: Some((to, number)) });
    }

    fn change_entry(&mut self, at: u64, folder: Number, change: EntryChange) {
        let Node::Folder(folder) = &mut self.nodes[folder] else { panic!("an entry in a file") };
        change.apply_to(&mut folder.now);
        folder.changes.push((at, change));
    }

    fn find(&self, path: &Path) -> Option<Number> {
        let below = path.strip_prefix(&self.root).unwrap();
        below.iter().try_fold(0, |number, name| match &self.nodes[number] {
            Node::Folder(folder) => folder.now.get(name.to_str().unwrap()).copied(),
            Node::File(_) => None,
        })
    }

    fn place(&self, path: &Path) -> (Number, String) {
        let folder = self.find(path.parent().unwrap()).unwrap();
        (folder, path.file_name().unwrap().to_str().unwrap().to_owned())
    }

    /// Writes what a power failure leaves now into a folder.
    pub(crate) fn leave(&self, target: &Path, failure: Failure, chance: &mut Chance) {
        let changes = self.nodes.iter().filter_map(|node| match node {
            Node::Folder(folder) => Some(folder.changes.iter().map(|(at, _)| *at)),
            Node::File(_) => None,
        });
        let mut moments: Vec<_> = changes.flatten().collect();
        moments.push(u64::MAX);
        let moment = moments[chance.below(moments.len())];
        self.leave_node(0, target, failure, moment, chance);
    }

    fn leave_node(&self, number: Number, to: &Path, failure: Failure, moment: u64, chance: &mut Chance) {
        match &self.nodes[number] {
            Node::File(file) => file.left(failure.pages, chance).write_to(to),
            Node::Folder(folder) => {
                fs::create_dir_all(to).unwrap();
                for (name, number) in folder.left(failure.entries, moment, chance) {
                    self.leave_node(number, &to.join(name), failure, moment, chance);
                }
            }
        }
    }
}

impl Folder {
    fn left(&self, fate: EntriesFate, moment: u64, chance: &mut Chance) -> BTreeMap<String, Number> {
        let mut left = self.synced.clone();
        let count = chance.below(self.changes.len() + 1);
        for (number, (at, change)) in self.changes.iter().enumerate() {
            let is_kept = match fate {
                EntriesFate::Each(Fate::Lost) => false,
                EntriesFate::Each(Fate::Kept) => true,
                EntriesFate::Each(Fate::Open) => chance.is_one_in(2),
                EntriesFate::Last => number + 1 == self.changes.len(),
                EntriesFate::InOrder => number < count,
                EntriesFate::AtOnce => *at < moment,
            };
            if is_kept {
                change.apply_to(&mut left);
            }
        }
        left
    }
}
