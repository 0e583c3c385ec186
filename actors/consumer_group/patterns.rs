//! The patterns by which members subscribe to topics, and what they match now.

use super::re2;
use crate::broker::topics::Topics;
use regex::bytes::{Regex, RegexBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes that a compiled pattern may take: it is matched with the names of all topics.
const COMPILED_BYTES_MAX: usize = 128 << 10;
/// Patterns of one group.
const PATTERNS_MAX: usize = 100;

/// Why a pattern is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not taken as a regular expression: {reason}")]
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
    /// The names that it matches; `None` before it was matched with any.
    matched: Option<BTreeSet<Arc<str>>>,
}

/// Compiles a pattern of RE2 that is to match whole names of topics.
pub(super) fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let failed = |reason: String| PatternError { pattern: pattern.into(), reason };
    let text = re2::translate(pattern).map_err(|reason| failed(reason.into()))?;
    let mut builder = RegexBuilder::new(&format!("^(?:{text})$"));
    let built = builder.unicode(false).size_limit(COMPILED_BYTES_MAX).build();
    built.map_err(|error| failed(error.to_string()))
}

impl Patterns {
    /// Takes a pattern that a member wants.
    ///
    /// # Errors
    /// [`PatternError`].
    pub(super) fn take(&mut self, pattern: &str) -> Result<(), PatternError> {
        if self.0.contains_key(pattern) {
            return Ok(());
        }
        if self.0.len() >= PATTERNS_MAX {
            let reason = format!("the group has {PATTERNS_MAX} others");
            return Err(PatternError { pattern: pattern.to_owned(), reason });
        }
        self.0.insert(pattern.to_owned(), Pattern { regex: compile(pattern)?, matched: None });
        Ok(())
    }

    /// Keeps the patterns that are used.
    pub(super) fn keep<'a>(&mut self, used: impl Iterator<Item = &'a str>) {
        let used: BTreeSet<&str> = used.collect();
        self.0.retain(|pattern, _| used.contains(pattern.as_str()));
    }

    /// Looks what patterns match: those that were not matched yet, or all when there are other topics.
    pub(super) fn resolve(&mut self, topics: &Topics, scope: Scope) {
        let unmatched = self.0.values_mut().filter(|it| scope == Scope::All || it.matched.is_none());
        for Pattern { regex, matched } in unmatched {
            let names = topics.iter().filter(|topic| regex.is_match(topic.name.as_bytes()));
            *matched = Some(names.map(|topic| Arc::clone(&topic.name)).collect());
        }
    }

    /// The topics that a pattern matches.
    pub(super) fn matched(&self, pattern: &str) -> impl Iterator<Item = &str> {
        self.0.get(pattern).into_iter().flat_map(Pattern::names)
    }

    /// The topics that any pattern matches; some of them several times.
    pub(super) fn all_matched(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(Pattern::names)
    }

    pub(super) fn matches(&self, pattern: &str, topic: &str) -> bool {
        let matched = self.0.get(pattern).and_then(|it| it.matched.as_ref());
        matched.is_some_and(|matched| matched.contains(topic))
    }
}

impl Pattern {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.matched.iter().flatten().map(|name| &**name)
    }
}

/// Which patterns are matched anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    All,
    /// Those that were not matched yet.
    New,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names_and_a_bad_or_huge_one_is_refused() {
        assert!(compile("a|b").unwrap().is_match(b"a") && !compile("a|b").unwrap().is_match(b"ab"));
        assert!(compile(r"[\w.-]{1,50}").unwrap().is_match(b"orders.new"));
        assert!(compile(r"\p{L}+").is_ok(), "classes of Unicode are there");
        for pattern in ["(", "a{1000}{1000}{1000}", "(?=a)", r"(a)\1", "a)|(?:b", "(?:[a-z]?){10000}"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn patterns_of_a_group_are_bounded() {
        let mut patterns = Patterns::default();
        for number in 0..PATTERNS_MAX {
            patterns.take(&number.to_string()).unwrap();
        }
        assert!(patterns.take("more").is_err() && patterns.take("7").is_ok());
        patterns.keep(["7"].into_iter());
        assert!(patterns.take("more").is_ok());
    }
}
