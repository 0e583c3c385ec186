//! What has settings, as a client names it: by the number of its type, and its name.

use callboard_actors::broker::topic_name;
use callboard_protocol::kafka::ErrorCode;

pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const BROKER_LOGGER: i8 = 8;
pub(super) const CLIENT_METRICS: i8 = 16;
pub(super) const GROUP: i8 = 32;

/// The one logger that the broker has, for all its parts.
pub(super) const ROOT_LOGGER: &str = "root";

/// Why a resource is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// Bytes of a message, which may repeat what a client sent.
const MESSAGE_BYTES_MAX: usize = 1024;

/// A message of a length that an answer can have.
pub(super) fn shortened(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    message
}

pub(super) fn invalid(message: impl Into<String>) -> Problem {
    Problem { code: ErrorCode::INVALID_REQUEST, message: message.into() }
}

pub(super) fn check_topic(name: &str) -> Result<(), Problem> {
    topic_name::check(name)
        .map_err(|error| Problem { code: ErrorCode::INVALID_TOPIC_EXCEPTION, message: error.to_string() })
}

pub(super) fn check_group(name: &str) -> Result<(), Problem> {
    if name.is_empty() { Err(invalid("Group name must not be empty")) } else { Ok(()) }
}

/// Whether that is the number of this broker.
///
/// # Errors
/// What `unexpected` makes of another number; a sentence about a `what` that is no number.
pub(super) fn check_number(
    name: &str,
    node_id: i32,
    what: &str,
    unexpected: impl Fn(i32) -> String,
) -> Result<(), Problem> {
    match name.parse::<i32>() {
        // Not in other writings of the number: each resource has one name.
        Ok(id) if id == node_id && name == node_id.to_string() => Ok(()),
        Ok(id) if id == node_id => Err(invalid(format!("{what} id must be written {id}, but it is: {name}"))),
        Ok(id) => Err(invalid(unexpected(id))),
        Err(_) => Err(invalid(format!("{what} id must be an integer, but it is: {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_named_by_its_number() {
        let check = |name| {
            check_number(name, 1, "Broker", |id| format!("not {id}")).map_err(|problem| problem.message)
        };
        assert_eq!(check("1"), Ok(()));
        assert_eq!(check("99"), Err("not 99".to_owned()));
        assert_eq!(check("01"), Err("Broker id must be written 1, but it is: 01".to_owned()));
        assert_eq!(check("abc"), Err("Broker id must be an integer, but it is: abc".to_owned()));
    }
}
