//! aiokafka, the asynchronous client of Python.

use crate::client::Client;
use crate::subjects::holds;

#[test]
fn a_group_shares_partitions_and_goes_on_where_it_was() {
    holds(Client::Aiokafka, "groups", &[]);
}

#[test]
fn repeated_batches_are_stored_once() {
    holds(Client::Aiokafka, "idempotence", &[]);
}
