//! Apache Kafka's own client, by which all others measure themselves.

use crate::client::Client;
use crate::subjects::{QUICK_GROUPS, holds, subjects};

subjects!(Client::Java);

#[test]
fn a_group_that_the_broker_assigns_to_shares_partitions_and_goes_on_where_it_was() {
    holds(Client::Java, "consumer_groups", &QUICK_GROUPS);
}

#[test]
fn a_group_goes_over_to_the_newer_protocol_and_back_while_it_is_read() {
    holds(Client::Java, "migration", &QUICK_GROUPS);
}
