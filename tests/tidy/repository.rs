//! The files of the repository as the rules look at them.

use crate::code::is_word;
use std::fs;
use std::path::{Path, PathBuf};

/// Names with nothing behind them that was written by hand.
const MADE: [&str; 8] =
    [".git", "target", "callboard-data", "node_modules", "__pycache__", "venv", "corpus", "artifacts"];
/// How the names of folders begin that benchmarks make for a while.
const PASSING: &str = ".tmp";

/// A text file, by its path from the root with `/`.
#[derive(Debug)]
pub(crate) struct TextFile {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl TextFile {
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.name).extension().is_some_and(|it| it == extension)
    }
}

impl std::fmt::Display for TextFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({} lines)", self.name, self.text.lines().count())
    }
}

pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn rust_files() -> Vec<TextFile> {
    let rust: Vec<_> = files().into_iter().filter(|file| file.is("rs")).collect();
    assert!(rust.len() > 100, "the files are not where they should be");
    rust
}

/// All files of text that were written by hand.
pub(crate) fn files() -> Vec<TextFile> {
    let root = root();
    let (mut folders, mut files) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            // In a second work tree git's folder is a file.
            if MADE.iter().any(|made| name == *made) || name.to_string_lossy().starts_with(PASSING) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push(TextFile { name, text });
            }
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

pub(crate) fn members() -> Vec<String> {
    let manifest = manifest(".");
    let line = manifest.lines().find(|line| line.starts_with("members = ")).unwrap();
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

pub(crate) fn manifest(member: &str) -> String {
    read(&format!("{member}/Cargo.toml"))
}

/// The names in all sections of dependencies of a manifest, but for those of the workspace.
pub(crate) fn needed_by(manifest: &str) -> Vec<String> {
    let mut is_inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_inside = line.contains("dependencies") && !line.starts_with("[workspace");
        } else if is_inside && line.starts_with(char::is_alphanumeric) {
            names.extend(line.split(['.', '=', ' ']).next().map(str::to_owned));
        }
    }
    names
}

/// Module and versions of each row of the table of operations. Where a row has two ranges, the
/// second says which are served.
pub(crate) fn operations(table: &str) -> Vec<(String, u16, u16)> {
    let rows = table.split("ApiKey::").skip(1).filter(|row| row.contains("..="));
    let read = |row: &str| {
        let (before, _) = row.split_once("::handle").or_else(|| row.split_once("::start"))?;
        let module = before.rsplit(|it: char| !is_word(it)).next()?;
        let (first, last) = before.rsplit_once("..=")?;
        let first = first.rsplit(|it: char| !it.is_ascii_digit()).next()?.parse().ok()?;
        let last = last.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok()?;
        Some((module.to_owned(), first, last))
    };
    rows.filter_map(read).collect()
}

#[test]
fn dependencies_are_read_from_all_sections_but_those_of_the_workspace() {
    let manifest = "[workspace.dependencies]\na = 1\n[dependencies]\nb.workspace = true\n\
                    [dev-dependencies]\nc = { path = \"c\" }\n[lints]\nworkspace = true\n";
    assert_eq!(needed_by(manifest), ["b", "c"]);
}
