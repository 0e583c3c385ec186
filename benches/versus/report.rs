//! The report, which nobody writes by hand.

use crate::figures::{Figure, Figures, Spread};
use crate::goals::{goals, round};
use crate::options::Options;
use crate::peers::{OURS, Peer};
use crate::workloads::Workload;
use crate::{cold, machine, plots};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::time::Duration;

const HEAD: &str = "# Benchmarks

<!-- Written by `cargo bench -p callboard-benches --bench versus`; not by hand. -->

Callboard beside other brokers on one machine. They run one after another, in rounds in which each has
its turn, so that what the machine does meanwhile meets all of them; for each group of workloads a broker
starts on an empty folder. Clients and broker share the machine's cores. The same client programs drive
all that speak Kafka's protocol: librdkafka, and Kafka's own tools where a workload's name begins with
`tools`.

A figure is the median of the rounds, with the least and the most of them in brackets. A ratio is that of
medians, Callboard's divided by the other's: for rates more is better, for all else less.
";

pub fn write(
    options: &Options,
    peers: &[Box<dyn Peer>],
    workloads: &[Workload],
    figures: &Figures,
    took: Duration,
) -> Result<()> {
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    let mut text = HEAD.to_owned();
    text += &setting(options, peers, figures, took)?;
    text +=
        "\n## Goals\n\n| workload | figure | divided by | wanted | measured | |\n|---|---|---|---|---|---|\n";
    for goal in goals() {
        text += &goal.line(figures);
    }
    let path = options.report();
    if let Some(path) = &path {
        let folder = path.parent().context("no folder for the report")?.join("benchmarks");
        text += "\n## Plots\n\n";
        for plot in plots::draw(&folder, figures, &names)? {
            writeln!(text, "![{}](benchmarks/{})\n", plot.title, plot.file)?;
        }
    }
    text += "## Workloads\n";
    for name in figures.workloads() {
        // The longest, as `single-16` begins as `single-1` does.
        let about = workloads.iter().filter(|workload| name.starts_with(workload.name));
        let about = about.max_by_key(|workload| workload.name.len());
        if let Some(workload) = about {
            write!(text, "\n### {name}\n\n{}.\n\n", capital(workload.about))?;
            text += &table(figures, name, &names)?;
        }
    }
    if !figures.failures.is_empty() {
        text += "\n## What failed\n\n";
        for failure in &figures.failures {
            writeln!(text, "- {failure}")?;
        }
    }
    text = text.trim_end().to_owned() + "\n";
    match path {
        Some(path) => {
            std::fs::write(&path, text)?;
            println!("{} after {:.1} minutes", path.display(), took.as_secs_f64() / 60.0);
        }
        None => print!("{text}"),
    }
    Ok(())
}

/// The machine, the brokers and the commands.
fn setting(options: &Options, peers: &[Box<dyn Peer>], figures: &Figures, took: Duration) -> Result<String> {
    let mut text = String::from("\n## Machine\n\n| | |\n|---|---|\n");
    for (what, value) in machine::describe(&options.folder()?)? {
        writeln!(text, "| {what} | {value} |")?;
    }
    for name in figures.workloads() {
        for figure in figures.of(name) {
            if let Some(spread) = figure.spread(machine::DISK) {
                writeln!(text, "| {name} | {} {} |", cell(spread), figure.unit)?;
            }
        }
    }
    text += "\n## Brokers\n\n| name | version | settings |\n|---|---|---|\n";
    for peer in peers {
        writeln!(text, "| {} | {} | {} |", peer.name(), peer.version()?, peer.settings())?;
    }
    // Where folders are on this machine is of no use to others.
    let told = |word: String| if word.contains('/') { "…".into() } else { word };
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").map(told).collect();
    let flags = if words.is_empty() { String::new() } else { format!(" -- {}", words.join(" ")) };
    write!(
        text,
        "\nRun by `cargo bench -p callboard-benches --bench versus{flags}`: rounds: {}, for each load {} s, in \
         all {:.0} minutes. `CALLBOARD_BENCH_KAFKA` names the folder of an installation of Kafka, \
         `CALLBOARD_BENCH_GO` the program that builds NATS. The page cache was emptied {}.\n",
        options.rounds(),
        options.time().as_secs_f64(),
        took.as_secs_f64() / 60.0,
        cold::way()
    )?;
    Ok(text)
}

fn table(figures: &Figures, name: &str, names: &[&str]) -> Result<String> {
    let others: Vec<&str> = names.iter().copied().filter(|other| *other != OURS).collect();
    let heads: String = names.iter().map(|name| format!(" {name} |")).collect();
    let ratios: String = others.iter().map(|name| format!(" ÷ {name} |")).collect();
    let mut text = format!("| |{heads}{ratios}\n|---|{}\n", "---|".repeat(names.len() + others.len()));
    for figure in figures.of(name) {
        write!(text, "| {} |", figure.unit)?;
        for broker in names {
            write!(text, " {} |", figure.spread(broker).map_or("-".into(), cell))?;
        }
        for other in &others {
            write!(text, " {} |", ratio(figure, other).map_or("-".into(), round))?;
        }
        text.push('\n');
    }
    Ok(text)
}

fn ratio(figure: &Figure, other: &str) -> Option<f64> {
    let (ours, theirs) = (figure.spread(OURS)?.median, figure.spread(other)?.median);
    (theirs > 0.0).then_some(ours / theirs)
}

fn cell(spread: Spread) -> String {
    format!("{} ({}–{})", round(spread.median), round(spread.least), round(spread.most))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
