//! One row of a table of settings: everything that is known about a setting apart from its value.

use super::error::Invalid;
use super::rule::Rule;
use super::value::{Kind, Value};

/// How much a setting matters to most people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Importance {
    /// Look at it before going live.
    High,
    /// Look at it when something is to be tuned.
    Medium,
    /// Leave it alone.
    Low,
}

/// Whether setting it changes anything yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// It does what its documentation says.
    Works,
    /// It is accepted, kept and shown, and changes nothing.
    NotYet,
}

/// A coarser setting that gives the value when this one is not set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fallback {
    /// The coarser setting.
    pub name: &'static str,
    /// How many of this one's units are one of the coarser one's; a negative value stays -1.
    pub factor: i64,
}

/// One setting of a topic or of the broker.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Lower-case words with dots between them; Kafka's name where Kafka has the setting.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The text of its default; `None` when it is then decided elsewhere.
    pub default: Option<&'static str>,
    /// What its value must keep.
    pub rule: Rule,
    /// How much it matters.
    pub importance: Importance,
    /// One or two sentences for its user.
    pub documentation: &'static str,
    /// For a topic's setting: the broker's that gives the value when the topic does not.
    pub broker_synonym: Option<&'static str>,
    /// For a broker's setting without a default: where else its value may come from, in order.
    pub fallbacks: &'static [Fallback],
    /// Whether setting it changes anything yet.
    pub effect: Effect,
    /// Whether it can only be set before the broker starts.
    pub read_only: bool,
    /// Whether its value must not be shown.
    pub sensitive: bool,
}

impl Definition {
    /// A setting of medium importance that works, with any value of its kind.
    pub const fn new(name: &'static str, kind: Kind, default: &'static str) -> Self {
        Self {
            name,
            kind,
            default: Some(default),
            rule: Rule::Any,
            importance: Importance::Medium,
            documentation: "",
            broker_synonym: None,
            fallbacks: &[],
            effect: Effect::Works,
            read_only: false,
            sensitive: matches!(kind, Kind::Password),
        }
    }

    /// Gives it a rule.
    pub const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// Gives it its importance.
    pub const fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// Gives it its sentences.
    pub const fn documentation(mut self, documentation: &'static str) -> Self {
        self.documentation = documentation;
        self
    }

    /// Names the broker's setting that stands behind this setting of a topic.
    pub const fn synonym(mut self, broker: &'static str) -> Self {
        self.broker_synonym = Some(broker);
        self
    }

    /// Takes the default away; the fallbacks decide when it is not set.
    pub const fn unset(mut self, fallbacks: &'static [Fallback]) -> Self {
        self.default = None;
        self.fallbacks = fallbacks;
        self
    }

    /// Says that it changes nothing yet.
    pub const fn not_yet(mut self) -> Self {
        self.effect = Effect::NotYet;
        self
    }

    /// Says that it can only be set before the broker starts.
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The broker's setting behind this setting of a topic: the same under another name.
    pub const fn for_broker(mut self, name: &'static str) -> Self {
        self.name = name;
        self.broker_synonym = None;
        self
    }

    /// Reads `text` as a value of this setting.
    ///
    /// # Errors
    /// `text` is not of the setting's kind, or breaks its rule.
    pub fn parse(&self, text: &str) -> Result<Value, Invalid> {
        let value = self.kind.read(text).map_err(|reason| self.invalid(text, reason))?;
        self.rule.check(&value).map_err(|reason| self.invalid(text, reason))?;
        Ok(value)
    }

    fn invalid(&self, text: &str, reason: impl Into<String>) -> Invalid {
        let value = if self.sensitive { "[hidden]" } else { text };
        Invalid { name: self.name, value: value.to_owned(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: Definition = Definition::new("num.partitions", Kind::Int, "4").rule(Rule::AtLeast(1));

    #[test]
    fn a_value_is_read_and_held_to_the_rule() {
        assert_eq!(COUNT.parse(" 8 "), Ok(Value::Int(8)));
        assert_eq!(
            COUNT.parse("0").unwrap_err().to_string(),
            "Invalid value 0 for configuration num.partitions: the value must be at least 1"
        );
        assert_eq!(
            COUNT.parse("eight").unwrap_err().to_string(),
            "Invalid value eight for configuration num.partitions: \
             the value must be a whole number of 32 bits (INT)"
        );
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let secret =
            Definition::new("a.password", Kind::Password, "").rule(Rule::Check(|_| Err("too short")));
        let said = secret.parse("hunter2").unwrap_err().to_string();
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn the_brokers_twin_differs_in_its_name_only() {
        let topic = Definition::new("retention.bytes", Kind::Long, "-1").synonym("log.retention.bytes");
        let broker = topic.for_broker("log.retention.bytes");
        assert_eq!(broker.name, "log.retention.bytes");
        assert_eq!(broker.broker_synonym, None);
        assert_eq!(broker.default, topic.default);
    }
}
