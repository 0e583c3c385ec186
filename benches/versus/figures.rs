//! What was measured: a sample for each round, broker and figure.

use callboard_benches::broker::Usage;
use callboard_benches::produce::Outcome;
use std::time::Duration;

pub const MB_S: &str = "MB/s";
pub const RECORDS_S: &str = "records/s";
pub const CPU_GB: &str = "CPU s/GB";
pub const WRITTEN: &str = "bytes written per byte";
pub const RSS: &str = "RSS MB";
pub const P50: &str = "p50 ms";
pub const P99: &str = "p99 ms";
pub const SECONDS: &str = "s";
pub const COMMITS_S: &str = "commits/s";
pub const CPU_US: &str = "CPU us each";
pub const CPU_SHARE: &str = "% of a core";

/// Samples in the order in which their figures came first.
#[derive(Default)]
pub struct Figures {
    all: Vec<Figure>,
    /// What did not work.
    pub failures: Vec<String>,
}

/// One figure of one workload.
pub struct Figure {
    pub workload: String,
    pub unit: &'static str,
    samples: Vec<(&'static str, f64)>,
}

/// What the rounds of one broker gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Figures {
    pub fn add(&mut self, broker: &'static str, workload: &str, unit: &'static str, value: f64) {
        if let Some(figure) = self.all.iter_mut().find(|it| it.workload == workload && it.unit == unit) {
            return figure.samples.push((broker, value));
        }
        self.all.push(Figure { workload: workload.to_owned(), unit, samples: vec![(broker, value)] });
    }

    pub fn failed(&mut self, what: String) {
        self.failures.push(what);
    }

    /// All that a load tells.
    pub fn add_load(
        &mut self,
        broker: &'static str,
        workload: &str,
        outcome: &Outcome,
        before: Usage,
        after: Usage,
    ) {
        self.add_outcome(broker, workload, outcome);
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        self.add(broker, workload, CPU_GB, cpu / (outcome.bytes as f64 / 1e9));
        self.add(broker, workload, RSS, after.resident_bytes as f64 / 1e6);
    }

    /// What a load that writes tells beside that.
    pub fn add_written(
        &mut self,
        broker: &'static str,
        workload: &str,
        outcome: &Outcome,
        before: Usage,
        after: Usage,
    ) {
        let written = after.written_bytes.saturating_sub(before.written_bytes);
        self.add(broker, workload, WRITTEN, written as f64 / outcome.bytes as f64);
    }

    /// What clients alone can tell of a load.
    pub fn add_outcome(&mut self, broker: &'static str, workload: &str, outcome: &Outcome) {
        let seconds = outcome.took.as_secs_f64();
        self.add(broker, workload, MB_S, outcome.bytes as f64 / 1e6 / seconds);
        self.add(broker, workload, RECORDS_S, outcome.records as f64 / seconds);
        self.add_latencies(broker, workload, &outcome.latencies);
    }

    pub fn add_latencies(&mut self, broker: &'static str, workload: &str, sorted: &[Duration]) {
        for (unit, share) in [(P50, 0.5), (P99, 0.99)] {
            let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
            if let Some(time) = sorted.get(at) {
                self.add(broker, workload, unit, time.as_secs_f64() * 1e3);
            }
        }
    }

    pub fn spread(&self, broker: &str, workload: &str, unit: &str) -> Option<Spread> {
        self.all.iter().find(|it| it.workload == workload && it.unit == unit)?.spread(broker)
    }

    pub fn of(&self, workload: &str) -> impl Iterator<Item = &Figure> {
        self.all.iter().filter(move |figure| figure.workload == workload)
    }

    /// Each workload once.
    pub fn workloads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for figure in &self.all {
            if !names.contains(&figure.workload.as_str()) {
                names.push(&figure.workload);
            }
        }
        names
    }
}

impl Figure {
    pub fn spread(&self, broker: &str) -> Option<Spread> {
        let mut values: Vec<f64> =
            self.samples.iter().filter(|(name, _)| *name == broker).map(|(_, value)| *value).collect();
        values.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = |at: usize| values.get(at).copied().unwrap_or(least);
        let median = f64::midpoint(middle((values.len() - 1) / 2), middle(values.len() / 2));
        Some(Spread { least, median, most })
    }
}
