//! Bytes that are no request: the connection is closed with a line in the log, and nobody else notices.

use crate::batch::batch;
use crate::client::{Client, WITHIN, frame};
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::Topic;
use callboard_protocol::kafka::api_versions::ApiVersionsRequest;
use callboard_protocol::kafka::create_topics::CreateTopicsRequest;
use callboard_protocol::kafka::fetch::FetchRequest;
use callboard_protocol::kafka::metadata::MetadataRequest;
use callboard_protocol::kafka::produce::ProduceRequest;
use std::fs;
use std::time::Instant;

/// A whole frame with these bytes.
fn framed(bytes: &[u8]) -> Vec<u8> {
    [&i32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// A request's header in the older form, and a body.
fn request(api_key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let header =
        [&api_key.to_be_bytes()[..], &version.to_be_bytes(), &7i32.to_be_bytes(), &(-1i16).to_be_bytes()];
    framed(&[&header.concat(), body].concat())
}

/// A request that ends before its end, the length in front of it being right.
fn cut(mut whole: Vec<u8>, bytes: usize) -> Vec<u8> {
    whole.truncate(whole.len() - bytes);
    framed(&whole[4..])
}

fn garbage() -> Vec<(&'static str, Vec<u8>)> {
    let many = i32::MAX.to_be_bytes();
    let topic = Topic { name: "t".into(), id: uuid::Uuid::nil() };
    let produce = frame(9, 1, &topic.produce_request(1, &[(0, batch(&["x"]).bytes())]));
    vec![
        ("a length of 0", vec![0; 4]),
        ("a length of -1", (-1i32).to_be_bytes().to_vec()),
        ("the least length", i32::MIN.to_be_bytes().to_vec()),
        ("a length of 2 GiB", many.to_vec()),
        ("a length beyond the limit", 104_857_601i32.to_be_bytes().to_vec()),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("four bytes", framed(&[0, 18, 0, 0])),
        ("an unknown operation", request(999, 0, &[])),
        ("a negative operation", request(-1, 0, &[])),
        ("an operation for controllers", request(52, 0, &[])),
        ("a version before the first", request(ApiKeyOf::FETCH, 3, &[])),
        ("a version behind the last", request(ApiKeyOf::METADATA, 14, &[])),
        ("a negative version", request(ApiKeyOf::METADATA, -1, &[])),
        ("Produce 2, which is advertised and not served", request(ApiKeyOf::PRODUCE, 2, &[])),
        ("a body that is not there", request(ApiKeyOf::METADATA, 1, &[])),
        ("a list longer than its frame", request(ApiKeyOf::METADATA, 1, &many)),
        ("a string longer than its frame", request(ApiKeyOf::METADATA, 1, b"\0\0\0\x01\x7f\xffab")),
        (
            "null for a list that must be there",
            request(ApiKeyOf::PRODUCE, 3, &[255, 255, 0, 1, 0, 0, 0, 9, 255, 255, 255, 255]),
        ),
        ("a compact length of 4 GiB", request(ApiKeyOf::METADATA, 9, &[0, 255, 255, 255, 255, 15])),
        ("a compact length without end", request(ApiKeyOf::METADATA, 9, &[0, 255, 255, 255, 255, 255, 255])),
        ("records cut short", cut(produce, 5)),
        ("tagged fields without end", request(ApiKeyOf::METADATA, 9, &[255, 255, 255, 255, 7])),
    ]
}

/// The numbers of operations, from their messages.
struct ApiKeyOf;

impl ApiKeyOf {
    const PRODUCE: i16 = <ProduceRequest as callboard_protocol::wire::Message>::API_KEY;
    const FETCH: i16 = <FetchRequest as callboard_protocol::wire::Message>::API_KEY;
    const METADATA: i16 = <MetadataRequest as callboard_protocol::wire::Message>::API_KEY;
}

#[test]
fn what_is_no_request_closes_its_connection_and_no_other() {
    let broker = Broker::start().unwrap();
    let mut bystander = Client::connect(&broker);
    for (what, bytes) in garbage() {
        let mut client = Client::connect(&broker);
        client.send_bytes(&bytes);
        client.assert_closed(what);
        bystander.assert_alive();
    }
}

#[test]
fn a_frame_that_its_client_leaves_half_sent_harms_nobody() {
    let broker = Broker::start().unwrap();
    let mut bystander = Client::connect(&broker);
    let whole = frame(0, 1, &ApiVersionsRequest::default());
    for bytes in 1..whole.len() {
        Client::connect(&broker).send_bytes(&whole[..bytes]);
    }
    bystander.assert_alive();
}

#[test]
fn each_close_is_one_line_in_the_log_that_says_why() {
    let Some(broker) = own_broker(&[]) else { return };
    let cases = garbage();
    for (what, bytes) in &cases {
        let mut client = Client::connect(&broker);
        client.send_bytes(bytes);
        client.assert_closed(what);
    }
    let begun = Instant::now();
    let closed = || broker.log().unwrap().lines().filter(|line| line.contains("connection closed")).count();
    while closed() < cases.len() {
        assert!(begun.elapsed() < WITHIN, "{} of {} lines", closed(), cases.len());
    }
    assert_eq!(closed(), cases.len());
}

#[test]
fn lengths_that_are_only_claimed_cost_no_memory() {
    let Some(broker) = own_broker(&["queued.max.request.bytes=10000000000"]) else { return };
    let mut bystander = Client::connect(&broker);
    bystander.assert_alive();
    let peak = || {
        let status = fs::read_to_string(format!("/proc/{}/status", broker.process_id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let before = peak();
    // 20 frames of 100 MiB, of which only the first bytes come, and lists of 2^31 - 1 entries.
    let claims: Vec<_> = (0..20).map(|_| half_sent(&broker)).collect();
    for version in [1, 8] {
        let mut client = Client::connect(&broker);
        client.send_bytes(&request(ApiKeyOf::METADATA, version, &i32::MAX.to_be_bytes()));
        client.assert_closed("a list that is not there");
    }
    let mut client = Client::connect(&broker);
    client.send_bytes(&request(
        <CreateTopicsRequest as callboard_protocol::wire::Message>::API_KEY,
        2,
        &i32::MAX.to_be_bytes(),
    ));
    client.assert_closed("topics that are not there");
    bystander.assert_alive();
    let grown_kb = peak() - before;
    assert!(grown_kb < 500_000, "{grown_kb} kB of address space for {} connections", claims.len());
}

fn half_sent(broker: &Broker) -> Client {
    let mut client = Client::connect(broker);
    client.send_bytes(&[&104_857_600i32.to_be_bytes()[..], &[0, 3, 0, 1]].concat());
    client
}
