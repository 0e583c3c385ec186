//! The log files whose lines travel through the broker.
//!
//! `CALLBOARD_TEST_DATA=DIRECTORY` takes every file of a directory instead of the two made here.

use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A log file and the topic-safe name for it.
pub(crate) struct LogFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl LogFile {
    fn new(path: PathBuf) -> Result<Self> {
        let name = path.file_name().context("a file without a name")?.to_string_lossy();
        let name = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
        Ok(Self { name, path })
    }

    /// What comes back when every line was a record: all lines, each with its newline.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn lines(&self) -> Result<Vec<u8>> {
        let mut text = fs::read(&self.path)?;
        if text.last().is_some_and(|last| *last != b'\n') {
            text.push(b'\n');
        }
        Ok(text)
    }
}

/// The files to send, made below `folder` unless the user names a directory.
///
/// # Errors
/// When files cannot be written or read.
pub(crate) fn log_files(folder: &Path) -> Result<Vec<LogFile>> {
    if let Some(directory) = std::env::var_os("CALLBOARD_TEST_DATA") {
        let entries = fs::read_dir(&directory).with_context(|| format!("{}", directory.display()))?;
        let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        paths.retain(|path| path.is_file());
        paths.sort();
        return paths.into_iter().map(LogFile::new).collect();
    }
    let (web, login) = (folder.join("web.log"), folder.join("login.log"));
    fs::write(&web, web_log())?;
    fs::write(&login, login_log())?;
    Ok(vec![LogFile::new(web)?, LogFile::new(login)?])
}

/// An access log: lines that end with CR LF, words of many bytes, a long query now and then.
fn web_log() -> String {
    let mut text = String::new();
    for number in 0..1500_usize {
        let (address, second) = (number * 37 % 256, number % 60);
        let status = [200, 200, 304, 404, 500][number % 5];
        let query = if number % 100 == 7 { "?q=größe&page=日本".repeat(40) } else { String::new() };
        let _ = write!(
            text,
            "10.0.3.{address} - - [14/Mar/2025:09:26:{second:02} +0000] \"GET /items/{number}{query} HTTP/1.1\" \
             {status} {}\r\n",
            number * 7919 % 65_536,
        );
    }
    text
}

/// A log of logins: plain lines, some no more than a blank or a carriage return or bytes that are
/// no text, and the last one without an end. None is empty: kcat does not send those.
fn login_log() -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..1500_usize {
        let (minute, second, process) = (number / 60 % 60, number % 60, 20_000 + number * 13 % 9_000);
        let user = ["root", "admin", "oracle", "backup", "web"][number % 5];
        let line = format!(
            "Dec 10 06:{minute:02}:{second:02} gate sshd[{process}]: Failed password for {user} from 198.51.100.{} port {} ssh2\n",
            number % 251,
            1024 + number * 31 % 60_000,
        );
        text.extend_from_slice(line.as_bytes());
        match number % 300 {
            50 => text.extend_from_slice(b" \n"),
            100 => text.extend_from_slice(b"\r\n"),
            150 => text.extend_from_slice(b"\xff\xfe\x00binary\x80\n"),
            _ => {}
        }
    }
    text.extend_from_slice(b"the last line has no end");
    text
}
