//! Clients that read: what they get is what was sent, once, without a hole, and stays.

use crate::batch::stored;
use crate::log::{Place, is_failure};
use crate::producer::{is_going, is_gone};
use crate::world::{Client, Over};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use callboard_protocol::kafka::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use std::time::Duration;

/// ListOffsets' time for the end of a log.
const LATEST: i64 = -1;
/// An offset behind all that a seed writes.
const FAR: i64 = 1_000_000;

/// Reads until it is over.
pub(crate) async fn run(client: Client) -> Result<(), Over> {
    loop {
        client.pause().await;
        let topics = client.world().topics.all();
        if topics.is_empty() {
            client.let_pass(Duration::from_millis(1)).await;
            continue;
        }
        let (_, id, partitions) = topics[client.below(topics.len())].clone();
        let place = (id, client.below(partitions as usize) as i32);
        let end = client.world().logs.durable_end(place);
        match client.below(8) {
            0 => out_of_range(&client, place).await?,
            1 => list_offsets(&client).await?,
            2 => drop(fetch(&client, place, end, [0, 20, 500][client.below(3)]).await?),
            _ => {
                let from = client.below(end as usize + 1) as i64;
                fetch(&client, place, from, 0).await?;
            }
        }
    }
}

/// Reads all that there is: it is all that must be there.
pub(crate) async fn read_all(client: &Client) -> Result<(), Over> {
    let topics = client.world().topics.all();
    for (_, id, partitions) in topics {
        for partition in 0..partitions {
            let mut from = 0;
            while let Some(next) = fetch(client, (id, partition), from, 0).await?.filter(|next| *next > from)
            {
                from = next;
            }
            let end = client.world().logs.durable_end((id, partition));
            assert_eq!(from, end, "partition {partition} of {id} ends before what must be there");
        }
    }
    Ok(())
}

/// Reads from an offset on. Answers the offset behind, or nothing when the topic is gone.
async fn fetch(client: &Client, place: Place, from: i64, wait_ms: i32) -> Result<Option<i64>, Over> {
    let must_end = client.world().logs.durable_end(place);
    let answer: FetchResponse = client.ask(17, &request(place, from, wait_ms)).await?;
    Ok(look(client, place, (from, must_end), &answer.responses[0].partitions[0]))
}

/// Compares what was read from an offset on with what must be there: all up to `must_end` was readable when it
/// was asked for. Answers the offset behind, or nothing when the topic is gone.
pub(crate) fn look(
    client: &Client,
    place: Place,
    (from, must_end): (i64, i64),
    partition: &PartitionData,
) -> Option<i64> {
    if is_gone(client, place, partition.error_code) || is_going(client, place, partition.error_code) {
        return None;
    }
    // What nobody has used before storage failed is not begun any more.
    if is_failure(partition.error_code) && client.world().is_sick && must_end == 0 {
        return None;
    }
    assert_eq!(partition.error_code, ErrorCode::NONE, "{place:?} from {from}");
    let high_watermark = partition.high_watermark;
    assert!(
        high_watermark >= must_end,
        "{place:?}: the high watermark went from {must_end} to {high_watermark}"
    );
    let mut world = client.world();
    world.logs.high_watermark(place, high_watermark);
    let next = world.logs.read(place, from, &stored(partition.records.as_ref()));
    assert!(next > from || from >= must_end, "{place:?} has nothing at {from}");
    Some(next)
}

fn request(place: Place, fetch_offset: i64, max_wait_ms: i32) -> FetchRequest {
    let topics = vec![wanted(place, fetch_offset)];
    FetchRequest { max_wait_ms, min_bytes: 1, max_bytes: 1 << 20, topics, ..Default::default() }
}

/// What is wanted of a partition, more than any has here.
pub(crate) fn wanted((topic_id, partition): Place, fetch_offset: i64) -> FetchTopic {
    let partition = FetchPartition {
        partition,
        current_leader_epoch: -1,
        fetch_offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    FetchTopic { topic_id, partitions: vec![partition], ..Default::default() }
}

async fn out_of_range(client: &Client, place: Place) -> Result<(), Over> {
    let answer: FetchResponse = client.ask(17, &request(place, FAR, 0)).await?;
    let code = answer.responses[0].partitions[0].error_code;
    let is_right = code == ErrorCode::OFFSET_OUT_OF_RANGE || is_going(client, place, code);
    assert!(is_right || is_gone(client, place, code), "{place:?}: {code:?}");
    Ok(())
}

/// The end of a log of the topic that stays.
async fn list_offsets(client: &Client) -> Result<(), Over> {
    let Some(id) = client.world().topics.kept() else { return Ok(()) };
    let partition_index = client.below(crate::topics::KEPT_PARTITIONS as usize) as i32;
    let place = (id, partition_index);
    let must_end = client.world().logs.durable_end(place);
    let partition = ListOffsetsPartition { partition_index, current_leader_epoch: -1, timestamp: LATEST };
    let topics = vec![ListOffsetsTopic { name: crate::topics::KEPT.into(), partitions: vec![partition] }];
    let request = ListOffsetsRequest { replica_id: -1, topics, ..Default::default() };
    let answer: ListOffsetsResponse = client.ask(7, &request).await?;
    let partition = &answer.topics[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::NONE);
    assert!(partition.offset >= must_end, "{place:?}: the end went from {must_end} to {}", partition.offset);
    client.world().logs.high_watermark(place, partition.offset);
    Ok(())
}
