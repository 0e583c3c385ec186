//! A broker that dies at any moment, and at every point between two steps: what was acknowledged is there
//! once, at its offset and in order; what was read does not change; no committed offset goes back; no topic
//! is there by half; and it starts again by itself.
//!
//! `CALLBOARD_CRASH_SEED` repeats a run, as far as threads and the disk let it. `CALLBOARD_CRASH_MINUTES=10`
//! makes it long. SIGKILL takes away what the process holds, and nothing of what it wrote: what a power
//! failure takes is tested in the folder `power` beside this one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/chance.rs"]
mod chance;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/history.rs"]
mod history;
#[path = "../support/log.rs"]
mod log;

mod member;
mod membership;
mod producer;
mod topics;
mod trial;
mod victim;

use callboard_storage::crash_points::Point;
use chance::{Chance, any_seed, number};
use std::time::{Duration, Instant};
use trial::{Death, Trial};
use victim::{Started, Victim};

/// How often the short form comes to each point.
const PASSES: usize = 2;
/// Its deaths at random moments.
const RANDOM: usize = 10;
/// Its deaths while it stops.
const STOPPING: usize = 6;

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

#[test]
fn what_was_acknowledged_or_read_outlives_every_death() {
    let seed = number("CALLBOARD_CRASH_SEED").unwrap_or_else(any_seed);
    let mut chance = Chance::new(!seed);
    let mut trial = Trial::new(seed);
    // A folder with something in it has all the points.
    trial.round(Death::Random);
    let mut deaths: Vec<_> = Point::ALL.iter().map(|point| Death::At(*point)).collect();
    if let Some(minutes) = number("CALLBOARD_CRASH_MINUTES") {
        let end = Instant::now() + Duration::from_secs(60 * minutes);
        while Instant::now() < end {
            trial.round(match chance.below(10) {
                0..3 => Death::Random,
                3 => Death::Stopping,
                _ => deaths[chance.below(deaths.len())],
            });
        }
    } else {
        deaths = deaths.repeat(PASSES);
        deaths.extend([Death::Random; RANDOM]);
        deaths.extend([Death::Stopping; STOPPING]);
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
