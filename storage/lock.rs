//! The lock of a folder.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// A file that nobody else can lock while this lives.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Locks `file`, which stands for the folder `of`.
    ///
    /// # Errors
    /// [`Error::InUse`] when somebody has it, also in this process; [`Error::Io`].
    pub(crate) fn of(file: File, of: &Path) -> Result<Self> {
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(of.to_owned())),
            Err(TryLockError::Error(error)) => Err(Error::io("locking", of)(error)),
        }
    }
}

impl Drop for Lock {
    /// To close the file would not do: a program that is being started by another thread has it open too
    /// until it runs.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "cannot give back a folder's lock");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_given_back_also_while_a_program_that_is_being_started_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let open = || File::create(folder.path().join("lock")).unwrap();
        let file = open();
        let _child = file.try_clone().unwrap();
        let lock = Lock::of(file, folder.path()).unwrap();
        assert!(matches!(Lock::of(open(), folder.path()), Err(Error::InUse(_))));
        drop(lock);
        Lock::of(open(), folder.path()).unwrap();
    }
}
