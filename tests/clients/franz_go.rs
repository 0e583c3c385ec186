//! franz-go, which speaks the newest version of everything.

use crate::client::Client;
use crate::subjects::subjects;

subjects!(Client::Go);
