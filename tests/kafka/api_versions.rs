//! ApiVersions: what a client asks before it knows anything.

use crate::client::{Client, frame};
use crate::own_broker;
use crate::support::broker::{Broker, elsewhere};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use callboard_protocol::wire::{Message, Reader, ResponseHeader};

/// The operations that are served, with the versions that Apache Kafka 4.3 has of them.
const OFFERED: [(i16, i16, i16); 29] = [
    (0, 0, 13),
    (1, 4, 18),
    (2, 1, 11),
    (3, 0, 13),
    (8, 2, 10),
    (9, 1, 10),
    (10, 0, 6),
    (11, 0, 9),
    (12, 0, 4),
    (13, 0, 5),
    (14, 0, 5),
    (15, 0, 6),
    (16, 0, 5),
    (18, 0, 4),
    (19, 2, 7),
    (20, 1, 6),
    (22, 0, 5),
    (23, 2, 4),
    (32, 1, 4),
    (33, 0, 2),
    (37, 0, 3),
    (42, 0, 2),
    (44, 0, 1),
    (47, 0, 0),
    (60, 0, 2),
    (68, 0, 1),
    (69, 0, 1),
    (74, 0, 1),
    (75, 0, 0),
];

fn named(software: &str) -> ApiVersionsRequest {
    ApiVersionsRequest { client_software_name: software.into(), client_software_version: "1.0".into() }
}

fn ranges(answer: &ApiVersionsResponse) -> Vec<(i16, i16, i16)> {
    answer.api_keys.iter().map(|api: &ApiVersion| (api.api_key, api.min_version, api.max_version)).collect()
}

#[test]
fn every_version_tells_the_same_operations() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    for version in 0..=4 {
        let answer: ApiVersionsResponse = client.call(version, &named("tests"));
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let told = ranges(&answer);
        let missing = OFFERED.iter().filter(|api| !told.contains(api)).collect::<Vec<_>>();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(elsewhere().is_some() || told == OFFERED);
    }
}

#[test]
fn an_unsupported_version_is_answered_in_version_0_with_the_range_of_this_operation() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let mut bytes = frame(3, 77, &named("tests"));
    bytes[6..8].copy_from_slice(&99i16.to_be_bytes());
    client.send_bytes(&bytes);
    let mut reader = Reader::new(client.receive_frame());
    assert_eq!(ResponseHeader::decode(&mut reader, false).unwrap().correlation_id, 77);
    let answer = ApiVersionsResponse::decode_whole(&mut reader, 0).unwrap();
    assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
    assert_eq!(ranges(&answer), [(18, 0, 4)]);
    client.assert_alive();
}

#[test]
fn the_software_of_a_client_and_its_version_are_in_the_log() {
    for (version, level, is_told) in [(3, "debug", true), (2, "debug", false), (3, "info", false)] {
        let Some(broker) = own_broker(&[&format!("log.level={level}")]) else { return };
        let mut client = Client::connect(&broker);
        let answer: ApiVersionsResponse = client.call(version, &named("teapot"));
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let log = broker.log().unwrap();
        let line = log.lines().find(|line| line.contains("name=teapot"));
        assert_eq!(line.is_some(), is_told, "{log}");
        assert!(line.is_none_or(|line| line.contains("version=1.0")), "{line:?}");
    }
}

#[test]
fn software_that_cannot_be_is_refused() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    for software in ["", "-dash", "two words"] {
        let answer: ApiVersionsResponse = client.call(3, &named(software));
        assert_eq!(answer.error_code, ErrorCode::INVALID_REQUEST, "{software:?}");
    }
    let answer: ApiVersionsResponse = client.call(2, &named(""));
    assert_eq!(answer.error_code, ErrorCode::NONE, "older versions do not say it");
}
