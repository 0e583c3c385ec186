//! What a request names more than once: Kafka refuses that, and does the rest.

use std::collections::BTreeSet;

/// The parts of a request by how often it names them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<T, K: Ord> {
    /// What is named once, in the order of the request.
    pub(super) once: Vec<T>,
    /// What is named more than once, each once.
    pub(super) repeated: BTreeSet<K>,
}

/// Takes apart what is named once and what is repeated.
pub(super) fn split<T, K: Ord + Clone>(parts: Vec<T>, name: impl Fn(&T) -> K) -> Named<T, K> {
    let mut seen = BTreeSet::new();
    let is_repeated = |part: &T| {
        let name = name(part);
        if seen.insert(name.clone()) { None } else { Some(name) }
    };
    let repeated: BTreeSet<K> = parts.iter().filter_map(is_repeated).collect();
    let once = parts.into_iter().filter(|part| !repeated.contains(&name(part))).collect();
    Named { once, repeated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_taken_out_altogether() {
        let named = split(vec!["b", "a", "c", "a", "a"], |name| *name);
        assert_eq!(named, Named { once: vec!["b", "c"], repeated: ["a"].into() });
    }
}
