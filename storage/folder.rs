//! The data folder: its lock, its format, and the identity of the node that it belongs to.

use crate::disk::{self, OsDisk};
use crate::error::{Error, Result};
use crate::lock::Lock;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The format of the data folder that this version reads and writes.
pub const FORMAT: u32 = 1;

const IDENTITY_BYTES_MAX: usize = 4096;

/// Who this broker is; given at the first start and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The cluster, as Kafka writes it: 22 characters.
    pub cluster_id: String,
    /// The node within the cluster.
    pub node_id: i32,
}

/// An open data folder. No other process can open it while this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    identity: Identity,
    _lock: Lock,
}

impl Folder {
    /// Opens the folder, and makes it a data folder with the identity `new` when it is none yet.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Format`], [`Error::OtherNode`], [`Error::Io`]; nothing that was
    /// in the folder is touched then.
    pub fn open(path: &Path, new: Identity) -> Result<Self> {
        create(path).map_err(Error::io("creating the data folder", path))?;
        let lock = lock(path)?;
        let file = path.join("identity");
        let identity = match fs::read_to_string(&file) {
            Ok(text) => {
                let identity = parse(path, &text)?;
                check_node(path, &identity, &new)?;
                identity
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                check_new(path)?;
                write(path, &new)?;
                new
            }
            Err(error) => return Err(Error::io("reading", &file)(error)),
        };
        Ok(Self { path: path.to_owned(), identity, _lock: lock })
    }

    /// Locks a folder that is to become a data folder. Until [`Folder::finish`] it has no identity, so
    /// that no broker takes a part for the whole.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Io`].
    pub(crate) fn begin(path: &Path, identity: Identity) -> Result<Self> {
        create(path).map_err(Error::io("creating the data folder", path))?;
        let lock = lock(path)?;
        Ok(Self { path: path.to_owned(), identity, _lock: lock })
    }

    /// Makes a folder that was begun one that a broker starts on.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn finish(&self) -> Result<()> {
        write(&self.path, &self.identity)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The identity in the folder.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The folder of the journal's segments.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The folder of the index.
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// The file of the checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint")
    }
}

/// A data folder that is only looked at. No broker can open it while this lives.
#[derive(Debug)]
pub struct Looked {
    /// The identity in the folder, or why it cannot be told.
    pub identity: Result<Identity>,
    _lock: Option<Lock>,
}

impl Looked {
    /// Locks a data folder without changing anything in it.
    ///
    /// # Errors
    /// [`Error::InUse`] when a broker runs on it; [`Error::Io`], also when there is no data folder.
    pub fn at(path: &Path) -> Result<Self> {
        let journal = path.join("journal");
        fs::read_dir(&journal).map_err(Error::io("opening the data folder's journal", &journal))?;
        let file = path.join("lock");
        // Who has no lock has no broker.
        let lock = match File::open(&file) {
            Ok(lock) => Some(Lock::of(lock, path)?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("opening", &file)(error)),
        };
        let file = path.join("identity");
        let text = fs::read_to_string(&file).map_err(Error::io("reading", &file));
        Ok(Self { identity: text.and_then(|text| parse(path, &text)), _lock: lock })
    }
}

/// Creates the folder and those above it, so that a power failure does not take them away.
fn create(path: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<_> = path.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(path)?;
    for folder in missing {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Makes the folders above durable once more: an earlier start that died may have created them and not come
/// to syncing them. Where there is an identity, they are synced.
fn sync_above(path: &Path) -> io::Result<()> {
    for folder in path.ancestors().skip(1) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            // Nothing was created by us in a folder like that.
            Err(error) if cannot_be_synced(error.kind()) => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

fn cannot_be_synced(error: ErrorKind) -> bool {
    use ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(error, PermissionDenied | InvalidInput | ReadOnlyFilesystem | Unsupported)
}

/// Gives the folder its identity, which is the last step of making it one.
fn write(path: &Path, identity: &Identity) -> Result<()> {
    sync_above(path).map_err(Error::io("syncing the folders above", path))?;
    let file = path.join("identity");
    let text = render(identity);
    disk::replace_file(&OsDisk, &file, text.as_bytes()).map_err(Error::io("writing", &file))
}

fn lock(path: &Path) -> Result<Lock> {
    let file = path.join("lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&file)
        .map_err(Error::io("writing to the data folder", path))?;
    Lock::of(lock, path)
}

/// A folder that has records had an identity, and a format that nobody can tell any more.
fn check_new(path: &Path) -> Result<()> {
    let mut segments = fs::read_dir(path.join("journal")).into_iter().flatten();
    if segments.next().is_none() {
        return Ok(());
    }
    let found = "that nobody knows: its file `identity` is missing".to_owned();
    Err(Error::Format { path: path.to_owned(), found, expected: FORMAT })
}

fn check_node(path: &Path, identity: &Identity, new: &Identity) -> Result<()> {
    if identity.node_id == new.node_id {
        return Ok(());
    }
    Err(Error::OtherNode { path: path.to_owned(), found: identity.node_id, configured: new.node_id })
}

fn render(identity: &Identity) -> String {
    format!("format={FORMAT}\ncluster.id={}\nnode.id={}\n", identity.cluster_id, identity.node_id)
}

fn parse(path: &Path, text: &str) -> Result<Identity> {
    let value = |key: &str| {
        text.lines().filter_map(|line| line.split_once('=')).find(|(name, _)| *name == key).map(|it| it.1)
    };
    let wrong = |found: &str| Error::Format {
        path: path.to_owned(),
        found: found.chars().take(IDENTITY_BYTES_MAX).collect(),
        expected: FORMAT,
    };
    let format = value("format").unwrap_or("that cannot be read");
    if format != FORMAT.to_string() {
        return Err(wrong(format));
    }
    let identity = || {
        Some(Identity {
            cluster_id: value("cluster.id")?.to_owned(),
            node_id: value("node.id")?.parse().ok()?,
        })
    };
    identity().ok_or_else(|| wrong("without an identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".into(), node_id: 1 }
    }

    #[test]
    fn the_identity_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        drop(Folder::open(folder.path(), identity()).unwrap());
        let other = Identity { cluster_id: "another".into(), node_id: 1 };
        assert_eq!(Folder::open(folder.path(), other).unwrap().identity(), &identity());
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _open = Folder::open(folder.path(), identity()).unwrap();
        let refused = Folder::open(folder.path(), identity()).unwrap_err();
        assert!(refused.to_string().contains("in use by another process"));
    }

    #[test]
    fn a_folder_with_records_that_lost_its_identity_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Folder::open(folder.path(), identity()).unwrap());
        fs::create_dir(folder.path().join("journal")).unwrap();
        fs::remove_file(folder.path().join("identity")).unwrap();
        drop(Folder::open(folder.path(), identity()).unwrap());
        fs::write(folder.path().join("journal/00000001.journal"), "records").unwrap();
        fs::remove_file(folder.path().join("identity")).unwrap();
        let refused = Folder::open(folder.path(), identity()).unwrap_err().to_string();
        assert!(refused.contains("identity"), "{refused}");
        assert!(!folder.path().join("identity").exists());
    }

    #[test]
    fn another_format_and_another_node_are_refused_and_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("identity");
        for (text, says) in [
            ("format=2\ncluster.id=a\nnode.id=1\n", "has format 2"),
            ("", "cannot be read"),
            ("format=1\ncluster.id=a\nnode.id=7\n", "node 7"),
        ] {
            fs::write(&file, text).unwrap();
            let refused = Folder::open(folder.path(), identity()).unwrap_err().to_string();
            assert!(refused.contains(says), "{refused}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    }
}
