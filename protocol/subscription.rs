//! What a consumer of the classic group protocol writes about itself: the topics that it subscribes to, and
//! what it has of them.
//!
//! It is for the group's leader, and opaque to the broker, which reads it only to know whether a
//! topic's committed offsets are still of use, and where it assigns in the leader's place. All
//! versions begin as version 0 does.
//!
//! 0 topics · 1 what the consumer has · 2 its generation · 3 its rack.

use bytes::Buf;

/// Partitions by the names of their topics.
pub type NamedPartitions = Vec<(String, Vec<i32>)>;

/// What a consumer writes about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscription {
    /// The topics that it subscribes to.
    pub topics: Vec<String>,
    /// What it has; nothing in versions that do not say it.
    pub owned: NamedPartitions,
    /// The place that it stands in.
    pub rack: Option<String>,
}

/// The topics of a subscription; `None` when the bytes are not one.
pub fn topics(mut bytes: &[u8]) -> Option<Vec<String>> {
    read_version_0(&mut bytes).map(|(_, topics)| topics)
}

/// A whole subscription; `None` when the bytes are not one. A version that is newer than those known
/// is read as the newest of them.
pub fn read(mut bytes: &[u8]) -> Option<Subscription> {
    let (version, topics) = read_version_0(&mut bytes)?;
    let owned = if version >= 1 { read_partitions(&mut bytes)? } else { NamedPartitions::new() };
    if version >= 2 {
        let _generation = bytes.try_get_i32().ok()?;
    }
    let rack = if version >= 3 { read_nullable_text(&mut bytes)? } else { None };
    Some(Subscription { topics, owned, rack })
}

/// The version with which a subscription or an assignment begins; `None` when it is none.
pub fn version(mut bytes: &[u8]) -> Option<i16> {
    read_version(&mut bytes)
}

pub(crate) fn read_version(bytes: &mut &[u8]) -> Option<i16> {
    bytes.try_get_i16().ok().filter(|version| *version >= 0)
}

fn read_version_0(bytes: &mut &[u8]) -> Option<(i16, Vec<String>)> {
    let version = read_version(bytes)?;
    let mut topics = Vec::new();
    for _ in 0..read_count(bytes)? {
        topics.push(read_text(bytes)?);
    }
    // It may be null, and must be there.
    read_user_data(bytes)?;
    Some((version, topics))
}

/// How many elements follow. They are read one by one, so that a count that lies costs nothing.
pub(crate) fn read_count(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(bytes.try_get_i32().ok()?).ok()
}

pub(crate) fn read_partitions(bytes: &mut &[u8]) -> Option<NamedPartitions> {
    let mut all = NamedPartitions::new();
    for _ in 0..read_count(bytes)? {
        let topic = read_text(bytes)?;
        let mut partitions = Vec::new();
        for _ in 0..read_count(bytes)? {
            partitions.push(bytes.try_get_i32().ok()?);
        }
        all.push((topic, partitions));
    }
    Some(all)
}

/// What the user's own program put in; `Some(&[])` for null too.
pub(crate) fn read_user_data<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    match bytes.try_get_i32().ok()? {
        -1 => Some(&[]),
        length => take(bytes, usize::try_from(length).ok()?),
    }
}

fn read_text(bytes: &mut &[u8]) -> Option<String> {
    read_nullable_text(bytes)?
}

#[allow(clippy::option_option, reason = "no text is something else than no bytes")]
fn read_nullable_text(bytes: &mut &[u8]) -> Option<Option<String>> {
    match bytes.try_get_i16().ok()? {
        -1 => Some(None),
        length => {
            let text = String::from_utf8_lossy(take(bytes, usize::try_from(length).ok()?)?);
            // What is not UTF-8 grows when it is read, and no answer could tell it.
            i16::try_from(text.len()).is_ok().then(|| Some(text.into_owned()))
        }
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
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
        assert_eq!(topics(b"\xff\xff\0\0\0\0\0\0\0\0"), None, "no version is negative");
        let grows = [&b"\0\0\0\0\0\x01\x7f\xff"[..], &vec![0xff; 0x7fff], &[0; 4]].concat();
        assert_eq!(topics(&grows), None, "it could not be told");
    }

    #[test]
    fn what_a_consumer_has_and_where_it_is_are_read_from_the_versions_that_say_it() {
        let bytes = b"\0\x03\0\0\0\x01\0\x01a\xff\xff\xff\xff\0\0\0\x01\0\x01a\0\0\0\x02\0\0\0\0\0\0\0\x05\
            \0\0\0\x07\0\x01r";
        let owned = vec![("a".to_owned(), vec![0, 5])];
        let read = read(bytes).unwrap();
        assert_eq!(read, Subscription { topics: vec!["a".to_owned()], owned, rack: Some("r".to_owned()) });
        for end in 0..bytes.len() {
            assert_eq!(super::read(&bytes[..end]), None, "{end}");
        }
        let mut oldest = bytes[..13].to_vec();
        oldest[1] = 0;
        let read = super::read(&oldest).unwrap();
        assert_eq!((read.topics.len(), read.owned.len(), read.rack), (1, 0, None));
        assert_eq!((version(bytes), version(b"\xff\xff"), version(b"\0")), (Some(3), None, None));
    }
}
