//! What connections and requests may take: each bound, on both of its sides.

use crate::batch::Batch;
use crate::client::{Client, WITHIN, frame};
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::{LATEST, Topic, create_request, new_name, only_partition};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::api_versions::ApiVersionsRequest;
use callboard_protocol::kafka::create_topics::CreateTopicsResponse;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse};
use callboard_protocol::kafka::list_offsets::ListOffsetsResponse;
use socket2::{Domain, Socket, Type};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// A client that comes from another address of this machine.
fn connect_from(broker: &Broker, from: Ipv4Addr) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    let address: SocketAddr = broker.address().parse().unwrap();
    socket.connect(&address.into()).unwrap();
    Client::over(socket.into())
}

/// Tries again until the broker has noticed that a place is free.
fn connect_in_time(broker: &Broker) -> Client {
    let begun = Instant::now();
    loop {
        let mut client = Client::connect(broker);
        client.send_bytes(&frame(0, 1, &ApiVersionsRequest::default()));
        if client.stream().read_exact(&mut [0; 4]).is_ok() {
            return client;
        }
        assert!(begun.elapsed() < WITHIN, "no place was given back");
    }
}

#[test]
fn connections_are_bounded_and_a_place_that_is_given_back_is_free() {
    let Some(broker) = own_broker(&["max.connections=2"]) else { return };
    let (mut first, mut second) = (Client::connect(&broker), Client::connect(&broker));
    first.assert_alive();
    second.assert_alive();
    Client::connect(&broker).assert_closed("the third of two connections");
    first.assert_alive();
    drop(second);
    connect_in_time(&broker);
}

#[test]
fn all_refused_connections_are_in_the_log_when_no_more_come() {
    let Some(broker) = own_broker(&["max.connections=1"]) else { return };
    let mut only = Client::connect(&broker);
    only.assert_alive();
    (0..10).for_each(|_| Client::connect(&broker).assert_closed("the second of one connection"));
    let told = || {
        let log = broker.log().unwrap();
        let counts =
            log.lines().filter_map(|line| line.split_once("connections refused")?.1.split_once("count="));
        counts.map(|(_, count)| count.trim().parse::<usize>().unwrap()).sum::<usize>()
    };
    let begun = Instant::now();
    while told() < 10 {
        assert!(begun.elapsed() < WITHIN, "{} of 10 are told", told());
        only.assert_alive();
    }
}

#[test]
fn connections_of_one_address_are_bounded() {
    let Some(broker) = own_broker(&["max.connections.per.ip=2"]) else { return };
    let (mut first, mut second) = (Client::connect(&broker), Client::connect(&broker));
    first.assert_alive();
    second.assert_alive();
    Client::connect(&broker).assert_closed("the third of two connections of an address");
    connect_from(&broker, Ipv4Addr::new(127, 0, 0, 2)).assert_alive();
}

#[test]
fn a_frame_may_be_as_large_as_the_bound_and_no_larger() {
    let Some(broker) = own_broker(&["socket.request.max.bytes=2000"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let produce = |bytes| frame(9, 1, &topic.produce_request(0, &[(0, Batch::of_size(bytes).bytes())]));
    let overhead = produce(1500).len() - 4 - 1500;
    client.send_bytes(&produce(2000 - overhead));
    client.assert_alive();
    client.send_bytes(&produce(2001 - overhead));
    client.assert_closed("a frame of 2,001 bytes");
    assert_eq!(topic.list(&mut Client::connect(&broker), 0, LATEST).offset, 1);
}

#[test]
fn a_frame_must_arrive_in_time() {
    let Some(broker) = own_broker(&["request.receive.timeout.ms=100"]) else { return };
    for first_bytes in [&[0][..], &[0, 0, 0, 100], &[0, 0, 0, 100, 0, 3]] {
        let mut slow = Client::connect(&broker);
        slow.send_bytes(first_bytes);
        slow.assert_closed("half a frame");
    }
}

#[test]
fn an_idle_connection_is_closed_and_one_that_waits_is_answered_before_that() {
    let Some(broker) = own_broker(&["connections.max.idle.ms=100"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let begun = Instant::now();
    let request = FetchRequest { max_wait_ms: i32::MAX, min_bytes: 1, ..topic.fetch_request(&[(0, 0)]) };
    assert_eq!(only_partition(client.call::<_, FetchResponse>(11, &request)).error_code, ErrorCode::NONE);
    assert!(begun.elapsed() >= Duration::from_millis(50));
    client.assert_closed("nothing more to do");
    Client::connect(&broker).assert_closed("it never asked for anything");
}

#[test]
fn a_request_may_name_so_many_partitions() {
    let Some(broker) = own_broker(&["max.partitions.per.request=3"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 4);
    let three: ListOffsetsResponse =
        client.call(6, &topic.list_request(&[(0, LATEST), (1, LATEST), (2, LATEST)]));
    assert_eq!(three.topics[0].partitions.len(), 3);
    let four = [0, 1, 2, 3];
    client.send(6, &topic.list_request(&four.map(|partition| (partition, LATEST))));
    client.assert_closed("four of three partitions to list");
    let mut client = Client::connect(&broker);
    client.send(11, &topic.fetch_request(&four.map(|partition| (partition, 0))));
    client.assert_closed("four of three partitions to fetch");
    let mut client = Client::connect(&broker);
    let bytes = Batch::of_size(1).bytes();
    client.send(9, &topic.produce_request(1, &four.map(|partition| (partition, bytes.clone()))));
    client.assert_closed("four of three partitions to produce to");
}

#[test]
fn a_broker_has_so_many_partitions() {
    let Some(broker) = own_broker(&["max.partitions=5"]) else { return };
    let mut client = Client::connect(&broker);
    let mut code = |partitions| {
        let answer: CreateTopicsResponse = client.call(5, &create_request(&new_name(), partitions, &[]));
        answer.topics[0].error_code
    };
    assert_eq!(code(6), ErrorCode::POLICY_VIOLATION);
    assert_eq!(code(5), ErrorCode::NONE);
    assert_eq!(code(1), ErrorCode::POLICY_VIOLATION);
}

#[test]
fn an_answer_has_so_many_bytes_of_records_whatever_the_client_wants() {
    let Some(broker) = own_broker(&["fetch.max.bytes=1024"]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    for _ in 0..3 {
        topic.produce(&mut client, 0, &Batch::of_size(430));
    }
    assert_eq!(topic.batches(&mut client, 0).len(), 2);
    topic.produce(&mut client, 0, &Batch::of_size(5000));
    let alone = topic.fetch(&mut client, 0, 3);
    assert!(alone.records.unwrap().len() > 5000, "the first batch always comes");
}
