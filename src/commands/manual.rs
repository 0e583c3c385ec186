//! `callboard manual`: the manual page of the program, or of one of its commands.

use anyhow::{Context, Result, bail};
use clap::Command;

/// Prints the page of the command that the names lead to, as in `topic create`.
///
/// # Errors
/// A sentence that says which commands there are, or why nothing can be printed.
pub fn run(mut program: Command, names: &[String]) -> Result<()> {
    // So that each command knows its whole name.
    program.build();
    let program_name = program.get_name().to_owned();
    let mut command = &program;
    for name in names {
        let Some(found) = command.find_subcommand(name) else {
            let known: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            let whole = command.get_bin_name().unwrap_or(&program_name);
            if known.is_empty() {
                bail!("{whole} has no commands of its own, so none that is {name}");
            }
            bail!("{whole} has no command {name}; it has {}", known.join(", "));
        };
        command = found;
    }
    let page = clap_mangen::Man::new(command.clone());
    page.render(&mut std::io::stdout()).context("printing the manual page")
}
