//! confluent-kafka, which is librdkafka, the client below most languages.

use crate::client::Client;
use crate::subjects::{QUICK_GROUPS, holds, subjects};

subjects!(Client::Confluent);

#[test]
fn a_group_that_the_broker_assigns_to_shares_partitions_and_goes_on_where_it_was() {
    holds(Client::Confluent, "consumer_groups", &QUICK_GROUPS);
}
