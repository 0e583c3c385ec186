//! What the program does for users: of a running broker by the native client, and of a data folder.
//!
//! - [`topic`], [`group`]: looking after topics and groups
//! - [`produce`], [`consume`]: records in and out; [`outcome`] is what became of those that were sent,
//!   [`json_lines`] are records as JSON
//! - [`bench`]: how fast the broker is
//! - [`check`], [`salvage`]: a data folder that no broker runs on; [`findings`] is what both tell
//! - [`config`], [`manual`]: the settings and the commands themselves
//! - [`hints`]: what to do about what a broker refuses
//! - [`output`]: tables for people, JSON for programs

mod bench;
pub mod check;
pub mod config;
mod consume;
mod findings;
mod group;
mod hints;
mod json_lines;
pub mod manual;
mod outcome;
mod output;
mod produce;
pub mod salvage;
mod topic;

use crate::cli::{ClientCommand, Connection};
use anyhow::Result;
use callboard_client::{Client, Error};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long it may take to find out whether anything listens at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Does what a command asks for.
///
/// # Errors
/// A sentence that says what to do next.
pub async fn run(command: ClientCommand) -> Result<()> {
    let client = connect(command.connection()).await?;
    match command {
        ClientCommand::Topic { connection, command } => topic::run(&client, command, &connection).await,
        ClientCommand::Group { connection, command } => group::run(&client, command, &connection).await,
        ClientCommand::Produce(produce) => produce::run(&client, produce).await,
        ClientCommand::Consume(consume) => consume::run(&client, consume).await,
        ClientCommand::Bench { command } => bench::run(&client, command).await,
    }
}

async fn connect(connection: &Connection) -> Result<Client> {
    let broker = &connection.broker;
    let error = match Client::connect_as(broker, "callboard").await {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    if !matches!(error, Error::Disconnected(_) | Error::Unresolved(_) | Error::TimedOut | Error::Protocol(_))
    {
        return Err(error.into());
    }
    // Kafka's door is open as well, and closed to whoever does not speak as Kafka does.
    if let Ok(Ok(_)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(broker)).await {
        anyhow::bail!(
            "what listens at {broker} does not speak the native protocol ({error}); --broker takes the \
             native HOST:PORT, which `callboard serve` prints as native=, not the one of Kafka clients"
        );
    }
    anyhow::bail!(
        "no broker answers at {broker} ({error}); start one with `callboard serve`, or name its native \
         address with --broker HOST:PORT"
    )
}
