//! The patterns by which members subscribe to topics, and what they match now.

use crate::broker::topics::Topics;
use regex::{Regex, RegexBuilder};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes that a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Why a pattern is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not a regular expression: {reason}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The patterns of a group.
#[derive(Debug, Default)]
pub(super) struct Patterns(BTreeMap<String, Pattern>);

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    matched: BTreeSet<String>,
}

/// Compiles a pattern that is to match whole names of topics, in the syntax of RE2 as far as the
/// `regex` crate has it: both run in linear time, and so have neither looks around nor back.
fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(COMPILED_BYTES_MAX).build();
    whole.map_err(|error| PatternError { pattern: pattern.to_owned(), reason: error.to_string() })
}

impl Patterns {
    /// Whether a pattern is one.
    ///
    /// # Errors
    /// [`PatternError`].
    pub(super) fn check(&self, pattern: &str) -> Result<(), PatternError> {
        if self.0.contains_key(pattern) { Ok(()) } else { compile(pattern).map(drop) }
    }

    /// Keeps the patterns that are used, and looks what they match.
    pub(super) fn resolve<'a>(&mut self, used: impl Iterator<Item = &'a str>, topics: &Topics) {
        let used: BTreeSet<&str> = used.collect();
        self.0.retain(|pattern, _| used.contains(pattern.as_str()));
        for pattern in used {
            if !self.0.contains_key(pattern)
                && let Ok(regex) = compile(pattern)
            {
                self.0.insert(pattern.to_owned(), Pattern { regex, matched: BTreeSet::new() });
            }
        }
        for Pattern { regex, matched } in self.0.values_mut() {
            let names = topics.iter().filter(|topic| regex.is_match(&topic.name));
            *matched = names.map(|topic| topic.name.to_string()).collect();
        }
    }

    /// The topics that a pattern matches.
    pub(super) fn matched(&self, pattern: &str) -> impl Iterator<Item = &str> {
        self.0.get(pattern).into_iter().flat_map(|it| it.matched.iter().map(String::as_str))
    }

    pub(super) fn matches(&self, pattern: &str, topic: &str) -> bool {
        self.0.get(pattern).is_some_and(|it| it.matched.contains(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names_and_a_bad_or_huge_one_is_refused() {
        assert!(compile("a|b").unwrap().is_match("a") && !compile("a|b").unwrap().is_match("ab"));
        for pattern in ["(", "a{1000}{1000}{1000}", "(?=a)", r"(a)\1"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
