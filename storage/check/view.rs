//! A data folder as an opening would find it, without touching it.
//!
//! Opening writes: it starts a segment, throws the index's own log away, and the index may merge
//! its tables. So it is done in a temporary folder, in which segments and the index's tables are
//! links to the real ones, which nobody writes to, and all small files are copies. What is removed
//! there is a link.

use crate::checkpoint::Checkpoint;
use crate::disk::OsDisk;
use crate::error::{Error, Result};
use crate::folder::{Folder, Identity};
use crate::index::Index;
use crate::journal::segment;
use crate::log::checkpointer::CheckpointBounds;
use crate::log::{Log, LogOptions};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The temporary folder. It is removed when this is dropped.
#[derive(Debug)]
pub struct View {
    folder: TempDir,
}

/// The index of a view.
#[derive(Debug)]
pub enum Opened {
    /// As an opening of the whole folder would have it.
    Whole(Index),
    /// As its tables have it, because the journal behind the checkpoint cannot be applied as it is.
    Tables(Index),
    /// It cannot be opened, and why.
    Not(String),
}

impl View {
    /// A view of the data folder `real`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn of(real: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().map_err(Error::io("creating a folder in", std::env::temp_dir()))?;
        let real = fs::canonicalize(real).map_err(Error::io("finding", real))?;
        let view = folder.path();
        copy(&real.join("checkpoint"), &view.join("checkpoint"))?;
        let journal = view.join("journal");
        fs::create_dir(&journal).map_err(Error::io("creating", &journal))?;
        for id in segment::list(&OsDisk, &real.join("journal"))? {
            link(&segment::path(&real.join("journal"), id), &segment::path(&journal, id))?;
        }
        mirror(&real.join("index"), &view.join("index"))?;
        Ok(Self { folder })
    }

    /// The folder of its segments, with the one that an opening began.
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// Opens it as a broker would; where the journal prevents that, the index alone. Also answers why
    /// a broker would not start.
    pub fn open(&self) -> (Opened, Option<String>) {
        let refusal = match unwinding(|| self.open_whole()) {
            Ok(index) => return (Opened::Whole(index), None),
            Err(refusal) => refusal,
        };
        let opened = unwinding(|| self.open_index()).map_or_else(Opened::Not, Opened::Tables);
        (opened, Some(refusal))
    }

    /// The index as its tables have it.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn open_tables(&self) -> std::result::Result<Index, String> {
        unwinding(|| self.open_index())
    }

    fn open_whole(&self) -> Result<Index> {
        let identity = Identity { cluster_id: String::new(), node_id: 0 };
        let folder = Folder::begin(self.folder.path(), identity)?;
        // No checkpoint: nothing else is asked of it but to be read.
        let never =
            CheckpointBounds { bytes: u64::MAX, records: u64::MAX, interval: Duration::from_secs(u64::MAX) };
        let options = LogOptions { segment_bytes: u64::MAX, checkpoint: never };
        Ok(Log::open(Arc::new(OsDisk), &folder, &options)?.reader().index().clone())
    }

    fn open_index(&self) -> Result<Index> {
        let checkpoint = Checkpoint::read(&OsDisk, &self.folder.path().join("checkpoint")).ok().flatten();
        Index::open(&self.folder.path().join("index"), checkpoint.as_ref())
    }
}

/// Damaged bytes may take the database to where it did not expect to come.
fn unwinding<T>(open: impl FnOnce() -> Result<T>) -> std::result::Result<T, String> {
    match std::panic::catch_unwind(AssertUnwindSafe(open)) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("the index's database panicked over it".into()),
    }
}

/// Folders as folders, tables as links, the database's own logs as empty files, all else as copies.
fn mirror(real: &Path, view: &Path) -> Result<()> {
    let entries = match fs::read_dir(real) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("listing", real)(error)),
    };
    fs::create_dir(view).map_err(Error::io("creating", view))?;
    for entry in entries {
        let path = entry.map_err(Error::io("listing", real))?.path();
        let Some(name) = path.file_name() else { continue };
        let target = view.join(name);
        if path.is_dir() {
            mirror(&path, &target)?;
        } else if real.ends_with("tables") {
            link(&path, &target)?;
        } else if path.extension().is_some_and(|extension| extension == "jnl") {
            File::create(&target).map(drop).map_err(Error::io("creating", &target))?;
        } else {
            copy(&path, &target)?;
        }
    }
    Ok(())
}

fn link(real: &Path, view: &Path) -> Result<()> {
    symlink(real, view).map_err(Error::io("linking", view))
}

/// A file that is missing is missing there too.
fn copy(real: &Path, view: &Path) -> Result<()> {
    match fs::copy(real, view) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("copying", real)(error)),
        Ok(_) | Err(_) => Ok(()),
    }
}
