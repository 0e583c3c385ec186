//! A client of one broker, from which producers, consumers and administration are made.

use crate::admin::Admin;
use crate::consumer::ConsumerBuilder;
use crate::error::Error;
use crate::producer::ProducerBuilder;
use crate::topics::Topics;
use crate::transport::tcp::Tcp;
use crate::transport::{InProcess, Transport, ask, one};
use callboard_protocol::native::read::{IsolationLevel, ListOffsets, OffsetWanted, Position, TimedOffset};
use callboard_protocol::native::{Operation, TopicPartition};
use std::sync::Arc;

/// What a client calls itself where its program does not say.
const CLIENT_ID: &str = "callboard-client";

/// A client of one broker. Clones share its connection; any thread may use them.
///
/// It needs a running tokio runtime, which an actix system has. There is no state beside it.
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    transport: Arc<dyn Transport>,
    topics: Topics,
}

impl Client {
    /// Connects to a broker's native port, `host:port`. Dropping the future gives the connection up.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the address is none, [`Error::Unresolved`] when its name does not resolve,
    /// [`Error::Disconnected`] when nobody listens there, [`Error::TimedOut`] after 10 s,
    /// [`Error::Refused`] when the broker speaks no common version. A connection that is lost later is
    /// made again when it is needed.
    pub async fn connect(address: impl AsRef<str>) -> Result<Self, Error> {
        Self::connect_as(address, CLIENT_ID).await
    }

    /// Connects as [`Client::connect`] does, under a name that the broker shows beside the client's
    /// groups and in its log. Dropping the future gives the connection up.
    ///
    /// # Errors
    /// As for [`Client::connect`].
    pub async fn connect_as(address: impl AsRef<str>, client_id: &str) -> Result<Self, Error> {
        Ok(Self::over(Arc::new(Tcp::connect(address.as_ref(), client_id).await?)))
    }

    /// A client of a broker in the same program: no socket, and records by reference.
    pub fn in_process(broker: &impl InProcess) -> Self {
        Self::over(broker.transport(CLIENT_ID))
    }

    /// A client over any way to a broker.
    pub fn over(transport: Arc<dyn Transport>) -> Self {
        Self(Arc::new(Shared { topics: Topics::new(Arc::clone(&transport)), transport }))
    }

    /// A producer with all settings at their defaults.
    pub fn producer(&self) -> crate::producer::Producer {
        self.producer_builder().build()
    }

    /// A producer that is to be set up.
    pub fn producer_builder(&self) -> ProducerBuilder {
        ProducerBuilder::new(self.clone())
    }

    /// A consumer that is to be set up.
    pub fn consumer(&self) -> ConsumerBuilder {
        ConsumerBuilder::new(self.clone())
    }

    /// Topics, settings and groups: looking after a broker.
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }

    pub(crate) fn topics(&self) -> &Topics {
        &self.0.topics
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.0.transport
    }

    /// An offset of a partition; none when no record has such a time.
    pub(crate) async fn offset(
        &self,
        partition: TopicPartition,
        position: Position,
        isolation: IsolationLevel,
    ) -> Result<Option<TimedOffset>, Error> {
        let wanted = vec![OffsetWanted { partition, position }];
        let listed = self.ask(ListOffsets { wanted, isolation }).await?;
        Ok(one(listed.outcomes)??)
    }

    pub(crate) async fn ask<O: Operation>(&self, operation: O) -> Result<O::Answer, Error> {
        ask(&*self.0.transport, operation).await
    }
}
