//! Idempotent producers: each batch once and in order, over repetitions, gaps and crashes.

use crate::log::Place;
use crate::producer::{ALL, VERSION, outcome, request};
use crate::topics::KEPT_PARTITIONS;
use crate::wire::Pending;
use crate::world::{Client, Over};
use bytes::Bytes;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use callboard_protocol::kafka::produce::ProduceResponse;
use std::time::Duration;

/// Batches that a broker remembers of a producer.
const REMEMBERED: usize = 5;

/// What a producer remembers over crashes of the broker.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    id: Option<i64>,
    next: i32,
    batches: Vec<Sent>,
}

#[derive(Debug, Clone)]
struct Sent {
    number: i64,
    bytes: Bytes,
    is_acknowledged: bool,
}

/// Produces until it is over, as the producer of that number.
pub(crate) async fn run(client: Client, producer: usize) -> Result<(), Over> {
    let topic = loop {
        let kept = client.world().topics.kept();
        if let Some(topic) = kept {
            break topic;
        }
        client.let_pass(Duration::from_millis(1)).await;
    };
    let place = (topic, producer as i32 % KEPT_PARTITIONS);
    let known = client.world().numbered[producer].id;
    if known.is_none() {
        begin(&client, producer).await?;
    }
    loop {
        let unknown = |sent: &Sent| !sent.is_acknowledged;
        let first = client.world().numbered[producer].batches.iter().position(unknown);
        match first {
            Some(first) => deliver(&client, producer, place, first).await?,
            None => match client.below(8) {
                0..4 => {
                    let first = client.world().numbered[producer].batches.len();
                    (0..=client.below(3)).for_each(|_| send(&client, producer, place));
                    deliver(&client, producer, place, first).await?;
                }
                4 | 5 => repeat(&client, producer, place).await?,
                6 => skip(&client, producer, place).await?,
                _ => client.pause().await,
            },
        }
    }
}

async fn begin(client: &Client, producer: usize) -> Result<(), Over> {
    let request = InitProducerIdRequest {
        transaction_timeout_ms: 1000,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let answer: InitProducerIdResponse = client.ask(5, &request).await?;
    assert!(client.check(answer.error_code)?, "{answer:?}");
    let mut world = client.world();
    let is_given = world.numbered.iter().any(|other| other.id == Some(answer.producer_id));
    assert!(!is_given, "producer id {} was given before", answer.producer_id);
    world.numbered[producer].id = Some(answer.producer_id);
    Ok(())
}

/// Makes the next batch.
fn send(client: &Client, producer: usize, place: Place) {
    let count = 1 + client.below(3) as i32;
    let world = &mut *client.world();
    let numbered = &mut world.numbered[producer];
    let sequence = (numbered.id.unwrap(), numbered.next);
    numbered.next += count;
    let (number, bytes) = world.logs.send(place, count, Some(sequence));
    numbered.batches.push(Sent { number, bytes, is_acknowledged: false });
}

/// Sends all batches from one on, without waiting in between; also what may be there already.
async fn deliver(client: &Client, producer: usize, place: Place, first: usize) -> Result<(), Over> {
    let batches = client.world().numbered[producer].batches[first..].to_vec();
    let mut pending: Vec<Pending<ProduceResponse>> = Vec::new();
    let mut order = Vec::new();
    for (at, sent) in batches.iter().enumerate() {
        // A batch may come again while the first is on its way.
        for _ in 0..=usize::from(client.is_one_in(5)) {
            let request = request(place, ALL, sent.bytes.clone());
            pending.push(client.door.begin(VERSION, &request).await.ok_or(Over)?);
            order.push((at, sent));
        }
    }
    for (pending, (at, sent)) in pending.into_iter().zip(order) {
        let (answer, sum) = pending.answer().await.ok_or(Over)?;
        client.world().witness(sum);
        let outcome = outcome(&answer);
        assert!(client.check(outcome.error_code)?, "{place:?}: batch {}: {outcome:?}", sent.number);
        let world = &mut *client.world();
        world.logs.acknowledged(sent.number, outcome.base_offset, 0, true);
        world.numbered[producer].batches[first + at].is_acknowledged = true;
    }
    Ok(())
}

/// Sends again what is acknowledged: it gets the same offset, or is too old to be known.
async fn repeat(client: &Client, producer: usize, place: Place) -> Result<(), Over> {
    let back = 1 + client.below(REMEMBERED + 2);
    let batches = client.world().numbered[producer].batches.clone();
    let Some(sent) = batches.len().checked_sub(back).map(|at| &batches[at]) else { return Ok(()) };
    let offset = client.world().logs.offset(sent.number);
    let answer: ProduceResponse = client.ask(VERSION, &request(place, ALL, sent.bytes.clone())).await?;
    let outcome = outcome(&answer);
    if back > REMEMBERED {
        assert_eq!(outcome.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, "the last but {back}");
        return Ok(());
    }
    client.check(outcome.error_code)?;
    let told = (outcome.error_code, Some(outcome.base_offset));
    assert_eq!(told, (ErrorCode::NONE, offset), "{place:?}: the last but {back}");
    Ok(())
}

/// Leaves out a number, which is refused.
async fn skip(client: &Client, producer: usize, place: Place) -> Result<(), Over> {
    let (number, bytes) = {
        let world = &mut *client.world();
        let numbered = &world.numbered[producer];
        if numbered.batches.is_empty() {
            return Ok(());
        }
        world.logs.send(place, 1, Some((numbered.id.unwrap(), numbered.next + 1)))
    };
    let answer: ProduceResponse = client.ask(VERSION, &request(place, ALL, bytes)).await?;
    assert_eq!(outcome(&answer).error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    client.world().logs.refused(number);
    Ok(())
}
