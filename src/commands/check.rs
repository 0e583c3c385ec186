//! `callboard check`: what is wrong with a data folder.

use super::findings::{json_of, reading};
use super::output::line;
use crate::cli::CheckArgs;
use anyhow::{Context, Result};
use callboard_storage::check::{self, Place, Report};
use serde_json::json;
use std::process::ExitCode;

/// The exit code that says that damage was found.
pub(super) const DAMAGED: u8 = 2;

/// Checks a data folder, and prints what was found.
///
/// # Errors
/// A sentence that says why it could not be checked.
pub fn run(args: &CheckArgs) -> Result<ExitCode> {
    let dir = args.dir.display();
    let bar = reading(check::bytes(&args.dir).unwrap_or(0));
    let report = check::check(&args.dir, &mut |read| bar.inc(read));
    bar.finish_and_clear();
    let report = report.with_context(|| {
        format!(
            "{dir} cannot be checked; name a data folder (setting data.dir), and stop the broker on it first"
        )
    })?;
    let told = if args.json { print_json(&report) } else { print(&report, &dir.to_string()) };
    told.context("telling what was found")?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(DAMAGED) })
}

fn print_json(report: &Report) -> Result<()> {
    for finding in report.findings.kept() {
        line(&json_of(finding).to_string())?;
    }
    let summary = json!({
        "clean": report.is_clean(),
        "findings": report.findings.count(),
        "refusal": report.refusal,
        "segments": report.journal.segments,
        "bytes": report.journal.bytes,
        "records": report.journal.records,
        "batches": report.batches,
        "topics": report.topics,
        "rows": report.rows,
    });
    line(&summary.to_string())
}

fn print(report: &Report, dir: &str) -> Result<()> {
    let journal = &report.journal;
    line(&format!(
        "checked {dir}: {} record(s) in {} segment(s) of the journal, {} row(s) of the index, {} batch(es) of {} topic(s)",
        journal.records, journal.segments, report.rows, report.batches, report.topics
    ))?;
    if report.is_clean() {
        return line("nothing is wrong");
    }
    for finding in report.findings.kept() {
        line(&finding.to_string())?;
    }
    let untold = report.findings.count() - report.findings.kept().len() as u64;
    if untold > 0 {
        line(&format!("and {untold} more"))?;
    }
    line("")?;
    match &report.refusal {
        Some(refusal) => line(&format!("a broker does not start on it: {refusal}"))?,
        None => line("a broker starts on it, and answers KAFKA_STORAGE_ERROR for what cannot be read")?,
    }
    line(&format!(
        "{} nothing was changed; `callboard salvage {dir} NEW` copies all that can be read into a new folder",
        lost(report)
    ))
}

/// How much of the logs cannot be read.
fn lost(report: &Report) -> String {
    let offsets = report.findings.kept().iter().map(|finding| match &finding.place {
        Place::Offsets { from, to, .. } => to.0 - from.0,
        Place::File(_) | Place::Segment { .. } | Place::Table(_) => 0,
    });
    match offsets.sum::<i64>() {
        0 => String::new(),
        count => format!("{count} offset(s) cannot be read, all others can;"),
    }
}
