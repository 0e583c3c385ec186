//! Idempotent producers: a batch that is sent again is stored once.

use crate::batch::{Batch, batch};
use crate::client::Client;
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::{LATEST, Topic};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

const OUT_OF_ORDER: ErrorCode = ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER;

fn init(client: &mut Client, request: &InitProducerIdRequest) -> InitProducerIdResponse {
    client.call(4, request)
}

fn new_producer(client: &mut Client) -> i64 {
    let answer = init(client, &InitProducerIdRequest::default());
    assert_eq!((answer.error_code, answer.producer_epoch), (ErrorCode::NONE, 0));
    answer.producer_id
}

/// A partition that one producer writes to.
struct Writing {
    client: Client,
    topic: Topic,
    producer: i64,
}

impl Writing {
    fn begin(broker: &Broker) -> Self {
        let mut client = Client::connect(broker);
        let topic = Topic::create(&mut client, 1);
        let producer = new_producer(&mut client);
        Self { client, topic, producer }
    }

    fn send(&mut self, epoch: i16, sequence: i32, values: &[&str]) -> Result<i64, ErrorCode> {
        self.send_batch(&batch(values).from(self.producer, epoch, sequence))
    }

    fn send_batch(&mut self, batch: &Batch) -> Result<i64, ErrorCode> {
        let answer = self.topic.produce(&mut self.client, 0, batch);
        if answer.error_code.is_error() { Err(answer.error_code) } else { Ok(answer.base_offset) }
    }

    fn end(&mut self) -> i64 {
        self.topic.list(&mut self.client, 0, LATEST).offset
    }
}

#[test]
fn each_of_the_last_five_batches_may_be_repeated_and_an_older_one_may_not() {
    let broker = Broker::start().unwrap();
    let mut writing = Writing::begin(&broker);
    for sequence in 0..6 {
        assert_eq!(writing.send(0, sequence, &["x"]), Ok(sequence.into()));
    }
    for sequence in (1..6).rev() {
        assert_eq!(writing.send(0, sequence, &["x"]), Ok(sequence.into()), "the offset of the first time");
    }
    assert_eq!(writing.send(0, 0, &["x"]), Err(OUT_OF_ORDER));
    assert_eq!(writing.end(), 6);
}

#[test]
fn a_gap_and_a_batch_that_overlaps_are_out_of_order() {
    let broker = Broker::start().unwrap();
    let mut writing = Writing::begin(&broker);
    assert_eq!(writing.send(0, 0, &["a", "b", "c"]), Ok(0));
    assert_eq!(writing.send(0, 4, &["x"]), Err(OUT_OF_ORDER));
    assert_eq!(writing.send(0, 0, &["a", "b"]), Err(OUT_OF_ORDER));
    assert_eq!(writing.send(0, 1, &["b", "c"]), Err(OUT_OF_ORDER));
    assert_eq!(writing.send(0, 3, &["d"]), Ok(3), "the right one still goes");
}

#[test]
fn an_old_epoch_is_refused_and_a_new_one_begins_at_zero() {
    let broker = Broker::start().unwrap();
    let mut writing = Writing::begin(&broker);
    assert_eq!(writing.send(0, 0, &["a"]), Ok(0));
    assert_eq!(writing.send(1, 5, &["b"]), Err(OUT_OF_ORDER));
    assert_eq!(writing.send(1, 0, &["b"]), Ok(1));
    assert_eq!(writing.send(0, 1, &["c"]), Err(ErrorCode::INVALID_PRODUCER_EPOCH));
    assert_eq!(writing.send(0, 0, &["a"]), Err(ErrorCode::INVALID_PRODUCER_EPOCH), "a repetition too");
}

#[test]
fn an_unknown_producer_may_begin_anywhere_and_goes_on_from_there() {
    let broker = Broker::start().unwrap();
    let mut writing = Writing::begin(&broker);
    assert_eq!(writing.send(0, 5, &["a"]), Ok(0));
    assert_eq!(writing.send(0, 4, &["b"]), Err(OUT_OF_ORDER));
    assert_eq!(writing.send(0, 6, &["b"]), Ok(1));
}

#[test]
fn sequences_wrap_to_zero_also_inside_a_batch() {
    let broker = Broker::start().unwrap();
    let mut writing = Writing::begin(&broker);
    assert_eq!(writing.send(0, i32::MAX - 1, &["a", "b", "c"]), Ok(0));
    assert_eq!(writing.send(0, i32::MAX - 1, &["a", "b", "c"]), Ok(0));
    assert_eq!(writing.send(0, 1, &["d"]), Ok(3));
}

#[test]
fn producers_and_those_without_an_id_do_not_disturb_each_other() {
    let broker = Broker::start().unwrap();
    let mut writing = Writing::begin(&broker);
    let other = new_producer(&mut writing.client);
    assert_ne!(other, writing.producer);
    assert_eq!(writing.send(0, 0, &["a"]), Ok(0));
    assert_eq!(writing.send_batch(&batch(&["b"]).from(other, 0, 0)), Ok(1));
    assert_eq!(writing.send_batch(&batch(&["c"])), Ok(2));
    assert_eq!(writing.send_batch(&batch(&["c"])), Ok(3), "who has no id is stored each time");
    assert_eq!(writing.send(0, 1, &["d"]), Ok(4));
}

#[test]
fn repetitions_in_flight_get_the_offset_of_the_first() {
    let broker = Broker::start().unwrap();
    let mut writing = Writing::begin(&broker);
    let bytes = batch(&["x"]).from(writing.producer, 0, 0).bytes();
    let request = writing.topic.produce_request(-1, &[(0, bytes)]);
    for _ in 0..5 {
        writing.client.send(9, &request);
    }
    for _ in 0..5 {
        let (_, answer) = writing.client.receive::<callboard_protocol::kafka::produce::ProduceResponse>(9);
        let told = &answer.responses[0].partition_responses[0];
        assert_eq!((told.error_code, told.base_offset), (ErrorCode::NONE, 0));
    }
    assert_eq!(writing.end(), 1);
}

#[test]
fn a_killed_broker_remembers_its_producers_and_gives_no_id_twice() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut writing = Writing::begin(&broker);
    for sequence in 0..5 {
        writing.send(0, sequence, &["x"]).unwrap();
    }
    broker.kill().unwrap();
    broker.restart().unwrap();
    writing.client = Client::connect(&broker);
    for sequence in (0..5).rev() {
        assert_eq!(writing.send(0, sequence, &["x"]), Ok(sequence.into()));
    }
    assert_eq!(writing.send(0, 6, &["x"]), Err(OUT_OF_ORDER));
    assert_eq!(writing.send(0, 5, &["x"]), Ok(5));
    assert!(new_producer(&mut writing.client) > writing.producer);
}

#[test]
fn what_a_producer_says_of_itself_must_be_whole() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let mut code = |producer_id, producer_epoch, transactional_id: Option<&str>| {
        let transactional_id = transactional_id.map(Into::into);
        let request = InitProducerIdRequest {
            transactional_id,
            producer_id,
            producer_epoch,
            transaction_timeout_ms: 1000,
        };
        init(&mut client, &request).error_code
    };
    assert_eq!(code(5, 0, None), ErrorCode::NONE);
    assert_eq!(code(5, -1, None), ErrorCode::INVALID_REQUEST);
    assert_eq!(code(-1, 0, None), ErrorCode::INVALID_REQUEST);
    assert_eq!(code(-1, -1, Some("")), ErrorCode::INVALID_REQUEST);
}
