//! What is done to the index's files before the database is opened.
//!
//! Its own write-ahead log is discarded. An unsynced page of it that a power failure lost would make
//! opening fail, and reading it back would only repeat what the journal says. An empty one is left
//! in its place: a database that finds none at all does not continue its numbering.

use crate::error::{Error, Result};
use crate::lock::Lock;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXTENSION: &str = "jnl";
/// The file that tells a database from a folder that is becoming one.
const VERSION: &str = "version";

/// The file that tells an index that was created to its end from a part of one.
const COMPLETE: &str = "complete";
/// Held by an open database.
const LOCK: &str = "lock";
/// How often a database that is still open is given time to close, and how long.
const WAITS: u32 = 3;
const WAIT: Duration = Duration::from_millis(100);

/// Refuses files that are still in use: somebody in this process may read on after the log is closed.
///
/// # Errors
/// [`Error::InUse`]; [`Error::Io`].
pub(super) fn check_free(folder: &Path) -> Result<()> {
    let path = folder.join(LOCK);
    for wait in 1.. {
        let lock = match File::options().write(true).open(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(Error::io("opening", &path)(error)),
        };
        match Lock::of(lock, folder) {
            Err(Error::InUse(_)) if wait <= WAITS => std::thread::park_timeout(WAIT),
            outcome => return outcome.map(drop),
        }
    }
    Ok(())
}

/// Removes an index that nothing relies on.
pub(super) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("removing", folder)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether the index was once created to its end.
pub(crate) fn is_complete(folder: &Path) -> bool {
    folder.join(COMPLETE).exists()
}

/// Says that the index is created to its end, all of it being durable. The database leaves the
/// folders of its tables to the file system.
pub(super) fn complete(folder: &Path) -> Result<()> {
    if is_complete(folder) {
        return Ok(());
    }
    sync(&folder.join("keyspaces"))
        .and_then(|()| sync(folder))
        .and_then(|()| File::create(folder.join(COMPLETE)).map(drop))
        .map_err(Error::io("completing", folder))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes durable which files there are. A database that died may have named a version of its tables and not
/// come to syncing the name; opening reads it, and removes all that the version before it consists of, so that
/// a power failure could bring back that one's name without its files.
pub(super) fn sync_names(folder: &Path) -> Result<()> {
    let keyspaces = folder.join("keyspaces");
    let entries = match fs::read_dir(&keyspaces) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("listing", &keyspaces)(error)),
    };
    for entry in entries {
        let keyspace = entry.map_err(Error::io("listing", &keyspaces))?.path();
        // One that was begun and not finished has no tables yet.
        for folder in [keyspace.join("tables"), keyspace].iter().filter(|folder| folder.is_dir()) {
            sync(folder).map_err(Error::io("syncing", folder))?;
        }
    }
    sync(&keyspaces).map_err(Error::io("syncing", &keyspaces))
}

/// Leaves an empty write-ahead log with the highest number of those that are there.
pub(super) fn discard_write_ahead_log(folder: &Path) -> Result<()> {
    let mut logs = write_ahead_logs(folder)?;
    logs.sort_unstable();
    let newest = match logs.pop() {
        Some((_, newest)) => newest,
        None if folder.join(VERSION).exists() => folder.join("0").with_extension(EXTENSION),
        None => return Ok(()),
    };
    for (_, path) in &logs {
        fs::remove_file(path).map_err(Error::io("removing", path))?;
    }
    File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&newest)
        .and_then(|file| file.sync_all())
        .map_err(Error::io("emptying", &newest))?;
    sync(folder).map_err(Error::io("syncing", folder))
}

fn write_ahead_logs(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("listing", folder)(error)),
    };
    let mut logs = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("listing", folder))?.path();
        let is_log = path.extension().is_some_and(|extension| extension == EXTENSION);
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) = number.filter(|_| is_log) {
            logs.push((number, path));
        }
    }
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_write_ahead_logs_only_the_newest_stays_and_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["2.jnl", "10.jnl", "9.jnl"] {
            fs::write(folder.path().join(name), "rows that the journal has too").unwrap();
        }
        discard_write_ahead_log(folder.path()).unwrap();
        let logs = write_ahead_logs(folder.path()).unwrap();
        assert_eq!(logs, [(10, folder.path().join("10.jnl"))]);
        assert_eq!(fs::read(folder.path().join("10.jnl")).unwrap(), b"");
    }

    #[test]
    fn a_database_without_a_log_gets_one_and_a_folder_that_is_none_does_not() {
        let folder = tempfile::tempdir().unwrap();
        discard_write_ahead_log(folder.path()).unwrap();
        assert_eq!(write_ahead_logs(folder.path()).unwrap(), []);
        fs::write(folder.path().join(VERSION), "3").unwrap();
        discard_write_ahead_log(folder.path()).unwrap();
        assert_eq!(write_ahead_logs(folder.path()).unwrap(), [(0, folder.path().join("0.jnl"))]);
    }
}
