//! Clients that produce without numbering their batches, with any acknowledgement.

use crate::log::{Place, is_failure};
use crate::world::{Client, Over};
use bytes::Bytes;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};

/// Asks for what is synced.
pub(crate) const ALL: i16 = -1;
/// The version that names topics by their ids.
pub(crate) const VERSION: i16 = 13;

/// Produces until it is over.
pub(crate) async fn run(client: Client) -> Result<(), Over> {
    loop {
        client.pause().await;
        let topics = client.world().topics.all();
        if topics.is_empty() {
            client.let_pass(std::time::Duration::from_millis(1)).await;
            continue;
        }
        let (_, id, partitions) = topics[client.below(topics.len())].clone();
        let place = (id, client.below(partitions as usize) as i32);
        let acks = [ALL, ALL, 1, 0][client.below(4)];
        produce(&client, place, acks).await?;
    }
}

async fn produce(client: &Client, place: Place, acks: i16) -> Result<(), Over> {
    let (number, bytes, behind) = {
        let count = 1 + client.below(4) as i32;
        let mut world = client.world();
        let (number, bytes) = world.logs.send(place, count, None);
        (number, bytes, world.logs.end(place))
    };
    let request = request(place, acks, bytes);
    if acks == 0 {
        // It is not answered, whatever becomes of it; when it failed, the connection is closed.
        client.door.call::<_, ProduceResponse>(VERSION, &request).await;
        return Ok(());
    }
    let answer: ProduceResponse = client.ask(VERSION, &request).await?;
    let answer = outcome(&answer);
    if is_gone(client, place, answer.error_code) {
        // It may have been on its way into the log when the topic was deleted.
        return Ok(());
    }
    if is_going(client, place, answer.error_code) {
        return Ok(());
    }
    assert!(client.check(answer.error_code)?, "{place:?}: {answer:?}");
    client.world().logs.acknowledged(number, answer.base_offset, behind, acks == ALL);
    Ok(())
}

pub(crate) fn request(place: Place, acks: i16, batch: Bytes) -> ProduceRequest {
    let (topic_id, index) = place;
    let partition_data = vec![PartitionProduceData { index, records: Some(batch.into()) }];
    let topic_data = vec![TopicProduceData { topic_id, partition_data, ..Default::default() }];
    ProduceRequest { acks, timeout_ms: 30_000, topic_data, ..Default::default() }
}

pub(crate) fn outcome(answer: &ProduceResponse) -> &PartitionProduceResponse {
    &answer.responses[0].partition_responses[0]
}

/// Whether a code says, rightly, that the topic is gone.
pub(crate) fn is_gone(client: &Client, place: Place, code: ErrorCode) -> bool {
    let is_gone = [ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ErrorCode::UNKNOWN_TOPIC_ID].contains(&code);
    assert!(!is_gone || client.world().topics.may_be_gone(place.0), "{place:?} is there, and {code:?}");
    is_gone
}

/// Whether a code says that a partition's actor ended before it answered, the topic being deleted.
pub(crate) fn is_going(client: &Client, place: Place, code: ErrorCode) -> bool {
    is_failure(code) && client.world().topics.may_be_gone(place.0)
}
