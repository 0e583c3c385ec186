//! Scan: the rows that a starting actor begins with.

use super::Committer;
use crate::mail::Unavailable;
use actix::{Context, Handler, Message};
use callboard_storage::index::Row;
use callboard_storage::keys::Table;
use tokio::sync::oneshot;

/// Asks for rows by the beginnings of their keys. The answer holds all that was sent to the committer
/// before, also by an actor of the same name that died.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Scan {
    /// Tables, and what the keys begin with.
    pub prefixes: Vec<(Table, Vec<u8>)>,
    /// The rows for each, once all that came before is applied.
    pub reply: oneshot::Sender<Result<Vec<Vec<Row>>, Unavailable>>,
}

impl Handler<Scan> for Committer {
    type Result = ();

    fn handle(&mut self, message: Scan, ctx: &mut Context<Self>) {
        self.pending.scan(message);
        self.gather(ctx);
    }
}
