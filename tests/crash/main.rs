//! A broker that dies at any moment, and at every point between two steps: what was acknowledged is there
//! once, at its offset and in order; what was read does not change; no committed offset goes back; no topic
//! is there by half; and it starts again by itself.
//!
//! `CALLBOARD_CRASH_SEED` repeats a run, as far as threads and the disk let it. `CALLBOARD_CRASH_MINUTES=10`
//! makes it long. SIGKILL takes away what the process holds, and nothing of what it wrote: what a power
//! failure takes is tested on the simulated disk, where the journal is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

mod chance;
mod client;
mod history;
mod log;
mod member;
mod producer;
mod topics;
mod trial;
mod victim;

use callboard_storage::crash_points::Point;
use chance::Chance;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};
use trial::{Death, Trial};
use victim::{Started, Victim};

/// How often the short form comes to each point.
const PASSES: usize = 2;
/// Its random deaths.
const RANDOM: usize = 16;

/// The points that a first start passes.
const FIRST_START: [Point; 7] = [
    Point::FileWritten,
    Point::FileNamed,
    Point::SegmentCreated,
    Point::SegmentWritten,
    Point::SegmentNamed,
    Point::ReplayBegins,
    Point::Replayed,
];

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

fn seed() -> u64 {
    // Some of it are enough, and easier to say.
    number("CALLBOARD_CRASH_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish() >> 32)
}

#[test]
fn what_was_acknowledged_or_read_outlives_every_death() {
    let seed = seed();
    let mut chance = Chance::new(!seed);
    let mut trial = Trial::new(seed);
    let mut deaths: Vec<_> = Point::ALL.iter().map(|point| Death::At(*point)).collect();
    if let Some(minutes) = number("CALLBOARD_CRASH_MINUTES") {
        let end = Instant::now() + Duration::from_secs(60 * minutes);
        while Instant::now() < end {
            let is_random = chance.is_one_in(3);
            trial.round(if is_random { Death::Random } else { deaths[chance.below(deaths.len())] });
        }
    } else {
        deaths = deaths.repeat(PASSES);
        deaths.extend([Death::Random; RANDOM]);
        chance.shuffle(&mut deaths);
        deaths.into_iter().for_each(|death| trial.round(death));
    }
    trial.end();
}

#[test]
fn a_broker_that_died_in_its_first_start_starts() {
    for point in FIRST_START {
        let mut victim = Victim::new();
        let started = victim.start_to_die(Some(&format!("{}=return", point.name())));
        assert_eq!(started, Started::Dead, "{point:?}");
        victim.start();
        victim.assert_calm();
    }
}
