//! Finds the tools that clients are set up with, and sets each client up once for all tests.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::process::output_of;

/// A first set-up downloads; afterwards it is done.
const SET_UP_WITHIN: Duration = Duration::from_mins(10);

/// The folder of this test's sources.
pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// The program `name` of the search path.
///
/// # Errors
/// When it is not there: the error names the Debian package that has it.
pub(crate) fn tool(name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("{name} is missing: install the package {package}"))
}

/// Runs one step of a set-up.
///
/// # Errors
/// When the step fails; the error holds what it said.
pub(crate) fn step(command: Command) -> Result<()> {
    output_of(command, SET_UP_WITHIN).map(drop)
}

/// The folder `target/clients/<name>`, set up by `make` unless that happened already from the
/// same `inputs`. Tests run side by side, in several processes too: the first one does the work,
/// the others wait for it.
///
/// # Errors
/// When an input cannot be read or `make` fails.
pub(crate) fn set_up(name: &str, inputs: &[&str], make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    fs::create_dir_all(&all)?;
    let lock = File::create(all.join(format!("{name}.lock")))?;
    lock.lock()?;
    let folder = all.join(name);
    let mut wanted = Vec::new();
    for input in inputs {
        wanted.extend(fs::read(sources().join(input)).with_context(|| (*input).to_string())?);
    }
    let done = all.join(format!("{name}.done"));
    if fs::read(&done).is_ok_and(|made_from| made_from == wanted) && folder.is_dir() {
        return Ok(folder);
    }
    // What a changed input or an interrupted set-up left behind must not be mixed in.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    make(&folder)?;
    fs::write(&done, wanted)?;
    Ok(folder)
}

/// Copies files of the test's sources into a folder, without their own folders.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn copy(files: &[&str], folder: &Path) -> Result<()> {
    for file in files {
        let Some(name) = Path::new(file).file_name() else { bail!("{file} has no name") };
        fs::copy(sources().join(file), folder.join(name)).with_context(|| (*file).to_string())?;
    }
    Ok(())
}

#[test]
fn a_missing_tool_is_an_error_that_names_its_package() {
    let error = tool("no-such-tool-anywhere", "some-package").unwrap_err().to_string();
    assert!(error.contains("no-such-tool-anywhere") && error.contains("some-package"), "{error}");
}
