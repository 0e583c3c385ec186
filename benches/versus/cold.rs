//! Emptying the page cache, so that what is read comes from the disk.

use anyhow::Result;
use rustix::fs::{Advice, fadvise};
use std::fs::File;
use std::path::Path;
use std::process::Command;

const DROP: &str = "/proc/sys/vm/drop_caches";

/// How the page cache is emptied here.
pub fn way() -> &'static str {
    if File::options().write(true).open(DROP).is_ok() {
        "by the kernel's drop_caches"
    } else {
        "by posix_fadvise for each file of the data, as drop_caches needs root"
    }
}

/// Writes out all and drops what is cached: of everything, or only of a folder without the right to.
pub fn empty_page_cache(folder: &Path) -> Result<()> {
    Command::new("sync").status()?;
    if std::fs::write(DROP, "1").is_err() {
        forget(folder)?;
    }
    Ok(())
}

fn forget(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            forget(&path)?;
        } else if let Ok(file) = File::open(path) {
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}
