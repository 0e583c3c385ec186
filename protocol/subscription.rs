//! What a consumer of the classic group protocol writes about itself: the topics that it subscribes to.
//!
//! It is for the group's leader, and opaque to the broker, which reads it only to know whether a
//! topic's committed offsets are still of use. All versions begin as version 0 does.

use bytes::Buf;

/// The topics of a subscription; `None` when the bytes are not one.
pub fn topics(mut bytes: &[u8]) -> Option<Vec<String>> {
    let _version = bytes.try_get_i16().ok()?;
    let count = usize::try_from(bytes.try_get_i32().ok()?).ok()?;
    let mut topics = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        topics.push(String::from_utf8_lossy(name).into_owned());
        bytes = rest;
    }
    // The user's data comes next; it may be null, and must be there.
    let length = bytes.try_get_i32().ok()?;
    let is_whole = usize::try_from(length).map_or(length == -1, |length| length <= bytes.len());
    is_whole.then_some(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"\0\x03\0\0\0\x02\0\x01a\0\x02bc\xff\xff\xff\xffand more";

    #[test]
    fn topics_are_read_from_any_version() {
        assert_eq!(topics(TWO), Some(vec!["a".to_owned(), "bc".to_owned()]));
        assert_eq!(topics(b"\0\0\0\0\0\0\0\0\0\0"), Some(Vec::new()));
    }

    #[test]
    fn what_ends_early_or_lies_about_lengths_is_no_subscription() {
        for end in 0..TWO.len() - b"and more".len() {
            assert_eq!(topics(&TWO[..end]), None, "{end}");
        }
        assert_eq!(topics(b"\0\0\x7f\xff\xff\xff"), None);
        assert_eq!(topics(b"\0\0\xff\xff\xff\xff\0\0\0\0"), None);
        assert_eq!(topics(b"\0\0\0\0\0\0\0\0\0\x01"), None, "the user's data is cut");
    }
}
