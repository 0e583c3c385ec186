//! Power failures: when they come, what they leave, and a look at all that must be there afterwards.

use crate::chance::Chance;
use crate::client::Client;
use crate::disk::Failure;
use crate::facts::{Fact, Facts};
use crate::recorded::SETTINGS;
use crate::recording::{Entry, subjects};
use crate::support::launch::data_in;
use callboard::{Broker, Config};
use callboard_storage::{Error, check};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::thread::scope;
use tempfile::TempDir;

/// How many calls behind one of a kind power fails at most.
const BESIDE: usize = 5;

/// One power failure: how many calls were made until then, and how the rest fares.
pub(crate) struct Cut {
    pub(crate) calls: usize,
    pub(crate) failure: Failure,
}

/// Power failures in order: anywhere, and beside calls of each kind, however rare they are.
pub(crate) fn cuts(entries: &[Entry], count: usize, chance: &mut Chance) -> Vec<Cut> {
    let mut kinds = BTreeMap::<_, Vec<_>>::new();
    for (number, subject) in subjects(entries).into_iter().enumerate() {
        kinds.entry(subject).or_default().push(number);
    }
    let kinds: Vec<_> = kinds.into_values().collect();
    let mut cut = || {
        let calls = if chance.is_one_in(4) {
            chance.below(entries.len() + 1)
        } else {
            let alike = &kinds[chance.below(kinds.len())];
            alike[chance.below(alike.len())] + chance.below(BESIDE)
        };
        Cut { calls: calls.min(entries.len()), failure: Failure::any(chance) }
    };
    let mut cuts: Vec<_> = (0..count).map(|_| cut()).collect();
    cuts.sort_by_key(|cut| cut.calls);
    cuts
}

/// Several at once, because each mostly waits for the disk.
pub(crate) fn look_at_all(
    left: &[TempDir],
    cuts: &[Cut],
    facts: &Facts,
    entries: &[Entry],
) -> Vec<Vec<Fact>> {
    scope(|scope| {
        let looks = left
            .iter()
            .zip(cuts)
            .map(|(left, cut)| scope.spawn(move || look(left.path(), facts, entries, cut)));
        let looks: Vec<_> = looks.collect();
        let found = looks.into_iter().map(|look| look.join().unwrap_or_else(|panic| resume_unwind(panic)));
        found.collect()
    })
}

/// Starts a broker on what is left, and looks at everything. Answers what is there. What a start gets over by
/// itself is no damage, and one that was stopped in order leaves nothing to get over.
fn look(folder: &Path, facts: &Facts, entries: &[Entry], cut: &Cut) -> Vec<Fact> {
    let end = cut.calls.checked_sub(1).map_or(0, |last| entries[last].end);
    let known = facts.until(end);
    let data = data_in(folder);
    let looked = catch_unwind(AssertUnwindSafe(|| {
        must_be_clean(&data, "before a start");
        let mut config = Config::new(data.clone()).kafka("127.0.0.1:0");
        for (name, value) in SETTINGS {
            config = config.set(name, value);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let broker = runtime.block_on(Broker::spawn(config)).unwrap();
        let mut client = Client::connect(&broker.kafka_address().unwrap().to_string()).unwrap();
        let found = known.check(&mut client);
        drop(client);
        runtime.block_on(broker.shutdown());
        must_be_clean(&data, "behind a start");
        found
    }));
    looked.unwrap_or_else(|panic| {
        eprintln!("power failed after {} of {} calls: {:?}", cut.calls, entries.len(), cut.failure);
        for (number, entry) in
            entries.iter().enumerate().take(cut.calls + 3).skip(cut.calls.saturating_sub(40))
        {
            eprintln!("{number} {}", entry.call);
        }
        resume_unwind(panic)
    })
}

/// What `callboard check` finds wrong fails the test.
fn must_be_clean(data: &Path, when: &str) {
    match check::check(data, &mut |_| {}) {
        Ok(report) => {
            let findings: Vec<_> = report.findings.kept().iter().map(ToString::to_string).collect();
            assert!(report.is_clean(), "{when}: {findings:#?}, {:?}", report.refusal);
        }
        // A first start did not come far enough for there to be a data folder.
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            assert!(!data.join("journal").exists(), "{when}: {source}");
        }
        Err(error) => panic!("{when}: {error}"),
    }
}
