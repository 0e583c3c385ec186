//! The index's files, byte for byte: each has a checksum, or does not matter.
//!
//! Each keyspace has a file `current`, which names the version that counts and its checksum, and
//! the version names its tables and theirs. What an opening does not read does not matter: the
//! database's write-ahead logs, which are thrown away, versions that do not count any more, tables
//! that no version names, and the empty files.

use crate::error::{Error, Result};
use bytes::Buf;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3Default;

/// What an index's file `version` says.
const VERSION: [u8; 4] = *b"FJL\x03";
/// The kind of the checksums, xxh3 with 128 bits.
const CHECKSUM_KIND: u8 = 0;
const KEYSPACES: &str = "keyspaces";
const TABLES: &str = "tables";
const CURRENT: &str = "current";

/// Looks through the files of an index, and tells what is wrong with which; `read` learns of bytes read.
///
/// # Errors
/// [`Error::Io`] when its folders cannot be listed.
pub fn check(folder: &Path, wrong: &mut dyn FnMut(PathBuf, String), read: &mut dyn FnMut(u64)) -> Result<()> {
    let version = folder.join("version");
    match fs::read(&version) {
        Ok(bytes) if bytes.starts_with(&VERSION) => {}
        Ok(_) => wrong(version, "it does not say the format of an index".into()),
        Err(error) => wrong(version, told(&error)),
    }
    for keyspace in list(&folder.join(KEYSPACES))? {
        let tables = match tables(&keyspace) {
            Ok(tables) => tables,
            Err((path, what)) => {
                wrong(path, what);
                continue;
            }
        };
        for (id, checksum) in tables {
            let path = keyspace.join(TABLES).join(id.to_string());
            match sum(&path, read) {
                Ok(found) if found == checksum => {}
                Ok(_) => wrong(path, "its checksum does not match".into()),
                Err(error) => wrong(path, told(&error)),
            }
        }
    }
    Ok(())
}

/// Looks at what names the tables, which is little. Damaged, it takes the database to where it does not
/// expect to come, and the process with it.
///
/// # Errors
/// [`Error::IndexDamaged`]; [`Error::Io`].
pub fn check_versions(folder: &Path) -> Result<()> {
    let keyspaces = folder.join(KEYSPACES);
    if !keyspaces.exists() {
        return Ok(());
    }
    // One without a version was not created to its end; the database removes it.
    for keyspace in list(&keyspaces)?.into_iter().filter(|keyspace| keyspace.join(CURRENT).exists()) {
        tables(&keyspace).map_err(|(path, what)| Error::IndexDamaged { path, what })?;
    }
    Ok(())
}

/// Bytes of the files that count, for whoever shows progress.
pub fn bytes(folder: &Path) -> u64 {
    let tables = list(&folder.join(KEYSPACES)).unwrap_or_default().into_iter().flat_map(|keyspace| {
        let ids = tables(&keyspace).unwrap_or_default();
        ids.into_iter().map(move |(id, _)| keyspace.join(TABLES).join(id.to_string()))
    });
    tables.filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum()
}

type Wrong = (PathBuf, String);

/// The tables of a keyspace, with their checksums.
fn tables(keyspace: &Path) -> Result<Vec<(u64, u128)>, Wrong> {
    let current = keyspace.join(CURRENT);
    let (version, checksum) = match fs::read(&current) {
        Ok(bytes) => {
            read_current(&bytes).ok_or((current, "it does not say which version counts".to_owned()))?
        }
        Err(error) => return Err((current, told(&error))),
    };
    let version = keyspace.join(format!("v{version}"));
    match sum(&version, &mut |_| {}) {
        Ok(found) if found == checksum => {}
        Ok(_) => return Err((version, "its checksum does not match".into())),
        Err(error) => return Err((version, told(&error))),
    }
    read_version(&version).ok_or_else(|| (version, "it does not name its tables".into()))
}

fn read_current(mut bytes: &[u8]) -> Option<(u64, u128)> {
    let version = bytes.try_get_u64_le().ok()?;
    let checksum = bytes.try_get_u128_le().ok()?;
    (bytes == [CHECKSUM_KIND]).then_some((version, checksum))
}

fn read_version(path: &Path) -> Option<Vec<(u64, u128)>> {
    let reader = sfa::Reader::new(path).ok()?;
    let mut section = Vec::new();
    reader.toc().section(b"tables")?.reader(path).ok()?.read_to_end(&mut section).ok()?;
    let mut rest = section.as_slice();
    let mut tables = Vec::new();
    for _level in 0..rest.try_get_u8().ok()? {
        for _run in 0..rest.try_get_u8().ok()? {
            for _table in 0..rest.try_get_u32_le().ok()? {
                let id = rest.try_get_u64_le().ok()?;
                let kind = rest.try_get_u8().ok()?;
                let checksum = rest.try_get_u128_le().ok()?;
                let _first_write = rest.try_get_u64_le().ok()?;
                if kind != CHECKSUM_KIND {
                    return None;
                }
                tables.push((id, checksum));
            }
        }
    }
    Some(tables)
}

fn sum(path: &Path, read: &mut dyn FnMut(u64)) -> io::Result<u128> {
    let mut file = File::open(path)?;
    let mut hasher = Xxh3Default::new();
    let mut chunk = vec![0; 256 << 10];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hasher.digest128()),
            count => {
                hasher.update(chunk.get(..count).unwrap_or_default());
                read(count as u64);
            }
        }
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    let mut paths = entries.map_err(Error::io("listing", folder))?;
    paths.sort_unstable();
    Ok(paths)
}

fn told(error: &io::Error) -> String {
    if error.kind() == ErrorKind::NotFound { "it is missing".into() } else { error.to_string() }
}
