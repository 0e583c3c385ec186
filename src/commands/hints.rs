//! What is to be done about what a broker refuses.

use anyhow::{Error as Problem, Result, anyhow, ensure};
use callboard_client::Error;
use callboard_protocol::native::Code;
use std::ops::Range;

/// Adds which topic it was about, and what to do.
pub(super) trait AboutTopic<T> {
    fn about_topic(self, name: &str) -> Result<T>;
}

impl<T> AboutTopic<T> for Result<T, Error> {
    fn about_topic(self, name: &str) -> Result<T> {
        self.map_err(|error| match error.code() {
            Some(Code::UNKNOWN_TOPIC) => {
                anyhow!("there is no topic {name}; `callboard topic list` tells which there are")
            }
            Some(Code::TOPIC_EXISTS) => anyhow!(
                "topic {name} already exists; `callboard topic alter {name}` changes it, and \
                 `callboard topic delete {name}` deletes it with its records"
            ),
            Some(Code::INVALID_CONFIG) => Problem::new(error).context(format!(
                "topic {name}; docs/CONFIGURATION.md and `callboard config` tell which settings there are"
            )),
            Some(Code::INVALID_PARTITIONS) => Problem::new(error).context(format!(
                "topic {name}; --partitions takes a number from 1 to that of max.partitions"
            )),
            _ => Problem::new(error).context(format!("topic {name}")),
        })
    }
}

/// The partition of a topic that a command names, or all that it has.
pub(super) fn chosen(topic: &str, count: u32, named: Option<u32>) -> Result<Range<u32>> {
    let Some(named) = named else { return Ok(0..count) };
    ensure!(named < count, "topic {topic} has the partitions 0 to {}", count.saturating_sub(1));
    Ok(named..named + 1)
}

/// Adds which group it was about, and what to do.
pub(super) trait AboutGroup<T> {
    fn about_group(self, name: &str) -> Result<T>;
}

impl<T> AboutGroup<T> for Result<T, Error> {
    fn about_group(self, name: &str) -> Result<T> {
        self.map_err(|error| match error.code() {
            Some(Code::UNKNOWN_GROUP) => {
                anyhow!("there is no group {name}; `callboard group list` tells which there are")
            }
            // The second is what is said to one who commits for a group and is no member.
            Some(Code::GROUP_NOT_EMPTY | Code::UNKNOWN_MEMBER) => has_members(name),
            _ => Problem::new(error).context(format!("group {name}")),
        })
    }
}

/// What keeps a group from being reset or deleted.
pub(super) fn has_members(group: &str) -> Problem {
    anyhow!(
        "group {group} has members, which must be stopped first; `callboard group describe {group}` tells \
         which and where they are"
    )
}
