//! A broker whose power fails: of all that it wrote, named and removed since the last sync of a file or
//! folder any part is lost. What was acknowledged with acks=all is there, what any consumer was given does
//! not change, and it starts again by itself.
//!
//! The broker's system calls are recorded (`record.c`), replayed into a model of a disk that keeps only what
//! it must (`disk.rs`), and cut at many points: beside each call that decides what is durable, and anywhere.
//! `CALLBOARD_POWER_MINUTES=10` makes it long. `CALLBOARD_POWER_SEED` repeats a run, as far as threads let it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/chance.rs"]
#[allow(dead_code)]
mod chance;
#[path = "../support/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../support/history.rs"]
#[allow(dead_code)]
mod history;
#[path = "../support/log.rs"]
#[allow(dead_code)]
mod log;

mod content;
mod cut;
mod disk;
mod facts;
mod load;
mod recorded;
mod recording;
mod requests;
mod trial;

use chance::{Chance, any_seed, number};
use recording::WORDS;
use std::time::{Duration, Instant};
use trial::{Namer, Trial};

/// The short form: brokers one after the other, how much happens in each, and power failures of each.
const LIVES: usize = 3;
const EVENTS: usize = 700;
const FAILURES: usize = 48;
/// Calls of a first start, those that make the folders, and how many of the others the short form passes over.
const FIRST_START: usize = 260;
const FIRST_START_BEGIN: usize = 8;
const FIRST_START_STEP: usize = 28;
/// Power failures of each second start.
const FAILURES_SECOND: usize = 8;
/// In the long form a recording is looked at longer.
const FAILURES_LONG: usize = 150;

fn trial() -> Trial {
    let seed = number("CALLBOARD_POWER_SEED").unwrap_or_else(any_seed);
    eprintln!("repeat it by CALLBOARD_POWER_SEED={seed}");
    Trial::new(Chance::new(seed))
}

#[test]
fn what_was_acknowledged_or_read_outlives_every_power_failure() {
    let mut trial = trial();
    if let Some(minutes) = number("CALLBOARD_POWER_MINUTES") {
        let end = Instant::now() + Duration::from_secs(60 * minutes);
        while Instant::now() < end {
            trial.life(EVENTS, FAILURES_LONG);
        }
    } else {
        (0..LIVES).for_each(|_| trial.life(EVENTS, FAILURES));
    }
    eprintln!("{} power failures", trial.failures);
}

#[test]
fn what_a_first_start_began_and_did_not_end_is_durable_when_the_next_acknowledges() {
    let mut trial = trial();
    let step = if number("CALLBOARD_POWER_MINUTES").is_some() { 1 } else { FIRST_START_STEP };
    let begin = 1..FIRST_START_BEGIN;
    begin.chain((FIRST_START_BEGIN..FIRST_START).step_by(step)).for_each(|calls| trial.first_start(calls));
}

#[test]
fn what_a_broker_did_that_died_is_durable_before_the_next_removes_what_was_before() {
    let mut trial = trial();
    let times = if number("CALLBOARD_POWER_MINUTES").is_some() { 10 } else { 1 };
    for word in WORDS.repeat(times) {
        trial.second_start(word, EVENTS, FAILURES_SECOND);
    }
}

#[test]
fn a_segments_name_that_a_start_gave_is_durable_before_the_next_start_names_another() {
    trial().third_name(Namer::Start, EVENTS);
}

#[test]
fn a_segments_name_that_a_writer_gave_is_durable_before_the_next_start_names_another() {
    trial().third_name(Namer::Writer, EVENTS);
}
