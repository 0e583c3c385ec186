//! The rules that a setting's value must keep beyond being of the right kind.

use super::value::Value;

/// A condition on a value that was already read according to its kind.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Every value will do.
    Any,
    /// A whole number, this or more.
    AtLeast(i64),
    /// A whole number from the first to the second, both included.
    Between(i64, i64),
    /// A whole number from the first to the second, or the third.
    BetweenOr(i64, i64, i64),
    /// A decimal number from 0 to 1, both included.
    Ratio,
    /// One of these words, in exactly this case.
    OneOf(&'static [&'static str]),
    /// A list of these words; it may be empty, its elements may not.
    ListOf(&'static [&'static str]),
    /// Anything that this function has nothing against; it says why it does.
    Check(fn(&Value) -> Result<(), &'static str>),
}

impl Rule {
    /// Says whether `value` keeps the rule.
    ///
    /// # Errors
    /// The reason why it does not. A value of a kind that the rule is not made for breaks it.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match *self {
            Self::Any => Ok(()),
            Self::AtLeast(least) => at_least(least, value),
            Self::Between(least, most) => between(least, most, value),
            Self::BetweenOr(least, most, also) => {
                if value.number() == Some(also) {
                    return Ok(());
                }
                between(least, most, value).map_err(|reason| format!("{reason}, or {also}"))
            }
            Self::Ratio => match value {
                Value::Double(ratio) if (0.0..=1.0).contains(ratio) => Ok(()),
                Value::Double(_)
                | Value::Boolean(_)
                | Value::Int(_)
                | Value::Long(_)
                | Value::Text(_)
                | Value::List(_) => Err("the value must be between 0 and 1".to_owned()),
            },
            Self::OneOf(words) => one_of(words, value),
            Self::ListOf(words) => list_of(words, value),
            Self::Check(check) => check(value).map_err(str::to_owned),
        }
    }
}

fn at_least(least: i64, value: &Value) -> Result<(), String> {
    if value.number().is_some_and(|number| number >= least) {
        return Ok(());
    }
    Err(format!("the value must be at least {least}"))
}

fn between(least: i64, most: i64, value: &Value) -> Result<(), String> {
    if most == i64::MAX {
        return at_least(least, value);
    }
    if value.number().is_some_and(|number| (least..=most).contains(&number)) {
        return Ok(());
    }
    Err(format!("the value must be between {least} and {most}"))
}

fn one_of(words: &[&str], value: &Value) -> Result<(), String> {
    if matches!(value, Value::Text(text) if words.contains(&text.as_str())) {
        return Ok(());
    }
    Err(format!("the value must be one of: {}", words.join(", ")))
}

fn list_of(words: &[&str], value: &Value) -> Result<(), String> {
    let known = |element: &String| words.contains(&element.as_str());
    if matches!(value, Value::List(list) if list.iter().all(known)) {
        return Ok(());
    }
    Err(format!("the value must be a list of these words without empty elements: {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps(rule: Rule, value: &Value) -> bool {
        rule.check(value).is_ok()
    }

    fn list(text: &str) -> Value {
        super::super::value::Kind::List.read(text).unwrap()
    }

    #[test]
    fn numbers_are_held_at_both_bounds() {
        assert!(keeps(Rule::AtLeast(1), &Value::Int(1)));
        assert!(!keeps(Rule::AtLeast(1), &Value::Long(0)));
        assert!(keeps(Rule::Between(1, 17), &Value::Int(17)));
        assert!(!keeps(Rule::Between(1, 17), &Value::Int(18)));
        assert!(!keeps(Rule::Between(1, 17), &Value::Int(0)));
        assert!(keeps(Rule::BetweenOr(1, 9, -1), &Value::Int(-1)));
        assert!(!keeps(Rule::BetweenOr(1, 9, -1), &Value::Int(0)));
        assert!(!keeps(Rule::BetweenOr(1, 9, -1), &Value::Int(10)));
    }

    #[test]
    fn a_ratio_is_between_nothing_and_all() {
        assert!(keeps(Rule::Ratio, &Value::Double(1.0)));
        assert!(keeps(Rule::Ratio, &Value::Double(0.0)));
        assert!(!keeps(Rule::Ratio, &Value::Double(1.1)));
        assert!(!keeps(Rule::Ratio, &Value::Double(-0.1)));
    }

    #[test]
    fn words_are_compared_with_their_case() {
        let rule = Rule::OneOf(&["gzip", "zstd"]);
        assert!(keeps(rule, &Value::Text("gzip".to_owned())));
        assert!(!keeps(rule, &Value::Text("GZIP".to_owned())));
        assert!(!keeps(rule, &Value::Text(String::new())));
    }

    #[test]
    fn lists_may_be_empty_and_repeat_but_hold_no_empty_element() {
        let rule = Rule::ListOf(&["compact", "delete"]);
        assert!(keeps(rule, &list("")));
        assert!(keeps(rule, &list("delete,delete")));
        for text in ["delete,", ",delete", "compact,,delete", "Delete"] {
            assert!(!keeps(rule, &list(text)), "{text}");
        }
    }

    #[test]
    fn a_reason_names_the_bound() {
        let reason = Rule::AtLeast(1_048_576).check(&Value::Int(100));
        assert_eq!(reason, Err("the value must be at least 1048576".to_owned()));
    }

    #[test]
    fn a_function_says_why() {
        let rule = Rule::Check(|_| Err("never"));
        assert_eq!(rule.check(&Value::Boolean(true)), Err("never".to_owned()));
    }
}
