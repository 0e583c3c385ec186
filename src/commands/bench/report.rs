//! What is told of a measurement: a table for people, JSON for programs.

use crate::commands::output::{Rows, line};
use anyhow::Result;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::time::Duration;

/// The longest time that is told apart from longer ones: longer than a delivery may take.
const LONGEST: Duration = Duration::from_secs(600);
/// Digits of a time that are right.
const DIGITS: u8 = 3;

/// Times from the sending of a record to something.
#[derive(Debug)]
pub(super) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, DIGITS)?))
    }

    pub(super) fn note(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Milliseconds that a share of the records took at most.
    fn quantile_ms(&self, share: f64) -> f64 {
        rounded(self.0.value_at_quantile(share) as f64 / 1e6, 1e3)
    }

    fn as_json(&self) -> Value {
        json!({
            "p50": self.quantile_ms(0.5),
            "p99": self.quantile_ms(0.99),
            "p99.9": self.quantile_ms(0.999),
            "max": self.quantile_ms(1.0),
        })
    }
}

/// What was done, in what time.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) records: u64,
    /// Bytes of keys and values.
    pub(super) bytes: u64,
    pub(super) took: Duration,
}

/// A measurement: its name, and what it tells of times.
pub(super) type Figure = (&'static str, Option<Latencies>);

impl Done {
    /// Tells what was measured while it was done.
    pub(super) fn tell(&self, json: bool, topic: &str, figures: &[Figure]) -> Result<()> {
        let seconds = self.took.as_secs_f64();
        let records_per_s = rounded(self.records as f64 / seconds, 1.0);
        let mb_per_s = rounded(self.bytes as f64 / 1e6 / seconds, 1e2);
        if json {
            for (bench, latencies) in figures {
                line(
                    &json!({
                        "bench": bench, "topic": topic, "records": self.records, "bytes": self.bytes,
                        "seconds": seconds, "records_per_s": records_per_s, "mb_per_s": mb_per_s,
                        "latency_ms": latencies.as_ref().map(Latencies::as_json),
                    })
                    .to_string(),
                )?;
            }
            return Ok(());
        }
        let mut rows = Rows::new(&["bench", "records", "records/s", "MB/s", "p50 ms", "p99 ms", "p99.9 ms"]);
        for (bench, latencies) in figures {
            let time = |share| json!(latencies.as_ref().map(|latencies| latencies.quantile_ms(share)));
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(time);
            let whole = json!(records_per_s as u64);
            rows.push([json!(bench), json!(self.records), whole, json!(mb_per_s), p50, p99, p999]);
        }
        rows.print(false)
    }
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_milliseconds_by_their_share() {
        let mut latencies = Latencies::new().unwrap();
        (1..=1000).for_each(|ms| latencies.note(Duration::from_millis(ms)));
        let told = latencies.as_json();
        for (share, expected) in [("p50", 500.0), ("p99", 990.0), ("p99.9", 999.0), ("max", 1000.0)] {
            let told = told[share].as_f64().unwrap();
            assert!((told - expected).abs() <= expected / 500.0, "{share}: {told}");
        }
        latencies.note(Duration::MAX);
        assert!(latencies.quantile_ms(1.0) >= 600_000.0, "what is longer counts as the longest");
    }
}
