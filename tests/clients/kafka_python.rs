//! kafka-python, the client of most Python tutorials.

use crate::client::Client;
use crate::subjects::subjects;

subjects!(Client::Python);
