//! How a record is written: a text with fields like `%v` in it.

/// A text with fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Format(Vec<Piece>);

/// A part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// Written as it is.
    Text(String),
    /// `%t`
    Topic,
    /// `%p`
    Partition,
    /// `%o`
    Offset,
    /// `%T`
    Timestamp,
    /// `%k`
    Key,
    /// `%v`, or `%s` as in kcat.
    Value,
    /// `%h`
    Headers,
}

impl Format {
    /// Its parts, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    fn push(&mut self, letter: char) {
        match self.0.last_mut() {
            Some(Piece::Text(text)) => text.push(letter),
            _ => self.0.push(Piece::Text(letter.into())),
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut format = Self(Vec::new());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => match field(letters.next())? {
                    Some(field) => format.0.push(field),
                    None => format.push('%'),
                },
                '\\' => match letters.next() {
                    Some('n') => format.push('\n'),
                    Some('t') => format.push('\t'),
                    Some(other) => format.push(other),
                    None => format.push('\\'),
                },
                letter => format.push(letter),
            }
        }
        Ok(format)
    }
}

/// The field of a letter; none for a percent sign.
fn field(letter: Option<char>) -> Result<Option<Piece>, String> {
    let field = match letter {
        Some('%') => return Ok(None),
        Some('t') => Piece::Topic,
        Some('p') => Piece::Partition,
        Some('o') => Piece::Offset,
        Some('T') => Piece::Timestamp,
        Some('k') => Piece::Key,
        Some('v' | 's') => Piece::Value,
        Some('h') => Piece::Headers,
        other => {
            let other = other.map(String::from).unwrap_or_default();
            return Err(format!(
                "there is no %{other}; write %t, %p, %o, %T, %k, %v, %h, or %% for a percent sign"
            ));
        }
    };
    Ok(Some(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_fields_follow_each_other() {
        let format: Format = r"%p%% a\t\\%v\n".parse().unwrap();
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(format.pieces(), [Piece::Partition, text("% a\t\\"), Piece::Value, text("\n")]);
        assert_eq!("".parse(), Ok(Format(Vec::new())));
    }

    #[test]
    fn a_field_that_is_not_there_is_refused() {
        for (text, told) in [("%q", "no %q;"), ("50%", "no %;"), ("%é", "no %é;")] {
            let problem = text.parse::<Format>().unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
    }
}
