//! Snapshots: several readings of keyspaces, all as of one moment.

use crate::broker::Broker;
use crate::keyspace::{Entry, Keyspace, KeyspaceError, Unavailable, Versioned};
use callboard_actors::broker::program_rows::ProgramSnapshot;
use callboard_client::codec::Codec;
use std::ops::RangeFrom;

/// All keyspaces of a broker as they are at one moment. Clones are the same moment.
///
/// What units do later is not in it, so what is read one after the other fits together, over any
/// keyspaces. A unit that changes what was read [expects](crate::Unit::expect) the versions that the
/// snapshot gave, and is refused when one has changed since.
///
/// Taking one costs nothing that grows with the tables. While it is held, compaction keeps the rows that
/// are replaced or removed after its moment, so that a snapshot that is kept for long makes the database
/// grow with every write: hold it as long as a request, not as long as the program. It goes when its last
/// clone is dropped, and does not outlive its broker: once that has stopped, reading it is answered
/// [`KeyspaceError::Unavailable`].
///
/// ```
/// # use callboard::client::codec::Text;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let test = callboard::testing::TestBroker::start().await?;
/// # let broker = test.broker();
/// let (names, places) = (broker.keyspace("names", Text)?, broker.keyspace("places", Text)?);
/// let snapshot = broker.snapshot().await?;
/// let name = snapshot.get(&names, "ada").await?;
/// // Whatever was written between, this belongs to that name.
/// let place = snapshot.get(&places, "ada").await?;
/// # assert!(name.is_none() && place.is_none());
/// # test.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Snapshot(ProgramSnapshot);

impl Broker {
    /// The keyspaces as they are now: with every unit whose commit was answered, and of no unit a part.
    ///
    /// Dropping the future takes no snapshot.
    ///
    /// # Errors
    /// [`Unavailable`] when the broker stops.
    pub async fn snapshot(&self) -> Result<Snapshot, Unavailable> {
        Ok(Snapshot(self.actors().program_snapshot().await?))
    }
}

impl Snapshot {
    /// The value that a key had; none when it had none. The keyspace must be of the broker that the
    /// snapshot is of. Cancel safe.
    ///
    /// # Errors
    /// [`KeyspaceError`].
    pub async fn get<C: Codec>(
        &self,
        keyspace: &Keyspace<C>,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<Versioned<C::Out>>, KeyspaceError<C::Error>> {
        let row = self.0.row(keyspace.name(), key.as_ref()).await?;
        row.map(|row| keyspace.value(row)).transpose()
    }

    /// At most so many values from a key on, in the order of the keys; all of them are in memory at once.
    /// To go on, begin behind the last key: at that key with a zero byte after it. Cancel safe.
    ///
    /// # Errors
    /// [`KeyspaceError`], also when one of the values cannot be decoded.
    pub async fn range<C: Codec>(
        &self,
        keyspace: &Keyspace<C>,
        from: RangeFrom<impl AsRef<[u8]>>,
        count_max: usize,
    ) -> Result<Vec<Entry<C>>, KeyspaceError<C::Error>> {
        let rows = self.0.rows(keyspace.name(), from.start.as_ref(), count_max).await?;
        keyspace.values(rows)
    }
}
