//! What is still to be read of a pattern.

/// The rest of a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub rest: &'a str,
    /// How long the rest is at the last `:]`. Looking for it anew at each `[:` would take long where
    /// there is none.
    at_last_name_end: Option<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(pattern: &'a str) -> Self {
        let last = pattern.rfind(":]").and_then(|at| pattern.len().checked_sub(at));
        Self { rest: pattern, at_last_name_end: last }
    }

    /// The next character, which is read with that.
    pub(super) fn pop(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    /// Whether the rest starts so; if it does, that is read.
    pub(super) fn skip(&mut self, prefix: &str) -> bool {
        let behind = self.rest.strip_prefix(prefix);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    /// Reads up to an end, and the end; nothing if it does not come.
    pub(super) fn read_until(&mut self, end: &str) -> Option<&'a str> {
        let (text, behind) = self.rest.split_once(end)?;
        self.rest = behind;
        Some(text)
    }

    /// Reads the name of a class with the `[:` and `:]` around it. In `[:]` there is an empty one.
    pub(super) fn read_name(&mut self) -> Option<&'a str> {
        let end = self.at_last_name_end?;
        let behind = self.rest.strip_prefix('[').filter(|it| it.starts_with(':') && it.len() >= end)?;
        let (name, behind) = behind.split_once(":]")?;
        self.rest = behind;
        Some(name.strip_prefix(':').unwrap_or_default())
    }

    /// Reads a number of bytes; nothing if there are fewer, or they end within a character.
    pub(super) fn read_bytes(&mut self, count: usize) -> Option<&'a str> {
        let (text, behind) = self.rest.split_at_checked(count)?;
        self.rest = behind;
        Some(text)
    }
}
