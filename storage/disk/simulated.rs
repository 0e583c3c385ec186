//! A file system in memory for tests: it loses unsynced writes, fails, fills up and tears.

use super::{Disk, DiskFile};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of a page: the unit in which unsynced writes are kept or lost.
pub const PAGE_BYTES: usize = 512;

/// A simulated file system. Clones share their files.
#[derive(Debug, Clone, Default)]
pub struct SimulatedDisk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Something about held syncs has changed.
    holding: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What a program sees.
    entries: BTreeMap<PathBuf, FileId>,
    /// What a power failure leaves of `entries`.
    synced_entries: BTreeMap<PathBuf, FileId>,
    folders: BTreeSet<PathBuf>,
    /// Those that a power failure may take away, with all that is in them.
    unsynced_folders: BTreeSet<PathBuf>,
    files: Vec<Content>,
    /// Bytes that may still be written before the disk is full.
    room: Option<usize>,
    /// Whether nobody is to wait for it on a thread of his own.
    is_without_threads: bool,
    /// Operations (writes and syncs) until one fails.
    fail_after: Option<usize>,
    /// Whether the one that fails is the only one.
    fail_once: bool,
    operations: usize,
    /// Whether syncs wait, having begun, and how many do.
    holds_syncs: bool,
    held_syncs: usize,
}

type FileId = usize;

#[derive(Debug, Default, Clone)]
struct Content {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// Bytes up to here that a failed sync left: in the cache they look written, and no later sync
    /// writes them.
    given_up: usize,
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty disk that no thread is started for.
    pub fn without_threads() -> Self {
        Self::of(State { is_without_threads: true, ..State::default() })
    }

    /// Lets the disk fill up after so many more bytes.
    pub fn set_room(&self, bytes: Option<usize>) {
        self.state().room = bytes;
    }

    /// Lets the write, sync, rename or removal after so many more of them fail, and all later ones.
    pub fn fail_after(&self, operations: Option<usize>) {
        let mut state = self.state();
        (state.fail_after, state.fail_once) = (operations, false);
    }

    /// Lets the write, sync, rename or removal after so many more of them fail, and no other.
    pub fn fail_once_after(&self, operations: usize) {
        let mut state = self.state();
        (state.fail_after, state.fail_once) = (Some(operations), true);
    }

    /// Number of writes, syncs, renames and removals so far.
    pub fn operations(&self) -> usize {
        self.state().operations
    }

    /// What is left after a power failure: all that was synced, and of the rest what `keep` says,
    /// asked once for each unsynced folder entry and for each unsynced page of a file.
    #[must_use]
    pub fn after_power_failure(&self, mut keep: impl FnMut() -> bool) -> Self {
        let state = self.state();
        let mut entries = state.synced_entries.clone();
        for (path, id) in &state.entries {
            if state.synced_entries.get(path) != Some(id) && keep() {
                entries.insert(path.clone(), *id);
            }
        }
        for path in state.synced_entries.keys() {
            if !state.entries.contains_key(path) && keep() {
                entries.remove(path);
            }
        }
        let mut folders = state.folders.clone();
        for folder in &state.unsynced_folders {
            if !keep() {
                entries.retain(|path, _| !path.starts_with(folder));
                folders.remove(folder);
            }
        }
        let files = state.files.iter().map(|content| content.after_power_failure(&mut keep)).collect();
        let is_without_threads = state.is_without_threads;
        let synced_entries = entries.clone();
        Self::of(State { entries, synced_entries, folders, files, is_without_threads, ..State::default() })
    }

    /// Flips one bit of a file, synced or not.
    pub fn flip(&self, path: &Path, position: usize, bit: u8) {
        self.edit(path, |bytes| {
            if let Some(byte) = bytes.get_mut(position) {
                *byte ^= 1 << (bit % 8);
            }
        });
    }

    /// Cuts a file to a length, synced or not.
    pub fn truncate(&self, path: &Path, bytes: usize) {
        self.edit(path, |content| content.truncate(bytes));
    }

    /// The files there are, in order.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().entries.keys().cloned().collect()
    }

    /// A copy of the disk that shares nothing with it.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = self.state();
        Self::of(State {
            entries: state.entries.clone(),
            synced_entries: state.synced_entries.clone(),
            folders: state.folders.clone(),
            unsynced_folders: state.unsynced_folders.clone(),
            files: state.files.clone(),
            is_without_threads: state.is_without_threads,
            ..State::default()
        })
    }

    fn of(state: State) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(state), holding: Condvar::new() }))
    }

    /// Lets syncs that begin wait until this is undone: what is appended meanwhile is not theirs.
    pub fn hold_syncs(&self, hold: bool) {
        self.state().holds_syncs = hold;
        self.0.holding.notify_all();
    }

    /// Waits until a sync waits.
    pub fn wait_for_held_sync(&self) {
        let is_none = |state: &mut State| state.held_syncs == 0;
        drop(self.0.holding.wait_while(self.state(), is_none));
    }

    fn edit(&self, path: &Path, change: impl Fn(&mut Vec<u8>)) {
        let mut state = self.state();
        let id = state.entries.get(path).copied();
        if let Some(content) = id.and_then(|id| state.files.get_mut(id)) {
            change(&mut content.bytes);
            change(&mut content.synced);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// Each page that differs from its synced state is kept or lost; the length may tear anywhere
    /// at a page's end.
    fn after_power_failure(&self, keep: &mut impl FnMut() -> bool) -> Self {
        let mut left = self.synced.clone();
        for (page, bytes) in self.bytes.chunks(PAGE_BYTES).enumerate() {
            let start = page * PAGE_BYTES;
            let old = self.synced.get(start..self.synced.len().min(start + bytes.len()));
            if old == Some(bytes) || !keep() {
                continue;
            }
            if left.len() < start + bytes.len() {
                left.resize(start + bytes.len(), 0);
            }
            if let Some(target) = left.get_mut(start..start + bytes.len()) {
                target.copy_from_slice(bytes);
            }
        }
        Self { bytes: left.clone(), synced: left, given_up: 0 }
    }

    /// Makes all up to `end` durable but what an earlier sync gave up.
    fn sync(&mut self, end: usize) {
        let end = end.min(self.bytes.len());
        let kept = self.synced.len().min(self.given_up);
        self.synced.truncate(kept);
        self.synced.resize(self.given_up.min(end), 0);
        self.synced.extend_from_slice(self.bytes.get(self.given_up..end).unwrap_or_default());
    }
}

impl State {
    /// Counts an operation, and fails it when its turn to fail has come.
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        match self.fail_after.as_mut() {
            Some(0) => {
                if self.fail_once {
                    self.fail_after = None;
                }
                Err(io::Error::other("simulated failure"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.operate()?;
        let id = state.files.len();
        state.files.push(Content::default());
        state.entries.insert(path.to_owned(), id);
        Ok(Arc::new(SimulatedFile { disk: self.clone(), id }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let id = self.state().entries.get(path).copied();
        let id = id.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), id }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let id = state.entries.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.entries.insert(to.to_owned(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.entries.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.folders.contains(path) {
            state.folders.insert(path.to_owned());
            state.unsynced_folders.insert(path.to_owned());
        }
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        Ok(state.entries.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let inside = |path: &Path| path.parent() == Some(folder);
        let current: Vec<_> = state
            .entries
            .iter()
            .filter(|(path, _)| inside(path))
            .map(|(path, id)| (path.clone(), *id))
            .collect();
        state.synced_entries.retain(|path, _| !inside(path));
        state.unsynced_folders.retain(|path| !inside(path));
        state.synced_entries.extend(current);
        Ok(())
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        Ok(self.state().room.map_or(u64::MAX, |room| room as u64))
    }

    fn has_threads(&self) -> bool {
        !self.state().is_without_threads
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    id: FileId,
}

impl DiskFile for SimulatedFile {
    fn append(&self, chunks: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut state = self.disk.state();
        let failed = state.operate();
        let mut bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.iter().copied()).collect();
        let full = state.room.is_some_and(|room| room < bytes.len());
        if failed.is_err() {
            // A write that fails may still have written a part.
            bytes.truncate(bytes.len() / 2);
        } else if let Some(room) = state.room.as_mut() {
            bytes.truncate(*room);
            *room -= bytes.len();
        }
        if let Some(content) = state.files.get_mut(self.id) {
            content.bytes.extend_from_slice(&bytes);
        }
        failed?;
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn read_at(&self, position: u64, length: usize) -> io::Result<Vec<u8>> {
        let state = self.disk.state();
        let content = state.files.get(self.id).map_or(&[][..], |content| &content.bytes);
        let rest = content.get(position as usize..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let end = state.files.get(self.id).map_or(0, |content| content.bytes.len());
        if state.holds_syncs {
            state.held_syncs += 1;
            self.disk.0.holding.notify_all();
            let held = self.disk.0.holding.wait_while(state, |state| state.holds_syncs);
            state = held.unwrap_or_else(PoisonError::into_inner);
            state.held_syncs -= 1;
        }
        let failed = state.operate();
        let Some(content) = state.files.get_mut(self.id) else { return failed };
        match failed {
            Ok(()) => content.sync(end),
            Err(_) => content.given_up = content.bytes.len(),
        }
        failed
    }

    fn len(&self) -> io::Result<u64> {
        let state = self.disk.state();
        Ok(state.files.get(self.id).map_or(0, |content| content.bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_durable_is_not_lost_because_it_is_created_again() {
        let (disk, folder) = (SimulatedDisk::new(), Path::new("data/journal"));
        disk.create_folder(folder).unwrap();
        drop(disk.create(&folder.join("1")).unwrap());
        disk.sync_folder(folder).unwrap();
        assert!(disk.after_power_failure(|| false).paths().is_empty());
        disk.sync_folder(Path::new("data")).unwrap();
        let disk = disk.after_power_failure(|| false);
        disk.create_folder(folder).unwrap();
        assert_eq!(disk.after_power_failure(|| false).paths(), [folder.join("1")]);
    }
}
