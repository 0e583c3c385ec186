//! Which figures the command line asks for.

/// The names on the command line.
#[derive(Debug)]
pub struct Wanted(Vec<String>);

impl Wanted {
    /// What is no option; cargo adds options of its own.
    pub fn from_arguments() -> Self {
        Self(std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect())
    }

    /// Whether a name contains one that was given, or none was.
    pub fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|part| name.contains(part.as_str()))
    }
}
