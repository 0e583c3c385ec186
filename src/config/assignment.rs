//! One setting that somebody gave a value, checked by itself.

use callboard_actors::config::{Definition, Source, Values, broker};

use super::error::LoadError;
use super::nearest::nearest;

/// A value that was given to a setting, and where.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The setting.
    pub definition: &'static Definition,
    /// The value as text.
    pub text: String,
    /// Where it was given.
    pub source: Source,
}

impl Assignment {
    /// Checks that `definition` can have the value `text`.
    pub(super) fn check(
        definition: &'static Definition,
        text: String,
        source: Source,
    ) -> Result<Self, LoadError> {
        Values::default().set(definition.name, &text, source.clone())?;
        Ok(Self { definition, text, source })
    }
}

/// The setting called `key`; an error that names the nearest one when there is none.
pub(super) fn find(key: &str, source: &Source) -> Result<&'static Definition, LoadError> {
    let unknown = || LoadError::UnknownKey {
        key: key.to_owned(),
        origin: source.clone(),
        nearest: nearest(key).to_owned(),
    };
    broker::find(key).ok_or_else(unknown)
}
