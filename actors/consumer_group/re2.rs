//! Patterns in the syntax of RE2, written anew for the `regex` crate with the same meaning.
//!
//! Kafka compiles patterns with RE2/J. The `regex` crate takes patterns that RE2 refuses, refuses some that
//! it takes, and reads others differently (`[a&&b]`), so nothing of a pattern reaches it unread. What is
//! written is for names of topics: they are ASCII and have no line breaks. So all classes are written
//! out as bytes, and of the flags only `i` says something, which is written out too.
//!
//! <https://github.com/google/re2/wiki/Syntax>

mod class;
mod escape;
mod source;
#[cfg(test)]
mod tests;

use class::Class;
use escape::Escape;
use source::Source;
use std::collections::HashSet;

/// Bytes that are read and written at most: more of them compile to more than is taken.
const BYTES_MAX: usize = 128 << 10;
/// How often a pattern may repeat what is repeated already: each is one more level of brackets.
const REPEATED_AGAIN_MAX: usize = 200;
/// The largest bound of `{n,m}`.
const REPEAT_MAX: u32 = 1_000;

/// Why a pattern is none of RE2, in a few words.
type Refusal = &'static str;

/// Writes a pattern of RE2 for `regex::bytes` without Unicode.
///
/// # Errors
/// What is wrong with it, in a few words.
pub(super) fn translate(pattern: &str) -> Result<String, &'static str> {
    if pattern.len() > BYTES_MAX {
        return Err("it is too long");
    }
    let mut translation = Translation::of(pattern);
    while let Some(next) = translation.source.pop() {
        translation.read(next)?;
        if translation.written.len() > BYTES_MAX {
            return Err("it is too long");
        }
    }
    if translation.groups.is_empty() { Ok(translation.written) } else { Err("a bracket is not closed") }
}

/// How far a pattern is read, and what is written of it.
#[derive(Debug)]
struct Translation<'a> {
    source: Source<'a>,
    written: String,
    is_folded: bool,
    groups: Vec<Group>,
    names: HashSet<&'a str>,
    /// What an operator would repeat, unless there is nothing before it.
    atom: Option<Atom>,
    /// Whether the piece just read is an operator, behind which none may be.
    is_behind_operator: bool,
    repeated_again: usize,
}

/// A group that is open.
#[derive(Debug)]
struct Group {
    start: usize,
    /// Whether case is ignored behind it.
    is_folded: bool,
}

#[derive(Debug, Clone, Copy)]
struct Atom {
    start: usize,
    is_repeated: bool,
}

impl<'a> Translation<'a> {
    fn of(pattern: &'a str) -> Self {
        Self {
            source: Source::new(pattern),
            written: String::new(),
            is_folded: false,
            groups: Vec::new(),
            names: HashSet::new(),
            atom: None,
            is_behind_operator: false,
            repeated_again: 0,
        }
    }

    fn read(&mut self, next: char) -> Result<(), Refusal> {
        let was_behind_operator = std::mem::take(&mut self.is_behind_operator);
        match next {
            '(' if self.source.skip("?") => self.read_flags()?,
            '(' => self.open(self.is_folded),
            ')' => self.close()?,
            '|' => {
                self.written.push('|');
                self.atom = None;
            }
            '^' => self.put("^"),
            '$' => self.put("$"),
            '.' => self.put("."),
            '*' => self.repeat("*", was_behind_operator)?,
            '+' => self.repeat("+", was_behind_operator)?,
            '?' => self.repeat("?", was_behind_operator)?,
            '{' => match self.read_bounds()? {
                Some(bounds) => self.repeat(bounds, was_behind_operator)?,
                None => {
                    self.put_literal('{');
                    // Nor does RE2/J take an operator behind a bracket that stands for itself.
                    self.is_behind_operator = true;
                }
            },
            '[' => {
                let class = class::read(&mut self.source, self.is_folded)?;
                self.put_class(class);
            }
            '\\' => match escape::read(&mut self.source, self.is_folded)? {
                Escape::Character(code) => self.put_class(Class::of(code, code, self.is_folded)),
                Escape::Class(class) => self.put_class(class),
                Escape::Place(text) => self.put(text),
                Escape::Quote(text) => text.chars().for_each(|character| self.put_literal(character)),
            },
            _ => self.put_literal(next),
        }
        Ok(())
    }

    fn put(&mut self, atom: &str) {
        self.atom = Some(Atom { start: self.written.len(), is_repeated: false });
        self.written.push_str(atom);
    }

    fn put_class(&mut self, class: Class) {
        self.put(&class.to_string());
    }

    fn put_literal(&mut self, character: char) {
        self.put_class(Class::of(character.into(), character.into(), self.is_folded));
    }

    /// Opens a group; the one that is open now ignores case behind it as it does now.
    fn open(&mut self, is_folded: bool) {
        self.groups.push(Group { start: self.written.len(), is_folded: self.is_folded });
        self.is_folded = is_folded;
        self.written.push_str("(?:");
        self.atom = None;
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let Group { start, is_folded } = self.groups.pop().ok_or("a bracket is closed that is not open")?;
        self.is_folded = is_folded;
        self.written.push(')');
        self.atom = Some(Atom { start, is_repeated: false });
        Ok(())
    }

    /// Reads what is behind `(?`: a name, flags, or both a group and its flags.
    fn read_flags(&mut self) -> Result<(), Refusal> {
        if self.source.skip("P<") || self.source.skip("<") {
            let name = self.source.read_until(">").ok_or("a group's name does not end")?;
            let is_name = name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
            if name.is_empty() || !is_name || !self.names.insert(name) {
                return Err("a group's name is none, or there twice");
            }
            self.open(self.is_folded);
            return Ok(());
        }
        let mut is_folded = self.is_folded;
        let (mut is_negative, mut has_flags) = (false, false);
        while let Some(flag) = self.source.pop() {
            match flag {
                'i' => is_folded = !is_negative,
                // Of line breaks, and of how much is matched when not all must be.
                'm' | 's' | 'U' => {}
                '-' if !is_negative => {
                    (is_negative, has_flags) = (true, false);
                    continue;
                }
                ':' | ')' if is_negative && !has_flags => break,
                ':' => {
                    self.open(is_folded);
                    return Ok(());
                }
                ')' => {
                    self.is_folded = is_folded;
                    return Ok(());
                }
                _ => break,
            }
            has_flags = true;
        }
        Err("behind `(?` there are unknown flags")
    }

    /// Reads what is behind `{`. It stands for itself unless bounds are there.
    fn read_bounds(&mut self) -> Result<Option<&'a str>, Refusal> {
        let rest = self.source.rest;
        let length = rest.find(|it: char| it != ',' && !it.is_ascii_digit()).unwrap_or(rest.len());
        let Some((bounds, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let Some(rest) = rest.strip_prefix('}') else { return Ok(None) };
        let (min, max) = bounds.split_once(',').unwrap_or((bounds, bounds));
        if !is_number(min) || !(max.is_empty() || is_number(max)) {
            return Ok(None);
        }
        let value = |text: &str| text.parse::<u32>().ok().filter(|value| *value <= REPEAT_MAX);
        let min = value(min).ok_or("a bound is too large")?;
        if !max.is_empty() && value(max).is_none_or(|max| max < min) {
            return Err("a bound is too large, or the second is below the first");
        }
        self.source.rest = rest;
        Ok(Some(bounds))
    }

    /// Writes an operator. Whether it is greedy says nothing where a whole name must match.
    fn repeat(&mut self, operator: &str, is_behind_operator: bool) -> Result<(), Refusal> {
        self.source.skip("?");
        self.is_behind_operator = true;
        let Some(atom) = self.atom.as_mut().filter(|_| !is_behind_operator) else {
            return Err("an operator has nothing to repeat");
        };
        if std::mem::replace(&mut atom.is_repeated, true) {
            // Flags are between the two. Without brackets the second could be read as a lazy first.
            self.repeated_again += 1;
            self.written.insert_str(atom.start, "(?:");
            self.written.push(')');
        }
        match operator {
            "*" | "+" | "?" => self.written.push_str(operator),
            bounds => self.written.extend(["{", bounds, "}"]),
        }
        if self.repeated_again > REPEATED_AGAIN_MAX { Err("it repeats too much again") } else { Ok(()) }
    }
}

/// Whether a text is a number without leading zeros.
fn is_number(text: &str) -> bool {
    let has_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    has_digits && (text == "0" || !text.starts_with('0'))
}
