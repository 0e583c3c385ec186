//! The subjects that every client with a program of its own is asked about, as one list of tests.

use crate::client::Client;
use crate::support::broker::{Broker, elsewhere};

/// Settings with which members of a group that the broker assigns to learn soon of each other, and
/// of static ones that do not come back.
pub(crate) const QUICK_GROUPS: [&str; 4] = [
    "group.consumer.heartbeat.interval.ms=200",
    "group.consumer.min.heartbeat.interval.ms=200",
    "group.consumer.session.timeout.ms=3000",
    "group.consumer.min.session.timeout.ms=3000",
];

/// Lets `client` judge `subject` against a broker of its own with `settings`.
pub(crate) fn holds(client: Client, subject: &str, settings: &[&str]) {
    if !client.is_chosen() {
        return;
    }
    if elsewhere().is_some() && !settings.is_empty() {
        eprintln!("left out: {subject} needs a broker with {settings:?}");
        return;
    }
    let broker = Broker::start_with(settings).unwrap();
    let prefix = format!("clients-{client}-{}", std::process::id());
    client.run(&[subject, broker.address(), &prefix]).unwrap();
}

/// The tests of one client. What each subject means in detail stands in the client's program.
macro_rules! subjects {
    ($client:expr) => {
        crate::subjects::subjects! { $client;
            records_are_readable_at_every_level_of_acks: "acks", [];
            every_codec_is_read_back: "codecs", [];
            records_of_one_key_stay_in_one_partition_in_order: "keys", [];
            records_without_a_key_are_spread: "keyless", [];
            headers_come_back_as_sent: "headers", [];
            timestamps_are_the_producers_or_the_logs: "timestamps", [];
            a_null_value_is_not_an_empty_one: "tombstones", [];
            a_record_of_900_kib_passes: "large", [];
            offsets_are_found_by_beginning_end_and_time: "positions", [];
            metadata_names_the_broker_and_its_partitions: "metadata", [];
            topics_are_created_described_grown_and_deleted: "administration", [];
            an_idempotent_producer_leaves_no_gap_and_no_copy: "idempotence", [];
            a_group_shares_partitions_and_goes_on_where_it_was: "groups", [];
            a_topic_comes_by_itself_with_four_partitions: "auto_creation", [];
            an_unknown_topic_is_refused_when_topics_do_not_come_by_themselves:
                "unknown_topic", ["auto.create.topics.enable=false"];
            a_record_above_the_limit_is_refused: "too_large", [];
        }
    };
    ($client:expr; $($name:ident: $subject:literal, [$($setting:literal)?];)*) => {
        $(
            #[test]
            fn $name() {
                crate::subjects::holds($client, $subject, &[$($setting)?]);
            }
        )*
    };
}
pub(crate) use subjects;
