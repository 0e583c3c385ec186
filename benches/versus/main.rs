//! Callboard beside other brokers on this machine, one after another in rounds, with the same clients.
//!
//! `cargo bench -p callboard-benches --bench versus` runs all workloads and writes
//! `docs/BENCHMARKS.md` with its plots. `-- --quick` takes minutes, `-- NAME …` runs only the workloads
//! whose names contain one of these, `-- --peers callboard,kafka` only these brokers; such a selection
//! is printed, unless `--report FILE` says where it goes. Peers come in by the environment:
//!
//! - `CALLBOARD_BENCH_KAFKA=DIR`, an installation of Kafka with its jars in `DIR/libs`;
//! - `CALLBOARD_BENCH_GO=PROGRAM`, the program `go`, which builds NATS with JetStream from its module.
//!
//! `CALLBOARD_BENCH_PROGRAM=PROGRAM` measures a program of ours that is built already.

mod cold;
mod disk;
mod end_to_end;
mod figures;
mod goals;
mod java;
mod machine;
mod options;
mod peers;
mod plots;
mod raw;
mod report;
mod workloads;

use anyhow::Result;
use clap::Parser;
use figures::Figures;
use indicatif::{ProgressBar, ProgressStyle};
use options::Options;
use peers::Peer;
use std::time::{Duration, Instant};
use workloads::{For, Turn, Workload};

/// Starting and stopping a broker of another kind.
const START_SECONDS: f64 = 4.0;
/// Bytes of the page cache that the largest load may take.
const WARM_BYTES: usize = 2 << 30;

fn main() -> Result<()> {
    let options = Options::parse();
    // Hundreds of clients have several files each.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let peers = peers::all(&options)?;
    let mut workloads = workloads::all();
    workloads.retain(|workload| options.has_workload(workload.name));
    let bar = progress(&options, &peers, &workloads);
    let mut figures = Figures::default();
    let begun = Instant::now();
    say(&bar, "the machine alone".into());
    disk::warm(&options.folder()?, WARM_BYTES)?;
    for round in 0..options.rounds() {
        machine::measure(&options.folder()?, &mut figures)?;
        one_round(&options, &peers, &workloads, &mut figures, &bar, round)?;
    }
    bar.finish_and_clear();
    report::write(&options, &peers, &workloads, &figures, begun.elapsed())
}

/// Each phase with one broker after the other.
fn one_round(
    options: &Options,
    peers: &[Box<dyn Peer>],
    workloads: &[Workload],
    figures: &mut Figures,
    bar: &ProgressBar,
    round: usize,
) -> Result<()> {
    for phase in workloads.chunk_by(|one, next| one.phase == next.phase) {
        for peer in peers {
            let who = format!("round {} of {}, {}", round + 1, options.rounds(), peer.name());
            say(bar, format!("{who} starts"));
            let mut turn = Turn::start(peer.as_ref(), options, figures)?;
            for workload in phase {
                say(bar, format!("{who}: {}", workload.name));
                // One that fails takes nothing from the others: the report names it.
                let can = turn.can(workload);
                if let Err(error) = can.and_then(|can| if can { turn.run(workload) } else { Ok(()) }) {
                    bar.suspend(|| eprintln!("{error:#}"));
                    turn.figures.failed(format!("{error:#}"));
                }
                bar.inc(seconds(options, workload) as u64);
            }
        }
    }
    Ok(())
}

/// A bar over the seconds that the run will about take.
fn progress(options: &Options, peers: &[Box<dyn Peer>], workloads: &[Workload]) -> ProgressBar {
    let phases = workloads.chunk_by(|one, next| one.phase == next.phase).count();
    let mut all = 0.0;
    for peer in peers {
        let asked = workloads.iter().filter(|it| it.asks == For::All || !peer.name().starts_with("nats"));
        all += asked.map(|workload| seconds(options, workload)).sum::<f64>();
        all += phases as f64 * if peer.name() == peers::OURS { 0.5 } else { START_SECONDS };
    }
    let all = Duration::from_secs_f64(all * options.rounds() as f64);
    println!("rounds: {}, about {:.0} minutes", options.rounds(), all.as_secs_f64() / 60.0);
    let bar = ProgressBar::new(all.as_secs());
    let style = ProgressStyle::with_template("[{elapsed_precise}] {bar:30} {percent} %  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// Tells what is done now, in lines where there is no terminal for a bar.
fn say(bar: &ProgressBar, what: String) {
    if bar.is_hidden() {
        eprintln!("[{:>4} s] {what}", bar.elapsed().as_secs());
    }
    bar.set_message(what);
}

fn seconds(options: &Options, workload: &Workload) -> f64 {
    workload.seconds + workload.loads * options.time().as_secs_f64()
}
