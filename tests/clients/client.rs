//! The clients that are tested, and the user's choice among them.

use crate::setup;
use crate::support::process::output_of;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::io::Write;
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

/// No program of a test runs longer; a slow machine needs a tenth of it.
const PROGRAM_WITHIN: Duration = Duration::from_mins(2);

/// A Kafka client library, or the program that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// kafka-python.
    Python,
    /// aiokafka.
    Aiokafka,
    /// confluent-kafka, the Python binding of librdkafka.
    Confluent,
    /// kcat, the command line of librdkafka.
    Kcat,
    /// kafkajs.
    Node,
    /// franz-go.
    Go,
    /// Apache Kafka's own.
    Java,
}

impl Client {
    pub(crate) const ALL: [Self; 7] =
        [Self::Python, Self::Aiokafka, Self::Confluent, Self::Kcat, Self::Node, Self::Go, Self::Java];

    /// Whether the user wants this client tested. What is left out is said once, past the test
    /// runner's own capture of output.
    pub(crate) fn is_chosen(self) -> bool {
        static SAID: Once = Once::new();
        let Ok(choice) = std::env::var("CALLBOARD_CLIENTS") else {
            return true;
        };
        let chosen = parse(&choice).expect("CALLBOARD_CLIENTS");
        SAID.call_once(|| {
            let left_out: Vec<String> =
                Self::ALL.iter().filter(|one| !chosen.contains(one)).map(ToString::to_string).collect();
            let left_out = left_out.join(", ");
            let _ = writeln!(std::io::stderr(), "CALLBOARD_CLIENTS={choice} leaves out: {left_out}");
        });
        chosen.contains(&self)
    }

    /// The client's test program, set up and ready for arguments.
    ///
    /// # Errors
    /// When a tool is missing (the error names the package) or the set-up fails.
    pub(crate) fn program(self) -> Result<Command> {
        match self {
            Self::Python => setup::python("kafka_python.py"),
            Self::Aiokafka => setup::python("asynchronous.py"),
            Self::Confluent => setup::python("confluent.py"),
            Self::Kcat => setup::kcat(),
            Self::Node => setup::node(),
            Self::Go => setup::go(),
            Self::Java => setup::java(),
        }
    }

    /// What the client's program prints when it is run with `arguments`.
    ///
    /// # Errors
    /// When it fails; the error holds what it said.
    pub(crate) fn run(self, arguments: &[&str]) -> Result<Vec<u8>> {
        let mut program = self.program().with_context(|| format!("setting up {self}"))?;
        program.args(arguments);
        output_of(program, PROGRAM_WITHIN)
    }
}

impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Python => "python",
            Self::Aiokafka => "aiokafka",
            Self::Confluent => "confluent",
            Self::Kcat => "kcat",
            Self::Node => "node",
            Self::Go => "go",
            Self::Java => "java",
        })
    }
}

fn parse(choice: &str) -> Result<Vec<Client>> {
    let mut chosen = Vec::new();
    for name in choice.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match Client::ALL.into_iter().find(|client| client.to_string() == name) {
            Some(client) => chosen.push(client),
            None => {
                bail!("there is no client {name:?}; there are {:?}", Client::ALL.map(|one| one.to_string()))
            }
        }
    }
    Ok(chosen)
}

#[test]
fn a_choice_names_clients() {
    assert_eq!(parse("java, python").unwrap(), [Client::Java, Client::Python]);
    assert!(parse("java,cobol").unwrap_err().to_string().contains("cobol"));
    assert_eq!(parse("").unwrap(), []);
}
