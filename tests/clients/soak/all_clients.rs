//! Every client that there is, all in one group.

use super::{Membership, Soak, is_possible};
use crate::client::Client;

#[test]
fn all_clients_share_a_group_and_take_over_from_each_other_until_one_is_left() {
    // In the order in which they go. The last one commits much at once: it has to read all that is sent.
    let clients =
        [Client::Java, Client::Aiokafka, Client::Node, Client::Confluent, Client::Go, Client::Python];
    if !is_possible(&clients) {
        return;
    }
    let mut soak = Soak::begin(&clients, Membership::Dynamic);
    soak.kill_member(clients[0]);
    for client in &clients[1..5] {
        soak.leave(*client);
    }
    soak.finish();
}
