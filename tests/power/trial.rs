//! A data folder through several power failures: brokers are recorded under load, power fails at many points
//! of what they did, and the next ones start on what one of the failures left.

use crate::chance::Chance;
use crate::content::Fate;
use crate::cut::{Cut, cuts, look_at_all};
use crate::disk::{EntriesFate, Failure};
use crate::facts::Fact;
use crate::recorded::Recorded;
use crate::recording::{Call, Death, Entry, Recorder};
use tempfile::TempDir;

/// Somewhat more calls than a start makes.
const STARTING: usize = 300;
/// About as many as one makes that is worked with.
const WORKING: usize = 3000;
const SECOND_SEGMENT: &str = "00000000000000000002.journal";
const THIRD_SEGMENT: &str = "00000000000000000003.journal";
/// Power failures that are looked at at once.
const AT_ONCE: usize = 4;

/// What is left of a data folder, and what is known of it.
pub(crate) struct Trial {
    recorder: Recorder,
    chance: Chance,
    /// The folder that the next broker has its data in.
    folder: TempDir,
    known: Vec<Fact>,
    /// Brokers that were worked with.
    brokers: usize,
    pub(crate) failures: usize,
}

impl Trial {
    pub(crate) fn new(chance: Chance) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { recorder: Recorder::build(), chance, folder, known: Vec::new(), brokers: 0, failures: 0 }
    }

    /// Records brokers until so much has happened in each, and looks at so many power failures of them. Some
    /// others die before them without a failure of power, so that nobody synced what they did last.
    pub(crate) fn life(&mut self, events: usize, failures: usize) {
        let mut recorded = Recorded::new(&self.recorder, self.folder.path(), std::mem::take(&mut self.known));
        for number in 0..=self.chance.below(3) {
            for _ in 0..self.chance.below(3) {
                recorded.die(Death::any(STARTING, &mut self.chance));
            }
            self.brokers += 1;
            let death = self.chance.is_one_in(2).then(|| Death::any(WORKING, &mut self.chance));
            recorded.work(self.brokers, events, death.filter(|_| number > 0), &mut self.chance);
        }
        let cuts = cuts(&recorded.entries(), failures, &mut self.chance);
        self.failures += cuts.len();
        (self.folder, self.known) = fail(&mut recorded, &cuts, &mut self.chance);
    }

    /// A broker dies after so many calls of its first start, another is worked with for a moment, and power
    /// fails.
    pub(crate) fn first_start(&mut self, calls: usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut recorded = Recorded::new(&self.recorder, folder.path(), Vec::new());
        recorded.die(Death::after(calls));
        recorded.work(1, 1, None, &mut self.chance);
        let calls = recorded.entries().len();
        let failures = [Failure::WORST, Failure::any(&mut self.chance)];
        let cuts = failures.map(|failure| Cut { calls, failure });
        self.failures += cuts.len();
        fail(&mut recorded, &cuts, &mut self.chance);
    }

    /// A broker dies right behind the naming of the second segment, so that nobody has synced the name. The next
    /// one names the third, and power fails before it has synced that: the newest name alone is kept.
    pub(crate) fn third_name(&mut self, namer: Namer, events: usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut recorded = Recorded::new(&self.recorder, folder.path(), Vec::new());
        let death = Death { calls: 1, word: SECOND_SEGMENT, more: 0 };
        match namer {
            Namer::Start => {
                recorded.work(1, 1, None, &mut self.chance);
                recorded.die(death);
            }
            Namer::Writer => recorded.work(1, events, Some(death), &mut self.chance),
        }
        recorded.die(Death::after(STARTING));
        let entries = recorded.entries();
        let third = names(&entries, THIRD_SEGMENT)[0];
        let begun = entries.iter().rposition(|entry| matches!(entry.call, Call::Start)).unwrap();
        let second = names(&entries, SECOND_SEGMENT)[0];
        assert!(second <= begun && begun < third, "{namer:?}: {second}, {begun}, {third}");
        let failure = Failure { entries: EntriesFate::Last, ..Failure::WORST };
        let cuts = [Cut { calls: third, failure }];
        self.failures += cuts.len();
        fail(&mut recorded, &cuts, &mut self.chance);
    }

    /// A broker dies right behind a call about some kind of file, the next one starts on what it did and nobody
    /// synced, and power fails so many times meanwhile.
    pub(crate) fn second_start(&mut self, word: &'static str, events: usize, failures: usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut recorded = Recorded::new(&self.recorder, folder.path(), Vec::new());
        let death =
            Death { calls: STARTING + self.chance.below(WORKING / 4), word, more: self.chance.below(2) };
        recorded.work(1, events, Some(death), &mut self.chance);
        recorded.die(Death::after(STARTING));
        let entries = recorded.entries();
        let begun = entries.iter().rposition(|entry| matches!(entry.call, Call::Start)).unwrap();
        let cut = |_| {
            let calls = begun + self.chance.below(entries.len() - begun) + 1;
            let entries = EntriesFate::Each(Fate::Open);
            Cut { calls, failure: Failure { entries, ..Failure::any(&mut self.chance) } }
        };
        let mut cuts: Vec<_> = (0..failures).map(cut).collect();
        cuts.sort_by_key(|cut| cut.calls);
        self.failures += cuts.len();
        fail(&mut recorded, &cuts, &mut self.chance);
    }
}

/// Who names a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Namer {
    /// A broker that starts.
    Start,
    /// One that is worked with, whose segment is full.
    Writer,
}

/// How many calls were made when a segment had got its name, for each time that one did.
fn names(entries: &[Entry], segment: &str) -> Vec<usize> {
    let is_that = |entry: &Entry| matches!(&entry.call, Call::Rename { to, .. } if to.ends_with(segment));
    entries.iter().enumerate().filter(|(_, entry)| is_that(entry)).map(|(number, _)| number + 1).collect()
}

/// Looks at what each power failure leaves. Answers what one of them left, and what is there.
fn fail(recorded: &mut Recorded<'_>, cuts: &[Cut], chance: &mut Chance) -> (TempDir, Vec<Fact>) {
    let entries = recorded.entries();
    let next = chance.below(cuts.len());
    let (mut done, mut taken) = (0, None);
    for (number, some) in cuts.chunks(AT_ONCE).enumerate() {
        let mut left = Vec::new();
        for cut in some {
            entries[done..cut.calls].iter().for_each(|entry| recorded.disk.apply(entry));
            done = cut.calls;
            left.push(tempfile::tempdir().unwrap());
            recorded.disk.leave(left[left.len() - 1].path(), cut.failure, chance);
        }
        let mut found = look_at_all(&left, some, &recorded.facts, &entries);
        if number == next / AT_ONCE {
            let number = next % AT_ONCE;
            taken = Some((left.swap_remove(number), found.swap_remove(number)));
        }
    }
    taken.unwrap()
}
