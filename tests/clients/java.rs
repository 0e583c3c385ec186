//! Apache Kafka's own client, by which all others measure themselves.

use crate::client::Client;
use crate::subjects::subjects;

subjects!(Client::Java);
