//! What became of the lines that were sent, told so that whoever sent them can go on from there.

use callboard_client::Error;
use std::fmt;
use std::fmt::Write as _;
use std::rc::Rc;

/// Ranges of lines that are told one by one.
const RANGES_MAX: usize = 10;

/// A line of a file or of standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) input: Rc<str>,
    /// The first line is 1.
    pub(super) line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of {}", self.line, self.input)
    }
}

/// What became of the records that were sent, in their order.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) delivered: u64,
    pub(super) failures: Vec<(Place, Error)>,
    /// The last line that was sent.
    last: Option<Place>,
}

impl Outcome {
    /// Notes what became of the next record.
    pub(super) fn note(&mut self, place: Place, receipt: Result<(), Error>) {
        self.last = Some(place.clone());
        match receipt {
            Ok(()) => self.delivered += 1,
            Err(error) => self.failures.push((place, error)),
        }
    }

    /// What is to be told when not all lines are delivered; `stop` kept the next one from being sent.
    pub(super) fn problem(&self, stop: Option<anyhow::Error>) -> Option<anyhow::Error> {
        let delivered = self.delivered;
        let Some((place, error)) = self.failures.first() else {
            let stop = stop?;
            return Some(anyhow::anyhow!(
                "{stop:#}; {delivered} record(s) before it were delivered, nothing from there on was sent"
            ));
        };
        let verb = if is_known(error) { "was not delivered" } else { "may not have been delivered" };
        let mut text = format!(
            "{place} {verb}: {error}; {delivered} of {} record(s) that were sent were delivered",
            delivered + self.failures.len() as u64
        );
        // Writing to a String cannot fail.
        if self.failures.len() > 1 {
            let _ = write!(text, ", not {}", self.ranges());
        }
        match (stop, &self.last) {
            (Some(stop), _) => {
                let _ = write!(text, "; nothing from there on was sent: {stop:#}");
            }
            (None, Some(last)) => {
                let _ = write!(text, "; nothing behind {last} was sent");
            }
            (None, None) => {}
        }
        Some(anyhow::anyhow!(text))
    }

    /// The lines that were not delivered.
    fn ranges(&self) -> String {
        let mut ranges: Vec<(&str, u64, u64)> = Vec::new();
        for (Place { input, line }, _) in &self.failures {
            match ranges.last_mut() {
                Some((last, _, end)) if *last == &**input && *end + 1 == *line => *end = *line,
                _ => ranges.push((input, *line, *line)),
            }
        }
        let mut told = Vec::new();
        let mut of = "";
        for (input, from, to) in ranges.iter().take(RANGES_MAX) {
            let name = if *input == of { String::new() } else { format!("{input} ") };
            of = input;
            told.push(if from == to { format!("{name}{from}") } else { format!("{name}{from}-{to}") });
        }
        let more = ranges.len().saturating_sub(RANGES_MAX);
        let more = if more > 0 { format!(" and {more} more range(s)") } else { String::new() };
        format!("the lines {}{more}", told.join(", "))
    }
}

/// Whether an error says that the broker does not have the record.
fn is_known(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if !refusal.code.is_retriable())
        || matches!(error, Error::Invalid(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(failed: &[u64], last: u64) -> Outcome {
        let mut outcome = Outcome::default();
        for line in 1..=last {
            let failure = || Error::Invalid("too large".to_owned());
            let receipt = if failed.contains(&line) { Err(failure()) } else { Ok(()) };
            outcome.note(Place { input: "a".into(), line }, receipt);
        }
        outcome
    }

    #[test]
    fn a_line_that_is_no_record_is_told_with_what_went_before_it() {
        assert!(outcome(&[], 3).problem(None).is_none());
        let problem = outcome(&[], 3).problem(Some(anyhow::anyhow!("line 4 of a is none"))).unwrap();
        assert_eq!(
            problem.to_string(),
            "line 4 of a is none; 3 record(s) before it were delivered, nothing from there on was sent"
        );
    }

    #[test]
    fn lines_that_were_refused_are_told() {
        let problem = outcome(&[2, 4, 5], 7).problem(None).unwrap();
        assert_eq!(
            problem.to_string(),
            "line 2 of a was not delivered: too large; 4 of 7 record(s) that were sent were delivered, \
             not the lines a 2, 4-5; nothing behind line 7 of a was sent"
        );
        let odd: Vec<_> = (1..30).step_by(2).collect();
        assert!(outcome(&odd, 30).problem(None).unwrap().to_string().contains(", 19 and 5 more range(s);"));
    }
}
