//! The one way to files: a real file system, and a simulated one that can crash, fail and fill up.

mod os;
pub mod simulated;

pub use os::OsDisk;

use crate::crash_points::{Point, reach};
use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file system, reduced to what the journal needs.
///
/// What is written, created, renamed or removed may be lost by a power failure until the file,
/// or for the last three its folder, has been synced.
pub trait Disk: Debug + Send + Sync {
    /// Creates an empty file, or empties the one that is there.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file, over one that may be there.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Creates a folder and those above it; one that is there already is fine.
    ///
    /// # Errors
    /// What the system says.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// The files in a folder, in no order.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;

    /// Makes the entries of a folder durable.
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Bytes that may still be written to the disk of a folder.
    ///
    /// # Errors
    /// What the system says.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;

    /// Whether what waits for this disk beside others has threads of its own. Where not, it is done by
    /// who asks for it, so that all happens in one order: for simulation.
    fn has_threads(&self) -> bool {
        true
    }
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Appends all of `chunks` at the end. One thread appends to a file; others may read and sync it.
    ///
    /// # Errors
    /// What the system says; some of the bytes may have been written.
    fn append(&self, chunks: &mut [IoSlice<'_>]) -> io::Result<()>;

    /// The bytes from `position` on, as many as there are, up to `length`.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, position: u64, length: usize) -> io::Result<Vec<u8>>;

    /// The `length` bytes from `position` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when there are fewer, and what the system says.
    fn read_exact_at(&self, position: u64, length: usize) -> io::Result<Vec<u8>> {
        let bytes = self.read_at(position, length)?;
        if bytes.len() == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Makes durable what was appended before. One sync of a file runs at a time: of two that fail
    /// together the system may tell one only.
    ///
    /// # Errors
    /// What the system says; after an error nothing is known of what was written before.
    fn sync(&self) -> io::Result<()>;

    /// Bytes in the file.
    ///
    /// # Errors
    /// What the system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether there are none.
    ///
    /// # Errors
    /// What the system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Replaces the small file `path` by `content`, so that a crash leaves the old or the new one whole.
///
/// # Errors
/// What the system says.
pub fn replace_file(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let file = disk.create(&temporary)?;
    file.append(&mut [IoSlice::new(content)])?;
    file.sync()?;
    reach(Point::FileWritten);
    disk.rename(&temporary, path)?;
    reach(Point::FileNamed);
    disk.sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// The whole of a small file.
///
/// # Errors
/// What the system says, or `InvalidData` for a file of more than `bytes_max` bytes.
pub fn read_file(disk: &dyn Disk, path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let bytes = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    if bytes > bytes_max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is too large"));
    }
    file.read_at(0, bytes)
}
