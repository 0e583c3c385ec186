//! `callboard salvage`: what can be read of a damaged data folder, in a new one.

use super::check::DAMAGED;
use super::findings::{json_of, json_of_offsets, reading};
use super::output::line;
use crate::cli::SalvageArgs;
use anyhow::{Context, Result};
use callboard_actors::chance;
use callboard_storage::check::Place;
use callboard_storage::folder::Identity;
use callboard_storage::salvage::{IndexUse, Lost, SalvageOptions, Salvaged, salvage};
use callboard_storage::{Error, check};
use serde_json::json;
use std::process::ExitCode;

/// Bytes of the new journal's segments.
const SEGMENT_BYTES: u64 = 256 << 20;

/// Copies what can be read, and prints what was lost.
///
/// # Errors
/// A sentence that says why nothing could be copied.
pub fn run(args: &SalvageArgs) -> Result<ExitCode> {
    let (dir, target) = (args.dir.display(), args.target.display());
    let bar = reading(check::segments_bytes(&args.dir).unwrap_or(0));
    let identity = Identity { cluster_id: chance::base64(chance::uuid()), node_id: 1 };
    let index = if args.without_index { IndexUse::Leave } else { IndexUse::Read };
    let options = SalvageOptions { segment_bytes: SEGMENT_BYTES, index, identity };
    let salvaged = salvage(&args.dir, &args.target, options, &mut |read| bar.inc(read));
    bar.finish_and_clear();
    let salvaged = salvaged.map_err(|error| {
        let next = match error {
            Error::NotEmpty(_) => "name a folder that is empty, or not there yet".to_owned(),
            Error::InUse(_) => "stop the broker first".to_owned(),
            _ => format!("remove {target} if it was begun, and try again"),
        };
        anyhow::Error::from(error).context(format!("{dir} was not salvaged; {next}"))
    })?;
    if args.json { print_json(&salvaged) } else { print(&salvaged, &dir.to_string(), &target.to_string()) }
        .context("telling what was salvaged")?;
    let is_whole = salvaged.lost.is_empty() && salvaged.damages.is_empty() && salvaged.notes.is_empty();
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(DAMAGED) })
}

fn print_json(salvaged: &Salvaged) -> Result<()> {
    for lost in &salvaged.lost {
        let fields = json_of_offsets(&lost.partition, lost.from.0, lost.to.0);
        line(&json!({ "lost": fields }).to_string())?;
    }
    for damage in &salvaged.damages {
        line(&json_of(damage).to_string())?;
    }
    for note in &salvaged.notes {
        line(&json!({ "note": note }).to_string())?;
    }
    let summary = json!({
        "topics": salvaged.topics,
        "batches": salvaged.batches,
        "offsets": salvaged.offsets,
        "rows": salvaged.rows,
        "offsets_lost": offsets_lost(salvaged),
    });
    line(&summary.to_string())
}

fn print(salvaged: &Salvaged, dir: &str, target: &str) -> Result<()> {
    for Lost { partition, from, to } in &salvaged.lost {
        let place = Place::Offsets { partition: partition.clone(), from: *from, to: *to, lies: None };
        line(&format!("lost: {place}"))?;
    }
    for damage in &salvaged.damages {
        line(&format!("could not be read: {damage}"))?;
    }
    for note in &salvaged.notes {
        line(&format!("note: {note}"))?;
    }
    line(&format!(
        "salvaged {dir} into {target}: {} offset(s) in {} batch(es) of {} topic(s), {} row(s); {} offset(s) are lost",
        salvaged.offsets,
        salvaged.batches,
        salvaged.topics,
        salvaged.rows,
        offsets_lost(salvaged)
    ))?;
    line(&format!("start the broker with --data {target}; keep {dir} until you have seen that all is there"))
}

fn offsets_lost(salvaged: &Salvaged) -> i64 {
    salvaged.lost.iter().map(|lost| lost.to.0 - lost.from.0).sum()
}
