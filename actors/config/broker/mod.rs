//! The one list of the broker's own settings, under Kafka's names where Kafka has the setting.

mod connections;
mod coordination;
mod groups;
mod identity;
mod storage;
mod topic_defaults;

pub(super) use identity::{OFF, read_socket_address};

use super::definition::Definition;

/// All settings of the broker by subject; none is in two.
pub const SUBJECTS: &[&[Definition]] =
    &[identity::ALL, connections::ALL, storage::ALL, coordination::ALL, groups::ALL, topic_defaults::ALL];

/// All settings of the broker, in no order.
pub fn all() -> impl Iterator<Item = &'static Definition> {
    SUBJECTS.iter().flat_map(|subject| subject.iter())
}

/// The setting called `name`, if the broker has it.
pub fn find(name: &str) -> Option<&'static Definition> {
    all().find(|definition| definition.name == name)
}

#[cfg(test)]
mod tests;
