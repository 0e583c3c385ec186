//! The table that is printed.

use crate::broker::Usage;
use crate::produce::Outcome;
use std::time::Duration;

/// Prints the head of the table.
pub fn head() {
    println!(
        "{:<28} {:<10} {:>9} {:>10} {:>10} {:>8} {:>9} {:>9} {:>9}",
        "scenario", "broker", "MB/s", "records/s", "CPU s/GB", "RSS MB", "p50 ms", "p99 ms", "p99.9 ms"
    );
}

/// Prints a line for a load.
pub fn load(scenario: &str, broker: &str, outcome: &Outcome, before: Usage, after: Usage) {
    let seconds = outcome.took.as_secs_f64();
    let gigabytes = outcome.bytes as f64 / 1e9;
    println!(
        "{scenario:<28} {broker:<10} {:>9.0} {:>10.0} {:>10.2} {:>8.0} {:>9} {:>9} {:>9}",
        outcome.bytes as f64 / 1e6 / seconds,
        outcome.records as f64 / seconds,
        after.cpu.saturating_sub(before.cpu).as_secs_f64() / gigabytes,
        after.resident_bytes as f64 / 1e6,
        percentile(&outcome.latencies, 0.5),
        percentile(&outcome.latencies, 0.99),
        percentile(&outcome.latencies, 0.999),
    );
}

/// Prints a line for a single figure.
pub fn figure(scenario: &str, broker: &str, text: &str) {
    println!("{scenario:<28} {broker:<10} {text}");
}

fn percentile(sorted: &[Duration], share: f64) -> String {
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or_else(|| "-".into(), |time| format!("{:.3}", time.as_secs_f64() * 1e3))
}
