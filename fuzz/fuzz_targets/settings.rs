//! Text as a configuration file, and its lines as variables of the environment and as flags.
#![no_main]

use callboard::config::{CommandLine, load, print};
use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("callboard-fuzz-{}.toml", std::process::id())));

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let lines = || text.lines().filter_map(|line| line.split_once('='));
    fs::write(&*FILE, input).expect("there is room");
    let file = CommandLine { file: Some(FILE.as_path()), flags: Vec::new() };
    if let Ok(values) = load(&file, []) {
        // What is printed is a configuration file too.
        fs::write(&*FILE, print(&values)).expect("there is room");
        let again = load(&file, []).expect("what was printed is read");
        assert_eq!(values_of(&print(&again)), values_of(&print(&values)));
    }
    let flags = lines().map(|(key, value)| (key.to_owned(), value.to_owned(), "--set")).collect();
    let _ = load(&CommandLine { file: None, flags }, []);
    let variables = lines().map(|(key, value)| (OsString::from(key), OsString::from(value)));
    let _ = load(&CommandLine::default(), variables);
});

/// The lines without what says where each value is from.
fn values_of(printed: &str) -> Vec<&str> {
    printed.lines().map(|line| line.split(" #").next().unwrap_or(line).trim_end()).collect()
}
