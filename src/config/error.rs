//! What can be wrong with the settings of a broker that is to start, as sentences for its operator.

use std::io;
use std::path::PathBuf;

use callboard_actors::config::{ConfigError, Source};
use thiserror::Error;

/// Settings that a broker cannot start with.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file that cannot be read.
    #[error("cannot read the configuration file {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// A file that is not TOML.
    #[error("the configuration file {} is not valid TOML in line {line}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A key that no setting has.
    #[error("unknown setting {key} ({origin}); the nearest known one is {nearest}")]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// Where it was written.
        origin: Source,
        /// The setting that was probably meant.
        nearest: String,
    },
    /// A value in a file that is of a kind its setting does not take.
    #[error("the setting {key} takes {expected}, not {found} ({origin})")]
    WrongType {
        /// The setting.
        key: &'static str,
        /// The kind that it takes.
        expected: &'static str,
        /// The kind that was written.
        found: &'static str,
        /// Where it was written.
        origin: Source,
    },
    /// A setting that one file sets in two ways.
    #[error("the setting {key} is given twice ({origin})")]
    Twice {
        /// The setting.
        key: &'static str,
        /// The file.
        origin: Source,
    },
    /// An environment variable that is not Unicode.
    #[error("the environment variable {variable} is not valid Unicode")]
    NotText {
        /// The variable.
        variable: String,
    },
    /// A value that its setting cannot have.
    #[error(transparent)]
    Value(#[from] ConfigError),
    /// The layers cannot be laid over each other.
    #[error("cannot combine the settings: {0}")]
    Layers(#[from] config::ConfigError),
}
