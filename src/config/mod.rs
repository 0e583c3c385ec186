//! Where the broker's settings come from: defaults, a file, the environment and flags, in this order.
//!
//! Each place is read into [`Assignment`]s and checked by itself, so that a wrong line is refused
//! also where a later place would overrule it; then they are laid over each other.

mod assignment;
mod builder;
mod environment;
mod error;
mod file;
mod flags;
mod layers;
pub(crate) mod nearest;
mod print;

use std::ffi::OsString;
use std::path::Path;

use callboard_actors::config::Values;

pub use assignment::Assignment;
pub use builder::Config;
pub use error::LoadError;
pub use print::print;

/// The file that is read when no other is named; it need not be there.
pub const DEFAULT_FILE: &str = "callboard.toml";

/// What was said on the command line.
#[derive(Clone, Debug, Default)]
pub struct CommandLine<'a> {
    /// A file that must be there, in place of [`DEFAULT_FILE`].
    pub file: Option<&'a Path>,
    /// Key, value and name of each flag that sets something; of two for one key the later counts.
    pub flags: Vec<(String, String, &'static str)>,
}

/// Gathers the settings of a broker that is started in the current folder.
///
/// `environment` is all of it; variables that do not begin with `CALLBOARD_` are passed over.
///
/// # Errors
/// A file that is named and not there, or that cannot be read; a key that no setting has; a value
/// that its setting cannot have. Each names the key, the place, and what to write instead.
pub fn load(
    command_line: &CommandLine<'_>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Values, LoadError> {
    let file = match command_line.file {
        Some(path) => file::read(path)?,
        None => file::read_if_there(Path::new(DEFAULT_FILE))?,
    };
    let environment = environment::read(environment)?;
    let flags = flags::read(&command_line.flags)?;
    layers::merge([file, environment, flags])
}

#[cfg(test)]
mod tests;
