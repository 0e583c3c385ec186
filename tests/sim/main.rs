//! The whole broker, simulated: all actors on one thread, whose time and chance follow from a seed, on a disk
//! that loses, fails and tears; and a model in plain maps that checks every answer.
//!
//! A seed is a few lives of a broker on one disk. In each, clients send whole Kafka requests through the
//! broker's edge, without sockets, until all actors are dropped in the middle of it; what is left of the disk is
//! what a dead process or a power failure leaves, and the next life begins with it.
//!
//! `CALLBOARD_SIM_SEED=7 cargo test --test sim -- --nocapture` repeats a seed and prints what was asked and
//! answered. `CALLBOARD_SIM_MINUTES=10` goes on with other seeds for so long.
//!
//! What is not simulated: the index lies in a folder of its own that loses nothing, and its database flushes and
//! compacts on a thread of its own. A checkpoint waits for that, so no order depends on it, and what lies behind
//! the checkpoint is thrown away by every start; what a power failure does to the index is not tested here.
//! A sync that runs beside writing takes place when it is waited for. Sockets are tested in `tests/kafka/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

// What others here do not need of them is theirs.
#[allow(dead_code)]
#[path = "../kafka/batch.rs"]
mod batch;
#[allow(dead_code)]
#[path = "../support/chance.rs"]
mod chance;
mod configs;
mod consumer_group;
mod group;
mod idempotent;
mod log;
mod migrating;
mod offsets;
mod producer;
mod reader;
mod seed;
mod session;
mod static_member;
mod topics;
mod units;
mod wire;
mod world;

use chance::{any_seed, number};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;
use std::time::{Duration, Instant};

/// Seeds of the short form: what fits into CI.
const SEEDS: u64 = 600;

thread_local! {
    /// Panics on this thread, those of actors too, which go no further.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            print(panic);
        }));
    });
}

/// Runs a seed, and says how to repeat it when something is wrong.
fn run(seed: u64, is_loud: bool) -> seed::Outcome {
    count_panics();
    let run = || {
        let before = PANICS.get();
        let outcome = seed::run(seed, is_loud);
        assert_eq!(PANICS.get(), before, "an actor panicked");
        outcome
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => outcome,
        Err(panic) => {
            eprintln!("repeat it: CALLBOARD_SIM_SEED={seed} cargo test --test sim");
            resume_unwind(panic)
        }
    }
}

#[test]
fn the_broker_keeps_what_it_says() {
    if let Some(seed) = number("CALLBOARD_SIM_SEED") {
        run(seed, true);
        return;
    }
    let begun = Instant::now();
    let end = number("CALLBOARD_SIM_MINUTES").map(|minutes| begun + Duration::from_secs(60 * minutes));
    // The short form has the same seeds everywhere, the long one others each time.
    let first = end.map_or(0, |_| any_seed());
    let goes_on = |seed: u64| end.map_or(seed < SEEDS, |end| Instant::now() < end);
    let (mut answers, mut starts, mut seeds) = (0, 0, 0);
    for seed in (0..).take_while(|seed| goes_on(*seed)) {
        let outcome = run(first + seed, false);
        (answers, starts, seeds) = (answers + outcome.answers, starts + outcome.starts, seeds + 1);
    }
    println!("{seeds} seeds, {starts} starts, {answers} answers in {:?}", begun.elapsed());
}

#[test]
fn a_seed_repeats_itself() {
    for seed in 0..20 {
        let (first, second) = (run(seed, false), run(seed, false));
        assert_eq!((first.trace, first.answers), (second.trace, second.answers), "seed {seed}");
    }
}
