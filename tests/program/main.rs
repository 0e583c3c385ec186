//! The `callboard` program from outside: its command line, its configuration, its ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/frames.rs"]
mod frames;
#[path = "../support/mod.rs"]
mod support;

mod commands;
mod configuration;
mod examples;
mod folders;
mod hints;
mod producing;
mod readings;
mod refusals;
mod signals;
mod trial;
mod web;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program in a folder, with nothing of the user's environment.
fn callboard(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(support::launch::program());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CALLBOARD_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

/// What the program says and how it ends, when it ends by itself.
fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}
