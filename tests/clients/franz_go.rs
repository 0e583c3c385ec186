//! franz-go, which speaks the newest version of everything.

use crate::client::Client;
use crate::subjects::{QUICK_GROUPS, holds, subjects};

subjects!(Client::Go);

#[test]
fn a_group_that_the_broker_assigns_to_shares_partitions_and_goes_on_where_it_was() {
    holds(Client::Go, "consumer_groups", &QUICK_GROUPS);
}
