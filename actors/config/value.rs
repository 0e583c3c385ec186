//! The kinds of value that a setting can have, and how each is read from text.

/// What a setting holds, in the classes that Kafka's clients know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A decimal number.
    Double,
    /// Text.
    String,
    /// Texts separated by commas.
    List,
    /// The name of a program part.
    Class,
    /// Text that is never shown.
    Password,
}

/// A value that was read according to its [`Kind`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Kind::Boolean`].
    Boolean(bool),
    /// Of [`Kind::Int`].
    Int(i32),
    /// Of [`Kind::Long`].
    Long(i64),
    /// Of [`Kind::Double`]; always finite.
    Double(f64),
    /// Of [`Kind::String`], [`Kind::Class`] or [`Kind::Password`].
    Text(String),
    /// Of [`Kind::List`]; the empty text is the empty list.
    List(Vec<String>),
}

impl Value {
    /// The number that this is, if it is a whole one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::from(*number)),
            Self::Long(number) => Some(*number),
            Self::Boolean(_) | Self::Double(_) | Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl Kind {
    /// Reads `text`; white space around a value or list element does not count.
    ///
    /// # Errors
    /// The reason why `text` is no value of this kind.
    pub fn read(self, text: &str) -> Result<Value, &'static str> {
        let text = text.trim();
        match self {
            Self::Boolean => read_boolean(text),
            Self::Int => {
                text.parse().map(Value::Int).map_err(|_| "the value must be a whole number of 32 bits (INT)")
            }
            Self::Long => text
                .parse()
                .map(Value::Long)
                .map_err(|_| "the value must be a whole number of 64 bits (LONG)"),
            Self::Double => read_double(text),
            Self::String | Self::Class | Self::Password => Ok(Value::Text(text.to_owned())),
            Self::List => Ok(read_list(text)),
        }
    }
}

fn read_boolean(text: &str) -> Result<Value, &'static str> {
    if text.eq_ignore_ascii_case("true") {
        Ok(Value::Boolean(true))
    } else if text.eq_ignore_ascii_case("false") {
        Ok(Value::Boolean(false))
    } else {
        Err("the value must be either true or false")
    }
}

/// Kafka's users may end a number with Java's `f` or `d`; infinity and "not a number" are refused,
/// since no setting has a use for them.
fn read_double(text: &str) -> Result<Value, &'static str> {
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Value::Double(value)),
        Ok(_) | Err(_) => Err("the value must be a decimal number (DOUBLE)"),
    }
}

fn read_list(text: &str) -> Value {
    if text.is_empty() {
        return Value::List(Vec::new());
    }
    Value::List(text.split(',').map(|element| element.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_signed_and_trimmed() {
        assert_eq!(Kind::Long.read(" 5000 "), Ok(Value::Long(5000)));
        assert_eq!(Kind::Long.read("+5"), Ok(Value::Long(5)));
        assert_eq!(Kind::Int.read("-1"), Ok(Value::Int(-1)));
        for text in ["", "abc", "1.5", "0x10", "1_000", "9223372036854775808"] {
            assert!(Kind::Long.read(text).is_err(), "{text}");
        }
        assert_eq!(Kind::Int.read("2147483647"), Ok(Value::Int(i32::MAX)));
        assert!(Kind::Int.read("2147483648").is_err());
    }

    #[test]
    fn booleans_are_two_words_in_any_case() {
        assert_eq!(Kind::Boolean.read(" TRUE "), Ok(Value::Boolean(true)));
        assert_eq!(Kind::Boolean.read("false"), Ok(Value::Boolean(false)));
        for text in ["yes", "1", ""] {
            assert!(Kind::Boolean.read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn decimal_numbers_are_finite() {
        for text in ["0.5", "5e-1", "0.5f", ".5"] {
            assert_eq!(Kind::Double.read(text), Ok(Value::Double(0.5)), "{text}");
        }
        for text in ["NaN", "inf", "inff", "Infinity", "1e999", "x", "", "f"] {
            assert!(Kind::Double.read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_keep_their_order_and_empty_elements() {
        let list = |texts: &[&str]| Ok(Value::List(texts.iter().map(ToString::to_string).collect()));
        assert_eq!(Kind::List.read(""), list(&[]));
        assert_eq!(Kind::List.read(" "), list(&[]));
        assert_eq!(Kind::List.read("compact , delete"), list(&["compact", "delete"]));
        assert_eq!(Kind::List.read("delete,"), list(&["delete", ""]));
    }
}
