//! That patterns say of names of topics what they say in Kafka: `facts.txt` is what Kafka 4.3.0 answered.

use super::{BYTES_MAX, REPEATED_AGAIN_MAX, translate};
use crate::consumer_group::patterns::compile;

/// Names of topics, and in each further line a pattern, and which of those it matches.
const FACTS: &str = include_str!("facts.txt");

/// What a pattern does, in the words of [`FACTS`].
fn told(pattern: &str, names: &[&str]) -> String {
    let Ok(regex) = compile(pattern) else { return "refused".to_owned() };
    let (matched, others): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| regex.is_match(name.as_bytes()));
    match (matched.len(), others.len()) {
        (0, _) => "none".to_owned(),
        (_, 0) => "all".to_owned(),
        (some, rest) if some > rest => format!("all but {}", others.join(" ")),
        _ => matched.join(" "),
    }
}

#[test]
fn patterns_are_taken_and_match_as_in_kafka() {
    let (names, facts) = FACTS.split_once('\n').unwrap();
    let names: Vec<&str> = names.split(' ').collect();
    let facts: Vec<(&str, &str)> = facts.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert!(facts.len() > 200 && names.len() == 30);
    let wrong = facts.iter().filter(|(pattern, fact)| told(pattern, &names) != *fact);
    let wrong: Vec<_> = wrong.map(|(pattern, fact)| (pattern, fact, told(pattern, &names))).collect();
    assert!(wrong.is_empty(), "pattern, Kafka, here: {wrong:#?}");
}

#[test]
fn capitals_are_lower_case_letters_where_case_is_ignored() {
    // RE2/J forgets all but K and S here; RE2 and its class `[[:lower:]]` do not.
    assert_eq!(told(r"(?i)\p{Ll}", &["a", "A", "K", "1"]), "all but 1");
}

#[test]
fn what_is_read_and_written_of_a_pattern_is_bounded() {
    let is_taken = |pattern: &str| translate(pattern).is_ok();
    // A class of one character, which much is read and little written of.
    let reading = |bytes: usize| format!("[{}]", "a".repeat(bytes - 2));
    assert!(is_taken(&reading(BYTES_MAX)) && !is_taken(&reading(BYTES_MAX + 1)));
    // And one of which little is read.
    let times = BYTES_MAX / translate(r"\W").unwrap().len();
    assert!(is_taken(&r"\W".repeat(times)) && !is_taken(&r"\W".repeat(times + 1)));
    let repeating = |times: usize| format!("a*{}", "(?i)*".repeat(times));
    assert!(is_taken(&repeating(REPEATED_AGAIN_MAX)) && !is_taken(&repeating(REPEATED_AGAIN_MAX + 1)));
}
