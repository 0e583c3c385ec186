//! Apache Kafka's own client, by which all others measure themselves.

use crate::client::Client;
use crate::subjects::{holds, subjects};

subjects!(Client::Java);

#[test]
fn a_group_that_the_broker_assigns_to_shares_partitions_and_goes_on_where_it_was() {
    // Members learn of each other with their heartbeats, and of static ones that do not come back.
    let settings = ["group.consumer.heartbeat.interval.ms=200", "group.consumer.session.timeout.ms=3000"];
    holds(Client::Java, "consumer_groups", &settings);
}
