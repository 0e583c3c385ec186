//! What a broker did to its files, in order, as `record.c` wrote it down.

use crate::chance::Chance;
use crate::content::Change;
use crate::support::process::output_of;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const BUILT_WITHIN: Duration = Duration::from_secs(60);
const HEAD_BYTES: usize = 32;
/// What is in the paths of files that few calls are about.
pub(crate) const WORDS: [&str; 6] = ["/current", "/checkpoint", "/tables/", "/v", ".journal", ".jnl"];
/// How many calls behind one of those a program dies at most.
const MORE: usize = 6;

/// A call, and where in the log its entry ends: who knew of its effect saw the log at least that long.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) end: u64,
    pub(crate) call: Call,
}

/// What was done.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Open {
        fd: i64,
        flags: i64,
        path: PathBuf,
    },
    Close {
        fd: i64,
    },
    Copy {
        fd: i64,
        to: i64,
    },
    Change {
        fd: i64,
        change: Change,
    },
    SyncBegins {
        fd: i64,
        thread: i64,
    },
    SyncEnds {
        thread: i64,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
    },
    /// Another process: it has no files open.
    Start,
}

/// The program that records.
pub(crate) struct Recorder(TempDir);

impl Recorder {
    pub(crate) fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-Wall", "-o"]).arg(folder.path().join("record"));
        compiler.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power/record.c"));
        output_of(compiler, BUILT_WITHIN).unwrap();
        Self(folder)
    }

    /// What to run instead of a program, with its arguments behind it, so that what it does below `folder`
    /// is written to `log`, behind what is there.
    pub(crate) fn command(&self, log: &Path, folder: &Path, death: Option<Death>) -> Command {
        let Death { calls, word, more } = death.unwrap_or(Death { calls: 0, word: "", more: 0 });
        let mut command = Command::new(self.0.path().join("record"));
        command.arg(log).arg(folder).arg(calls.to_string()).arg(word).arg(more.to_string());
        command
    }
}

/// When a recorded program dies: after so many calls, then one whose path has that word, and so many more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    pub(crate) calls: usize,
    pub(crate) word: &'static str,
    pub(crate) more: usize,
}

impl Death {
    pub(crate) fn after(calls: usize) -> Self {
        Self { calls, word: "", more: 0 }
    }

    /// Within so many calls, or at the next of some kind.
    pub(crate) fn any(calls: usize, chance: &mut Chance) -> Self {
        let calls = 1 + chance.below(calls);
        if chance.is_one_in(2) {
            return Self::after(calls);
        }
        Self { calls, word: WORDS[chance.below(WORDS.len())], more: chance.below(MORE) }
    }
}

/// Reads a log. A call that nothing is known of fails the test: what it changed would be passed over.
pub(crate) fn read(log: &Path) -> Vec<Entry> {
    let log = fs::read(log).unwrap();
    let (mut entries, mut position) = (Vec::new(), 0);
    while position + HEAD_BYTES <= log.len() {
        let length = u32::from_ne_bytes(log[position..position + 4].try_into().unwrap()) as usize;
        let Some(entry) = log.get(position..position + length) else { break };
        position += length;
        entries.push(Entry { end: position as u64, call: call(entry) });
    }
    entries
}

/// What each call is about, alike for calls that are: so those that are rare can be found among the many.
pub(crate) fn subjects(entries: &[Entry]) -> Vec<String> {
    let mut open = HashMap::new();
    let mut subject = |call: &Call| match call {
        Call::Open { fd, flags, path } => {
            open.insert(*fd, alike(path));
            format!("open {} {flags:o}", alike(path))
        }
        Call::Close { fd } => format!("close {}", open[fd]),
        Call::Copy { fd, to } => {
            let path = open[fd].clone();
            open.insert(*to, path.clone());
            format!("copy {path}")
        }
        Call::Change { fd, .. } => format!("change {}", open[fd]),
        Call::SyncBegins { fd, .. } => format!("sync {}", open[fd]),
        Call::SyncEnds { .. } => "synced".to_owned(),
        Call::Rename { to, .. } => format!("rename {}", alike(to)),
        Call::Remove { path } => format!("remove {}", alike(path)),
        Call::MakeFolder { path } => format!("make {}", alike(path)),
        Call::Start => "start".to_owned(),
    };
    entries.iter().map(|entry| subject(&entry.call)).collect()
}

/// The last names of a path, without what counts files and what only chance gave them.
fn alike(path: &Path) -> String {
    let names = path.iter().rev().take(2).map(|name| match name.to_str().unwrap() {
        name if name.starts_with(".tmp") => ".tmp".to_owned(),
        name => name.replace(|it: char| it.is_ascii_digit(), ""),
    });
    names.collect::<Vec<_>>().join(" in ")
}

fn call(entry: &[u8]) -> Call {
    let small = |at: usize| u32::from_ne_bytes(entry[at..at + 4].try_into().unwrap());
    let large = |at: usize| i64::from_ne_bytes(entry[at..at + 8].try_into().unwrap());
    let (kind, fd, number) = (small(4), large(8), large(16));
    let (first, rest) = entry[HEAD_BYTES..].split_at(small(24) as usize);
    let (second, bytes) = rest.split_at(small(28) as usize);
    let path_of = |bytes: &[u8]| PathBuf::from(std::str::from_utf8(bytes).unwrap());
    let path = path_of(first);
    match kind {
        1 => Call::Open { fd, flags: number, path },
        2 => Call::Close { fd },
        3 => Call::Copy { fd, to: number },
        4 => Call::Change { fd, change: Change::Write(number as u64, bytes.into()) },
        5 => Call::Change { fd, change: Change::Cut(number as u64) },
        6 => Call::SyncBegins { fd, thread: number },
        7 => Call::SyncEnds { thread: number },
        8 => Call::Rename { from: path, to: path_of(second) },
        9 | 11 => Call::Remove { path },
        10 => Call::MakeFolder { path },
        13 => Call::Start,
        _ => {
            let path = path.display();
            panic!("the model does not know system call {number} on descriptor {fd} or {path}")
        }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Change { fd, change: Change::Write(position, bytes) } => {
                write!(f, "Write {{ fd: {fd}, position: {position}, bytes: {} }}", bytes.len())
            }
            other => write!(f, "{other:?}"),
        }
    }
}
