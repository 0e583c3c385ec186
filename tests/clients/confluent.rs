//! confluent-kafka, which is librdkafka, the client below most languages.

use crate::client::Client;
use crate::subjects::subjects;

subjects!(Client::Confluent);
