//! What clients configured while the broker ran, beside topics.

use std::sync::Arc;

use super::alteration::Texts;
use super::error::ConfigError;
use super::group::GroupConfig;
use super::values::{Source, Values};
use crate::names::GroupId;

/// What was said for all brokers, for this one, and for groups.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// For all brokers.
    pub cluster: Texts,
    /// For this broker; it counts before what is said for all.
    pub node: Texts,
    /// For groups; those of which nothing is said are not there.
    pub groups: imbl::OrdMap<GroupId, Arc<GroupConfig>>,
}

impl Overrides {
    /// Puts what was said for brokers on top of what was set before the start.
    ///
    /// # Errors
    /// A setting that the broker does not have, or a value that it cannot have.
    pub(super) fn apply_to(&self, values: &mut Values) -> Result<(), ConfigError> {
        for (name, text) in &self.cluster {
            values.set(name, text, Source::Cluster)?;
        }
        for (name, text) in &self.node {
            values.set(name, text, Source::Node)?;
        }
        Ok(())
    }
}
