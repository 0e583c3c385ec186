//! Several requests on their way at once: each takes effect, and is answered, in its turn.

use crate::batch::{batch, stored};
use crate::client::{Client, frame};
use crate::support::broker::Broker;
use crate::topic::{LATEST, Topic};
use callboard_protocol::kafka::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse};
use callboard_protocol::kafka::list_offsets::ListOffsetsResponse;
use callboard_protocol::kafka::produce::ProduceResponse;

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let waiting = FetchRequest { max_wait_ms: 200, ..topic.fetch_request(&[(0, 0)]) };
    let mut bytes = frame(11, 1, &waiting);
    bytes.extend(frame(0, 2, &ApiVersionsRequest::default()));
    bytes.extend(frame(9, 3, &topic.produce_request(-1, &[(0, batch(&["x"]).bytes())])));
    bytes.extend(frame(8, 4, &topic.list_request(&[(0, LATEST)])));
    client.send_bytes(&bytes);
    assert_eq!(client.receive::<FetchResponse>(11).0, 1);
    assert_eq!(client.receive::<ApiVersionsResponse>(0).0, 2);
    assert_eq!(client.receive::<ProduceResponse>(9).0, 3);
    let (number, list) = client.receive::<ListOffsetsResponse>(8);
    assert_eq!((number, list.topics[0].partitions[0].offset), (4, 1), "it sees what was written before it");
}

#[test]
fn pipelined_batches_stand_in_the_order_in_which_they_were_sent() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    for number in 0..200 {
        let value = format!("{number}");
        // Every third asks for no answer, and the others for two kinds of it.
        let acks = [0, 1, -1][number % 3];
        let partition = (number % 2) as i32;
        client.send(9, &topic.produce_request(acks, &[(partition, batch(&[&value]).bytes())]));
    }
    let answered = (0..200).filter(|number| number % 3 != 0);
    for number in answered {
        let (_, answer) = client.receive::<ProduceResponse>(9);
        let told = &answer.responses[0].partition_responses[0];
        assert_eq!((told.index, told.base_offset), (number % 2, i64::from(number / 2)));
    }
    for partition in 0..2 {
        let read = stored(topic.fetch(&mut client, partition, 0).records.as_ref());
        let expected =
            (0..200).filter(|number| number % 2 == partition).map(|number| batch(&[&number.to_string()]));
        assert!(
            read.iter()
                .map(|batch| batch.records.clone())
                .eq(expected.map(|batch| batch.bytes().slice(61..)))
        );
    }
}

#[test]
fn a_request_that_comes_byte_by_byte_is_a_request() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    for byte in frame(0, 5, &ApiVersionsRequest::default()) {
        client.send_bytes(&[byte]);
    }
    assert_eq!(client.receive::<ApiVersionsResponse>(0).0, 5);
}

#[test]
fn what_was_sent_without_acks_is_stored_though_its_client_is_gone() {
    let broker = Broker::start().unwrap();
    let (mut leaving, mut staying) = (Client::connect(&broker), Client::connect(&broker));
    let topic = Topic::create(&mut staying, 1);
    for _ in 0..50 {
        leaving.send(9, &topic.produce_request(0, &[(0, batch(&["x"]).bytes())]));
    }
    drop(leaving);
    let waiting = FetchRequest { max_wait_ms: 60_000, min_bytes: 1, ..topic.fetch_request(&[(0, 49)]) };
    let mut end = 0;
    while end < 50 {
        // Offset 49 is out of range until 49 records are there, and then a wait for the last.
        let answer: FetchResponse = staying.call(11, &waiting);
        end = answer.responses[0].partitions[0].high_watermark;
    }
    assert_eq!(end, 50);
}
