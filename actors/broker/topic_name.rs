//! Which names a topic may have.

/// Characters of the longest name: it must fit a file name with something behind it.
pub const NAME_CHARACTERS_MAX: usize = 249;

/// The topics that a broker keeps for itself, and that clients see as such.
pub const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// A topic of Kafka's controllers that no client sees.
const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Whether a client cannot create a topic of that name.
pub fn is_reserved(name: &str) -> bool {
    INTERNAL.contains(&name) || name == CLUSTER_METADATA
}

/// Why a name cannot be a topic's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// No characters.
    #[error("Topic name is invalid: the empty string is not allowed")]
    Empty,
    /// A name that means a folder.
    #[error("Topic name is invalid: '{0}' is not allowed")]
    Folder(String),
    /// Longer than [`NAME_CHARACTERS_MAX`].
    #[error("Topic name is invalid: it has {0} characters, {NAME_CHARACTERS_MAX} are allowed")]
    TooLong(usize),
    /// Characters that are not allowed.
    #[error("Topic name is invalid: '{0}' has characters other than ASCII letters, digits, '.', '_' and '-'")]
    Characters(String),
}

/// Checks a topic's name.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(name: &str) -> Result<(), TopicNameError> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if name.is_empty() {
        Err(TopicNameError::Empty)
    } else if name == "." || name == ".." {
        Err(TopicNameError::Folder(name.to_owned()))
    } else if name.chars().count() > NAME_CHARACTERS_MAX {
        Err(TopicNameError::TooLong(name.chars().count()))
    } else if !name.chars().all(is_allowed) {
        Err(TopicNameError::Characters(name.to_owned()))
    } else {
        Ok(())
    }
}

/// A name as metrics have it, which do not tell `.` and `_` apart.
pub fn folded(name: &str) -> String {
    name.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_their_bounds() {
        assert_eq!(check("orders.v1_a-B9"), Ok(()));
        assert_eq!(check("..."), Ok(()));
        assert_eq!(check(&"a".repeat(249)), Ok(()));
        assert_eq!(check(&"a".repeat(250)), Err(TopicNameError::TooLong(250)));
        assert_eq!(check(""), Err(TopicNameError::Empty));
        assert_eq!(check(".."), Err(TopicNameError::Folder("..".into())));
        for name in ["a b", "a/b", "é", "a\0"] {
            assert_eq!(check(name), Err(TopicNameError::Characters(name.into())));
        }
    }
}
