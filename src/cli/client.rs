//! The commands that ask a running broker for something.

use super::bench::BenchCommand;
use super::format::Format;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A command for a running broker.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum ClientCommand {
    /// Create, list, describe, alter and delete topics.
    Topic {
        /// Which broker, and how to answer.
        #[command(flatten)]
        connection: Connection,
        /// What to do.
        #[command(subcommand)]
        command: TopicCommand,
    },
    /// Send records: lines of files, or of standard input.
    Produce(ProduceArgs),
    /// Read records.
    Consume(ConsumeArgs),
    /// List, describe, reset and delete groups of consumers.
    Group {
        /// Which broker, and how to answer.
        #[command(flatten)]
        connection: Connection,
        /// What to do.
        #[command(subcommand)]
        command: GroupCommand,
    },
    /// Measure how fast the broker is.
    Bench {
        /// What to measure.
        #[command(subcommand)]
        command: BenchCommand,
    },
}

/// Which broker is asked, and how it is told.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct Connection {
    /// The broker's native address.
    #[arg(
        long,
        global = true,
        env = "CALLBOARD_BROKER",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:9093",
        value_parser = super::values::host_and_port
    )]
    pub broker: String,
    /// Answer with JSON, one value a line, for programs.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do with topics.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum TopicCommand {
    /// Create a topic.
    Create {
        /// Its name.
        name: String,
        /// Its partitions; the broker's default without.
        #[arg(long, value_name = "COUNT")]
        partitions: Option<u32>,
        /// A setting of it; may be repeated.
        #[arg(long, value_name = "KEY=VALUE", value_parser = super::values::key_and_value)]
        set: Vec<(String, String)>,
    },
    /// List all topics.
    List,
    /// Tell a topic's partitions, with their offsets, and what is set for it.
    Describe {
        /// Its name.
        name: String,
    },
    /// Give a topic more partitions, or change its settings.
    Alter {
        /// Its name.
        name: String,
        /// How many partitions it is to have; never fewer than before.
        #[arg(long, value_name = "COUNT")]
        partitions: Option<u32>,
        /// Give a setting a value; may be repeated.
        #[arg(long, value_name = "KEY=VALUE", value_parser = super::values::key_and_value)]
        set: Vec<(String, String)>,
        /// Give a setting its default back; may be repeated.
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
    },
    /// Delete a topic with all of its records.
    Delete {
        /// Its name.
        name: String,
    },
}

/// Records to send.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct ProduceArgs {
    /// Which broker, and how to answer.
    #[command(flatten)]
    pub connection: Connection,
    /// The topic; it is created where the broker allows that.
    pub topic: String,
    /// Files whose lines are the records; standard input without.
    pub files: Vec<PathBuf>,
    /// What stands between key and value in a line; a line without it has no key.
    #[arg(long, short = 'K', value_name = "TEXT", conflicts_with = "json_lines")]
    pub key_separator: Option<String>,
    /// Each line is a JSON object with value and, if it likes, key, headers, partition and timestamp:
    /// what `callboard consume --json` prints. Texts are taken as they are, {"base64": "…"} is bytes,
    /// other JSON is taken as it is written. Headers are a list of pairs of name and value, or an object.
    #[arg(long)]
    pub json_lines: bool,
    /// The partition of all records; without it they are spread by their keys.
    #[arg(long, short, value_name = "NUMBER")]
    pub partition: Option<u32>,
    /// A header of all records; may be repeated.
    #[arg(long, short = 'H', value_name = "NAME=VALUE", value_parser = super::values::header)]
    pub header: Vec<(String, String)>,
    /// How batches are packed.
    #[arg(long, short = 'z', value_enum, default_value_t)]
    pub compression: Packing,
}

/// How batches are packed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Packing {
    /// Not at all.
    #[default]
    None,
    /// By gzip.
    Gzip,
    /// By snappy.
    Snappy,
    /// By lz4.
    Lz4,
    /// By zstd.
    Zstd,
}

/// Records to read.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct ConsumeArgs {
    /// Which broker, and how to answer.
    #[command(flatten)]
    pub connection: Connection,
    /// The topic.
    pub topic: String,
    /// Where to begin: beginning, end, an offset, or a time as @MILLISECONDS since 1970. With a group
    /// it counts where the group has committed nothing, and must be beginning or end.
    #[arg(long, short = 'o', default_value = "beginning")]
    pub from: From,
    /// One partition; all without.
    #[arg(long, short, value_name = "NUMBER", conflicts_with = "group")]
    pub partition: Option<u32>,
    /// Read as a member of that group, and commit.
    #[arg(long, short = 'G')]
    pub group: Option<String>,
    /// Go on when the end is reached, and wait for more. A group's member always does.
    #[arg(long, short)]
    pub follow: bool,
    /// Which records of transactions are read: all, or those of committed ones only, up to the first
    /// transaction that is open.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t)]
    pub isolation: Isolation,
    /// Stop after so many records.
    #[arg(long, short = 'c')]
    pub count: Option<u64>,
    /// How a record is written: %t topic, %p partition, %o offset, %T time, %k key, %v value, %h
    /// headers, %% a percent sign, \n and \t.
    #[arg(long, default_value = "%v\\n", conflicts_with = "json")]
    pub format: Format,
}

/// Which records of transactions are read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Isolation {
    /// All.
    #[default]
    ReadUncommitted,
    /// Those of committed transactions.
    ReadCommitted,
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum From {
    /// At the first record that is there.
    Beginning,
    /// Behind the last one.
    End,
    /// At an offset.
    Offset(i64),
    /// At the first record of that time or later, in milliseconds since 1970.
    Time(i64),
}

impl std::str::FromStr for From {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write beginning, end, an offset like 42, or a time like @1700000000000";
        let number = |text: &str| text.parse().ok().filter(|number| *number >= 0).ok_or(wrong);
        match text {
            "beginning" | "earliest" => Ok(Self::Beginning),
            "end" | "latest" => Ok(Self::End),
            text => match text.strip_prefix('@') {
                Some(time) => number(time).map(Self::Time),
                None => number(text).map(Self::Offset),
            },
        }
    }
}

/// What to do with groups.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
pub enum GroupCommand {
    /// List all groups.
    List,
    /// Tell a group's members, offsets and lag.
    Describe {
        /// Its name.
        name: String,
    },
    /// Let a group that has no members go on from elsewhere.
    Reset(ResetArgs),
    /// Forget a group that has no members, with its offsets.
    Delete {
        /// Its name.
        name: String,
    },
}

/// Where a group is to go on.
#[derive(Args, Clone, Debug, Eq, PartialEq)]
pub struct ResetArgs {
    /// Its name.
    pub name: String,
    /// The topic.
    #[arg(long)]
    pub topic: String,
    /// One partition; all without.
    #[arg(long, short, value_name = "NUMBER")]
    pub partition: Option<u32>,
    /// Where to: beginning, end, an offset, or a time as @MILLISECONDS since 1970. An offset that a
    /// partition does not have becomes the nearest one.
    #[arg(long)]
    pub to: From,
    /// Only tell what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

impl ClientCommand {
    /// Which broker is asked, and how it is told.
    pub fn connection(&self) -> &Connection {
        match self {
            Self::Topic { connection, .. } | Self::Group { connection, .. } => connection,
            Self::Produce(produce) => &produce.connection,
            Self::Consume(consume) => &consume.connection,
            Self::Bench { command } => command.connection(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_begin_is_a_word_a_number_or_a_time() {
        for (text, from) in [
            ("beginning", From::Beginning),
            ("latest", From::End),
            ("42", From::Offset(42)),
            ("@1700000000000", From::Time(1_700_000_000_000)),
        ] {
            assert_eq!(text.parse(), Ok(from));
        }
        for text in ["", "@", "-1", "soon", "@-5"] {
            assert!(text.parse::<From>().is_err(), "{text}");
        }
    }
}
