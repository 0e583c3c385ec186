//! What is wanted of us, and whether it was met.

use crate::figures::{CPU_GB, Figures, MB_S, P50, P99, RECORDS_S, RSS, SECONDS, WRITTEN};
use crate::machine::{DISK, DISK_MIB, DISK_SYNC};
use crate::peers::{BASE, BASE_SYNCED, OURS};
use crate::workloads::{
    ALONE_RAW, CATCH_UP, CREATE_10000, END_TO_END, IDLE, PRODUCE_4, PRODUCE_100_4, PRODUCE_1000,
    PRODUCE_10000, RESTART, SINGLE_1, SINGLE_16, SINGLE_256, SPREAD_4, SPREAD_10000, START,
};

/// What our figure is divided by.
enum Against {
    /// The same figure of another broker.
    Broker(&'static str),
    /// The same unit of another workload of ours.
    Ours(&'static str),
    /// What the disk alone gave with this.
    Disk(&'static str),
    /// Nothing: the figure itself.
    Alone,
}

use Against::{Alone, Broker, Disk, Ours};

enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

use Wanted::{AtLeast, AtMost};

/// A goal and how it stands.
pub struct Goal {
    workload: &'static str,
    unit: &'static str,
    against: Against,
    wanted: Wanted,
}

/// All goals.
pub fn goals() -> Vec<Goal> {
    let goal = |workload, unit, against, wanted| Goal { workload, unit, against, wanted };
    vec![
        goal(PRODUCE_4, MB_S, Broker(BASE), AtLeast(1.5)),
        goal(PRODUCE_4, MB_S, Disk(DISK_MIB), AtLeast(0.9)),
        goal(PRODUCE_4, CPU_GB, Broker(BASE), AtMost(0.3)),
        goal(PRODUCE_4, CPU_GB, Alone, AtMost(0.6)),
        goal(PRODUCE_1000, MB_S, Broker(BASE), AtLeast(5.0)),
        goal(SINGLE_1, RECORDS_S, Broker(BASE), AtLeast(5.0)),
        goal(SINGLE_16, RECORDS_S, Broker(BASE), AtLeast(5.0)),
        goal(SINGLE_256, RECORDS_S, Broker(BASE), AtLeast(5.0)),
        goal(ALONE_RAW, P50, Disk(DISK_SYNC), AtMost(2.0)),
        goal(END_TO_END, P99, Broker(BASE), AtMost(0.5)),
        goal(CATCH_UP, MB_S, Broker(BASE), AtLeast(1.0)),
        goal(PRODUCE_10000, MB_S, Ours(PRODUCE_4), AtLeast(0.8)),
        goal(SPREAD_10000, MB_S, Ours(SPREAD_4), AtLeast(0.8)),
        goal(RESTART, SECONDS, Broker(BASE), AtMost(0.01)),
        goal(RESTART, SECONDS, Alone, AtMost(0.1)),
        goal(START, SECONDS, Alone, AtMost(0.02)),
        goal(START, RSS, Alone, AtMost(20.0)),
        goal(CREATE_10000, SECONDS, Alone, AtMost(1.0)),
        goal(IDLE, RSS, Broker(BASE), AtMost(1.0 / 15.0)),
        goal(PRODUCE_4, WRITTEN, Alone, AtMost(1.1)),
        goal(PRODUCE_4, MB_S, Broker(BASE_SYNCED), AtLeast(5.0)),
        goal(PRODUCE_100_4, MB_S, Broker(BASE_SYNCED), AtLeast(5.0)),
        goal(PRODUCE_1000, MB_S, Broker(BASE_SYNCED), AtLeast(5.0)),
        goal(SINGLE_16, RECORDS_S, Broker(BASE_SYNCED), AtLeast(5.0)),
    ]
}

impl Goal {
    /// Its line of the table.
    pub fn line(&self, figures: &Figures) -> String {
        let (against, measured) = match self.against {
            Broker(name) => (format!("{name}'s"), self.divided(figures, name, self.workload)),
            Ours(workload) => (format!("our own with {workload}"), self.divided(figures, OURS, workload)),
            Disk(what) => (what.into(), self.divided(figures, DISK, what)),
            Alone => ("the figure itself".into(), self.ours(figures)),
        };
        let (wanted, is_met) = match self.wanted {
            AtLeast(bound) => (format!("≥ {bound}"), measured.map(|it| it >= bound)),
            AtMost(bound) => (format!("≤ {}", round(bound)), measured.map(|it| it <= bound)),
        };
        let is_met = match is_met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "not measured",
        };
        let measured = measured.map_or("-".into(), round);
        format!("| {} | {} | {against} | {wanted} | {measured} | {is_met} |\n", self.workload, self.unit)
    }

    fn ours(&self, figures: &Figures) -> Option<f64> {
        Some(figures.spread(OURS, self.workload, self.unit)?.median)
    }

    fn divided(&self, figures: &Figures, broker: &str, workload: &str) -> Option<f64> {
        Some(self.ours(figures)? / figures.spread(broker, workload, self.unit)?.median)
    }
}

/// Three digits that count.
pub fn round(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 5);
    format!("{value:.*}", digits as usize)
}
