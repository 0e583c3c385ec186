//! The command line of the `callboard` program: which command, and which settings it gives.

mod bench;
mod client;
mod folder;
mod format;
mod values;

pub use bench::{BenchCommand, BenchConsume, BenchLatency, BenchProduce, Load, When};
pub use client::{
    ClientCommand, Connection, ConsumeArgs, From, GroupCommand, Isolation, Packing, ProduceArgs, ResetArgs,
    TopicCommand,
};
pub use folder::{CheckArgs, SalvageArgs};
pub use format::{Format, Piece};

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// A message broker made of actors that speaks the Kafka protocol.
#[derive(Clone, Debug, Eq, Parser, PartialEq)]
#[command(name = "callboard", version, about)]
pub struct Cli {
    #[command(subcommand)]
    given: Option<Given>,
    #[command(flatten)]
    flags: Flags,
}

/// What the program is to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Run the broker.
    Serve,
    /// Print the effective configuration.
    Config(Telling),
    /// Ask a running broker for something.
    Client(ClientCommand),
    /// Check a data folder that no broker runs on.
    Check(CheckArgs),
    /// Copy what can be read of a damaged data folder into a new one.
    Salvage(SalvageArgs),
    /// Print a script that completes the command line in a shell.
    Completions(Shell),
    /// Print the manual page of a command, or of the program.
    Manual(Vec<String>),
}

/// The command as it is written. Its flags are its own, not clap's global ones, because of those
/// only the ones on one side of the command's name would be kept.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
enum Given {
    /// Run the broker; this is what happens without a command.
    Serve(Flags),
    /// Print the effective configuration and where each value comes from.
    Config(ConfigArgs),
    #[command(flatten)]
    Client(ClientCommand),
    /// Check a data folder that no broker runs on: exit code 0 when nothing is wrong, 2 when
    /// something is. Nothing is changed.
    Check(CheckArgs),
    /// Copy what can be read of a damaged data folder into a new one, and tell what is lost.
    Salvage(SalvageArgs),
    /// Print a script that completes the command line in a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or that of a command as in `manual topic create`, for `man -l -`.
    Manual {
        /// The command; the whole program without.
        command: Vec<String>,
    },
}

/// What is printed of the configuration, and how.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
struct ConfigArgs {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    telling: Telling,
}

/// How it is told.
#[derive(Args, Clone, Copy, Debug, Eq, PartialEq)]
pub struct Telling {
    /// Answer with JSON, one value a line, for programs.
    #[arg(long)]
    pub json: bool,
}

/// Flags that stand before or after the command.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
struct Flags {
    /// The folder that holds all data (setting data.dir).
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// The address and port for Kafka clients, port 0 for any free one, off for none (setting
    /// kafka.address).
    #[arg(long, value_name = "ADDR")]
    kafka: Option<String>,
    /// The address and port for native clients, port 0 for any free one, off for none (setting
    /// native.address).
    #[arg(long, value_name = "ADDR")]
    native: Option<String>,
    /// The configuration file; without it ./callboard.toml is read if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Give any setting a value; may be repeated. `callboard config` lists the settings.
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::key_and_value)]
    set: Vec<(String, String)>,
}

impl Cli {
    /// What the program is to do.
    pub fn command(&self) -> Command {
        match &self.given {
            None | Some(Given::Serve(_)) => Command::Serve,
            Some(Given::Config(args)) => Command::Config(args.telling),
            Some(Given::Client(command)) => Command::Client(command.clone()),
            Some(Given::Check(args)) => Command::Check(args.clone()),
            Some(Given::Salvage(args)) => Command::Salvage(args.clone()),
            Some(Given::Completions { shell }) => Command::Completions(*shell),
            Some(Given::Manual { command }) => Command::Manual(command.clone()),
        }
    }

    /// The configuration file that was named, after the command rather than before it.
    pub fn config_file(&self) -> Option<&Path> {
        let mut files = self.both().filter_map(|flags| flags.config.as_deref());
        let first = files.next();
        files.next().or(first)
    }

    /// Key, value and flag of every setting that was given; of two for one key the later counts,
    /// so that a flag of its own goes before `--set`.
    pub fn flags(&self) -> Vec<(String, String, &'static str)> {
        let all = |pairs: fn(&Flags) -> Vec<(String, String, &'static str)>| {
            self.both().flat_map(pairs).collect::<Vec<_>>()
        };
        let mut flags = all(Flags::set);
        flags.extend(all(Flags::own));
        flags
    }

    /// The flags before the command and those after it.
    fn both(&self) -> impl Iterator<Item = &Flags> {
        let after = self.given.as_ref().and_then(|given| match given {
            Given::Serve(flags) | Given::Config(ConfigArgs { flags, .. }) => Some(flags),
            Given::Client(_)
            | Given::Check(_)
            | Given::Salvage(_)
            | Given::Completions { .. }
            | Given::Manual { .. } => None,
        });
        std::iter::once(&self.flags).chain(after)
    }
}

impl Flags {
    fn set(&self) -> Vec<(String, String, &'static str)> {
        let pairs = self.set.iter().cloned();
        pairs.map(|(key, value)| (key, value, "--set")).collect()
    }

    fn own(&self) -> Vec<(String, String, &'static str)> {
        let data = ("data.dir", self.data.clone(), "--data");
        let kafka = ("kafka.address", self.kafka.clone(), "--kafka");
        let native = ("native.address", self.native.clone(), "--native");
        let given = |(key, value, flag): (&str, Option<String>, &'static str)| {
            value.map(|value| (key.to_owned(), value, flag))
        };
        [data, kafka, native].into_iter().filter_map(given).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn parse(words: &[&str]) -> Cli {
        Cli::try_parse_from([&["callboard"], words].concat()).unwrap()
    }

    fn flags(words: &[&str]) -> Vec<(String, String, &'static str)> {
        parse(words).flags()
    }

    #[test]
    fn the_definition_holds_together() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn no_command_is_serve() {
        assert_eq!(parse(&[]).command(), Command::Serve);
        assert_eq!(parse(&["--data", "x"]).command(), Command::Serve);
        assert_eq!(parse(&["serve"]).command(), Command::Serve);
        assert_eq!(parse(&["config"]).command(), Command::Config(Telling { json: false }));
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        let expected = [
            ("num.partitions".to_owned(), "8".to_owned(), "--set"),
            ("data.dir".to_owned(), "/data".to_owned(), "--data"),
            ("kafka.address".to_owned(), "127.0.0.1:0".to_owned(), "--kafka"),
        ];
        let words = ["--data", "/data", "--kafka", "127.0.0.1:0", "--set", "num.partitions=8"];
        assert_eq!(flags(&words), expected);
        assert_eq!(flags(&[&["serve"], &words[..]].concat()), expected);
        assert_eq!(flags(&[&words[..], &["config"]].concat()), expected);
    }

    #[test]
    fn several_settings_keep_their_order() {
        let flags = flags(&["--set", "a=1", "--set", "b=x=y", "--set=a="]);
        let pairs: Vec<_> = flags.iter().map(|(key, value, _)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x=y"), ("a", "")]);
    }

    #[test]
    fn flags_on_both_sides_of_the_command_count_the_later_ones_more() {
        let words = ["--set", "a=1", "--data", "x", "serve", "--set", "b=2", "--data", "y"];
        let flags = flags(&words);
        let values: Vec<_> = flags.iter().map(|(_, value, _)| value.as_str()).collect();
        assert_eq!(values, ["1", "2", "x", "y"]);
        let cli = parse(&["--config", "a.toml", "serve", "--config", "b.toml"]);
        assert_eq!(cli.config_file(), Some(Path::new("b.toml")));
    }

    #[test]
    fn a_file_is_named() {
        let cli = parse(&["config", "--config", "a.toml"]);
        assert_eq!(cli.config_file(), Some(Path::new("a.toml")));
        assert_eq!(parse(&[]).config_file(), None);
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for text in ["num.partitions", "=8", " =8"] {
            let refused = Cli::try_parse_from(["callboard", "--set", text]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ValueValidation, "{text}");
        }
    }

    #[test]
    fn help_and_version_are_there() {
        for (flag, kind) in [("--help", ErrorKind::DisplayHelp), ("--version", ErrorKind::DisplayVersion)] {
            assert_eq!(Cli::try_parse_from(["callboard", flag]).unwrap_err().kind(), kind);
        }
    }
}
