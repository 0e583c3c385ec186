//! kafkajs, whose consumers need groups: it reads by the request layer below them.

use crate::client::Client;
use crate::subjects::subjects;

subjects!(Client::Node);
