//! The commands for a data folder that no broker runs on.

use clap::Args;
use std::path::PathBuf;

/// What to check.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct CheckArgs {
    /// The data folder.
    pub dir: PathBuf,
    /// Answer with JSON, one value a line, for programs.
    #[arg(long)]
    pub json: bool,
}

/// What to salvage, and where to.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct SalvageArgs {
    /// The damaged data folder, which is not changed.
    pub dir: PathBuf,
    /// The new data folder; it must be empty or not be there.
    pub target: PathBuf,
    /// Leave the index alone, for one that cannot even be tried.
    #[arg(long)]
    pub without_index: bool,
    /// Answer with JSON, one value a line, for programs.
    #[arg(long)]
    pub json: bool,
}
