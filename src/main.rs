//! The `callboard` program.

use anyhow::Context;
use callboard::cli::{Cli, ClientCommand, Command, Telling};
use callboard::config::{self, CommandLine};
use callboard::{Broker, Config, commands, logging};
use callboard_actors::clock;
use callboard_actors::config::{Settings, Values};
use callboard_storage::crash_points;
use clap::{CommandFactory, Parser};
use futures_util::FutureExt;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Requests are freed on other threads than they were read on, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// SIGXFSZ, which has this number on all systems but Linux on MIPS and PA-RISC.
const FILE_TOO_LARGE: i32 = 25;

/// Signals within so long are one: `timeout`, shells and supervisors send theirs to a process and to its group.
const ONE_SIGNAL: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            // One sentence, whatever the log level is.
            eprintln!("callboard: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Not clap's code for a wrong line, which is the one for damage that was found.
            error.print()?;
            return Ok(if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
    };
    match cli.command() {
        Command::Client(command) => printed(ask(command))?,
        Command::Check(args) => return commands::check::run(&args),
        Command::Salvage(args) => return commands::salvage::run(&args),
        Command::Completions(shell) => {
            clap_complete::generate(
                shell,
                &mut <Cli as CommandFactory>::command(),
                "callboard",
                &mut std::io::stdout(),
            );
        }
        Command::Manual(names) => printed(commands::manual::run(<Cli as CommandFactory>::command(), &names))?,
        Command::Config(telling) => printed(print_config(&load(&cli)?, telling))?,
        Command::Serve => serve(load(&cli)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What came of printing, which is no failure when somebody only wanted the first lines.
fn printed(outcome: anyhow::Result<()>) -> anyhow::Result<()> {
    let is_unread = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    match outcome {
        Err(error) if error.chain().filter_map(|cause| cause.downcast_ref()).any(is_unread) => Ok(()),
        outcome => outcome,
    }
}

fn load(cli: &Cli) -> anyhow::Result<Values> {
    let line = CommandLine { file: cli.config_file(), flags: cli.flags() };
    Ok(config::load(&line, std::env::vars_os())?)
}

/// Asks a running broker for something.
fn ask(command: ClientCommand) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(commands::run(command))
}

fn print_config(values: &Values, telling: Telling) -> anyhow::Result<()> {
    Settings::from_values(values.clone())?;
    if telling.json {
        return commands::config::run(values);
    }
    write!(std::io::stdout(), "{}", config::print(values)).context("printing the configuration")
}

fn serve(values: Values) -> anyhow::Result<()> {
    let settings = Settings::from_values(values.clone())?;
    logging::start(&settings.log);
    crash_points::set_up();
    actix::System::new().block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // A file that may not grow fails the write, which is dealt with; the signal that comes with it
        // would end the process.
        let _listens = signal(SignalKind::from_raw(FILE_TOO_LARGE))?;
        let data = settings.data_dir.display().to_string();
        let broker = Broker::start(Config::from(values)).await?;
        announce(&ready(&broker, &data))?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; another signal, a second from now or later, exits at once");
        let second = async {
            clock::pass(ONE_SIGNAL).await;
            // What came meanwhile is remembered.
            let _ = (terminate.recv().now_or_never(), interrupt.recv().now_or_never());
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        tokio::select! {
            () = broker.shutdown() => Ok(()),
            () = second => anyhow::bail!("stopped by a second signal"),
        }
    })
}

/// What says that clients may come, and where to: Kafka's line is one that programs look for, so
/// native clients have one of their own behind it.
fn ready(broker: &Broker, data: &str) -> String {
    let kafka = broker.kafka_address().map(|address| format!(" kafka={address}")).unwrap_or_default();
    let native = broker.native_address().map(|address| format!("\ncallboard native={address}"));
    format!("callboard ready{kafka} data={data}{}", native.unwrap_or_default())
}

/// In one piece: who waits for the first line may close the other end once it has it.
fn announce(lines: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(format!("{lines}\n").as_bytes());
    written.and_then(|()| out.flush()).context("saying that the broker is ready")
}

/// An error with its causes, of which those are left out that it has told already.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
