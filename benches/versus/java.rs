//! Kafka's own programs, run from its jars.

use anyhow::{Context, Result, ensure};
use callboard_benches::produce::{Load, Outcome};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A run of Java with Kafka's jars, with little memory.
pub fn command(home: &Path) -> Command {
    broker(home, &["-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"])
}

/// The same with other flags.
pub fn broker(home: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new("java");
    command.args(flags).arg("-cp").arg(home.join("libs").join("*"));
    command
}

/// Runs a tool and gives what it says.
fn run(home: &Path, tool: &str, arguments: &[&str]) -> Result<String> {
    let output = command(home).arg(format!("org.apache.kafka.tools.{tool}")).args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{tool}: {said} {complaint}");
    Ok(said)
}

/// Kafka's ProducerPerformance, with batches as those of the other loads.
pub fn produce(home: &Path, address: &str, load: &Load) -> Result<Outcome> {
    let (topic, records, bytes) = (load.topic(0), load.records.to_string(), load.record_bytes.to_string());
    let arguments = [
        "--bootstrap-server",
        address,
        "--topic",
        &topic,
        "--num-records",
        &records,
        "--record-size",
        &bytes,
        "--throughput",
        "-1",
        "--command-property",
        "acks=all",
        "linger.ms=5",
        "batch.size=262144",
        "buffer.memory=134217728",
    ];
    let said = run(home, "ProducerPerformance", &arguments)?;
    let last = said.lines().last().context("it says nothing")?;
    let figure = |unit: &str| before(last, unit).with_context(|| format!("no {unit} in {last}"));
    let a_second = figure(" records/sec")?;
    let latencies = vec![Duration::from_secs_f64(figure(" ms 99th")? / 1e3)];
    let took = Duration::from_secs_f64(load.records as f64 / a_second);
    Ok(Outcome { took, bytes: load.records * load.record_bytes, records: load.records, latencies })
}

/// Kafka's ConsumerPerformance: the rate at which it reads once it has its partitions.
pub fn consume(home: &Path, address: &str, load: &Load) -> Result<Outcome> {
    let (topic, records) = (load.topic(0), load.records.to_string());
    let arguments = ["--bootstrap-server", address, "--topic", &topic, "--num-records", &records];
    let said = run(home, "ConsumerPerformance", &arguments)?;
    let mut lines = said.lines().filter(|line| line.contains(','));
    let head: Vec<&str> = lines.next().context("no head")?.split(',').map(str::trim).collect();
    let line: Vec<&str> = lines.next_back().context("no figures")?.split(',').map(str::trim).collect();
    let figure = |name: &str| -> Result<f64> {
        let at =
            head.iter().position(|column| *column == name).with_context(|| format!("{name}: {head:?}"))?;
        Ok(line.get(at).context("a short line")?.parse()?)
    };
    let took = Duration::from_secs_f64(figure("fetch.time.ms")? / 1e3);
    let bytes = (figure("data.consumed.in.MB")? * 1024.0 * 1024.0) as usize;
    let records = figure("data.consumed.in.nMsg")? as usize;
    Ok(Outcome { took, bytes, records, latencies: Vec::new() })
}

/// Kafka's EndToEndLatency, one record after the other: the median and the 99th percentile.
pub fn end_to_end(home: &Path, address: &str, load: &Load) -> Result<(f64, f64)> {
    let (topic, records, bytes) = (load.topic(0), load.records.to_string(), load.record_bytes.to_string());
    let said = run(home, "EndToEndLatency", &[address, &topic, &records, "all", &bytes])?;
    let line = said.lines().find(|line| line.contains("50th =")).context("no percentiles")?;
    let figure = |name: &str| -> Result<f64> {
        let rest = line.split(name).nth(1).with_context(|| format!("no {name} in {line}"))?;
        let number: String = rest.chars().take_while(|it| it.is_ascii_digit() || *it == '.').collect();
        Ok(number.parse()?)
    };
    Ok((figure("50th = ")?, figure("99th = ")?))
}

/// The number that stands before a unit.
fn before(line: &str, unit: &str) -> Option<f64> {
    line.split(unit).next()?.rsplit([' ', '(']).next()?.parse().ok()
}
