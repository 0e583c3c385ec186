//! Settings of topics, groups and the broker, changed while it runs.

use crate::batch::Batch;
use crate::client::{Client, WITHIN};
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::{Topic, new_name};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::alter_configs as replacing;
use callboard_protocol::kafka::alter_configs::{AlterConfigsRequest, AlterConfigsResponse};
use callboard_protocol::kafka::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
};
use callboard_protocol::kafka::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use callboard_protocol::kafka::list_config_resources::{
    ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use callboard_protocol::wire::Str;
use std::time::Instant;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// A change: the setting, the operation, the value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

fn resource(resource_type: i8, name: &str, changes: &[Change<'_>]) -> AlterConfigsResource {
    let config = |(name, config_operation, value): &Change<'_>| AlterableConfig {
        name: (*name).into(),
        config_operation: *config_operation,
        value: value.map(Str::from),
    };
    let configs = changes.iter().map(config).collect();
    AlterConfigsResource { resource_type, resource_name: name.into(), configs }
}

fn request(resources: Vec<AlterConfigsResource>) -> IncrementalAlterConfigsRequest {
    IncrementalAlterConfigsRequest { resources, validate_only: false }
}

/// The codes of all resources, in their order.
fn codes(client: &mut Client, request: &IncrementalAlterConfigsRequest) -> Vec<i16> {
    let answer: IncrementalAlterConfigsResponse = client.call(1, request);
    let asked: Vec<_> = request.resources.iter().map(|it| (it.resource_type, &it.resource_name)).collect();
    let told: Vec<_> = answer.responses.iter().map(|it| (it.resource_type, &it.resource_name)).collect();
    assert_eq!(told, asked);
    let is_told = answer.responses.iter().all(|it| it.error_code.0 != 0 || it.error_message.is_none());
    assert!(is_told, "a message without an error");
    answer.responses.iter().map(|it| it.error_code.0).collect()
}

fn change(client: &mut Client, resource_type: i8, name: &str, changes: &[Change<'_>]) -> i16 {
    codes(client, &request(vec![resource(resource_type, name, changes)]))[0]
}

/// The value of a setting, where it is from, and the places behind it.
fn described(
    client: &mut Client,
    resource_type: i8,
    name: &str,
    setting: &str,
) -> (String, i8, Vec<(String, i8)>) {
    let resource = DescribeConfigsResource {
        resource_type,
        resource_name: name.into(),
        configuration_keys: Some(vec![setting.into()]),
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        include_documentation: false,
    };
    let mut answer: DescribeConfigsResponse = client.call(4, &request);
    let mut told = answer.results.remove(0);
    assert_eq!(told.error_code, ErrorCode::NONE, "{name} {setting}");
    let Some(config) = told.configs.pop() else { return (String::new(), 0, Vec::new()) };
    let synonyms = config.synonyms.iter();
    let synonyms = synonyms.map(|it| (it.value.as_deref().unwrap_or("null").to_owned(), it.source));
    (config.value.as_deref().unwrap_or("null").to_owned(), config.config_source, synonyms.collect())
}

/// Asks until a setting is told as it should be: Kafka's brokers learn of a change a moment after
/// their controller has answered.
fn becomes<T: PartialEq + std::fmt::Debug>(expected: &T, mut ask: impl FnMut() -> T) {
    let began = Instant::now();
    loop {
        let told = ask();
        if told == *expected {
            return;
        }
        assert!(began.elapsed() < WITHIN, "{told:?} is told, and not {expected:?}");
    }
}

/// The number of the broker.
fn node(client: &mut Client) -> String {
    let listed: ListConfigResourcesResponse =
        client.call(1, &ListConfigResourcesRequest { resource_types: vec![BROKER] });
    listed.config_resources[0].resource_name.as_str().to_owned()
}

#[test]
fn a_topics_settings_are_set_deleted_and_have_elements() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create_with(&mut client, 1, &[("segment.ms", "70000")]);
    let name = topic.name.as_str();
    assert_eq!(change(&mut client, TOPIC, name, &[("flush.ms", SET, Some("5"))]), 0);
    let set = ("5".to_owned(), 1, vec![("5".to_owned(), 1)]);
    becomes(&set, || described(&mut client, TOPIC, name, "flush.ms"));
    assert_eq!(described(&mut client, TOPIC, name, "segment.ms").0, "70000", "the others stay");
    assert_eq!(change(&mut client, TOPIC, name, &[("flush.ms", DELETE, None)]), 0);
    becomes(&5, || described(&mut client, TOPIC, name, "flush.ms").1);
    let policy = "cleanup.policy";
    for (operation, value, now) in [
        (APPEND, "compact", "delete,compact"),
        (APPEND, "compact", "delete,compact"),
        (SUBTRACT, "delete", "compact"),
        (SUBTRACT, "delete,compact", ""),
        (SET, " delete ", "delete"),
    ] {
        assert_eq!(change(&mut client, TOPIC, name, &[(policy, operation, Some(value))]), 0);
        becomes(&now.to_owned(), || described(&mut client, TOPIC, name, policy).0.trim().to_owned());
    }
}

#[test]
fn what_cannot_be_has_its_code_and_changes_nothing() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let name = topic.name.as_str();
    let missing = new_name();
    let node = node(&mut client);
    let good = ("flush.ms", SET, Some("5"));
    let cases: &[(i8, &str, &[Change<'_>], i16)] = &[
        (TOPIC, name, &[good, ("flush.ms", DELETE, None)], 42),
        (TOPIC, name, &[good, ("segment.ms", SET, None)], 42),
        (TOPIC, name, &[good, ("segment.ms", 9, None)], 42),
        (TOPIC, name, &[good, ("segment.ms", 9, Some("5"))], -1),
        (TOPIC, name, &[good, ("no.such", SET, Some("5"))], 40),
        (TOPIC, name, &[("no.such", DELETE, None)], 0),
        (TOPIC, name, &[("no.such", APPEND, Some("5"))], 40),
        (TOPIC, name, &[good, ("segment.ms", APPEND, Some("5"))], 40),
        (TOPIC, name, &[good, ("segment.ms", SET, Some("x"))], 40),
        (TOPIC, name, &[good, ("cleanup.policy", APPEND, Some(""))], 40),
        (
            TOPIC,
            name,
            &[good, ("min.compaction.lag.ms", SET, Some("9")), ("max.compaction.lag.ms", SET, Some("8"))],
            40,
        ),
        (TOPIC, &missing, &[good], 3),
        (TOPIC, &missing, &[], 3),
        (TOPIC, &missing, &[("segment.ms", SET, Some("x"))], 40),
        (TOPIC, "", &[good], 42),
        (TOPIC, "a b", &[good], 17),
        (BROKER, &node, &[("num.partitions", SET, Some("5"))], 42),
        (BROKER, "", &[("num.partitions", SET, Some("5"))], 42),
        (BROKER, &node, &[("num.partitions", DELETE, None)], 0),
        (BROKER, &node, &[("log.retention.ms", SET, Some("x"))], 42),
        (BROKER, &node, &[("log.retention.ms", SET, Some("0"))], 42),
        (BROKER, &node, &[("log.retention.ms", 9, Some("5"))], 42),
        (BROKER, &node, &[("log.retention.ms", APPEND, Some("5"))], 40),
        (BROKER, "99", &[("log.retention.ms", SET, Some("5"))], 42),
        (BROKER, "x", &[("log.retention.ms", SET, Some("5"))], 42),
        (LOGGER, &node, &[("no.such", SET, Some("INFO"))], 40),
        (LOGGER, &node, &[("root", SET, Some("info"))], 40),
        (LOGGER, &node, &[("root", DELETE, None)], 42),
        (LOGGER, &node, &[("root", APPEND, Some("INFO"))], 42),
        (LOGGER, "", &[("root", SET, Some("INFO"))], 42),
        (LOGGER, "99", &[("root", SET, Some("INFO"))], 42),
        (GROUP, "", &[("consumer.session.timeout.ms", SET, Some("50000"))], 42),
        (GROUP, &missing, &[("no.such", SET, Some("5"))], 40),
        (GROUP, &missing, &[("consumer.session.timeout.ms", APPEND, Some("50000"))], 40),
        (GROUP, &missing, &[("consumer.session.timeout.ms", SET, Some("44999"))], 40),
        (GROUP, &missing, &[("consumer.session.timeout.ms", SET, Some("60001"))], 40),
        (GROUP, &missing, &[("consumer.heartbeat.interval.ms", SET, Some("4999"))], 40),
        (GROUP, &missing, &[("consumer.heartbeat.interval.ms", SET, Some("15001"))], 40),
        (GROUP, &missing, &[("consumer.assignment.interval.ms", SET, Some("15001"))], 40),
        (3, "x", &[("a", SET, Some("b"))], 42),
        (-1, "x", &[("a", SET, Some("b"))], 42),
    ];
    for (resource_type, name, changes, code) in cases {
        let told = change(&mut client, *resource_type, name, changes);
        assert_eq!(told, *code, "{resource_type} {name:?} {changes:?}");
    }
    assert_eq!(described(&mut client, TOPIC, name, "flush.ms").1, 5);
    assert_eq!(described(&mut client, BROKER, &node, "log.retention.ms").1, 5);
    assert_eq!(described(&mut client, GROUP, &missing, "consumer.session.timeout.ms").1, 5);
}

#[test]
fn each_resource_is_changed_by_itself() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let (good, twice) = (Topic::create(&mut client, 1), Topic::create(&mut client, 1));
    let set = |name: &str, value| resource(TOPIC, name, &[("flush.ms", SET, Some(value))]);
    let all = vec![set(&twice.name, "5"), set(&good.name, "x"), set(&twice.name, "6"), set(&good.name, "7")];
    assert_eq!(codes(&mut client, &request(all)), [42, 42, 42, 42]);
    let all = vec![set(&twice.name, "x"), set(&good.name, "7")];
    let mut checked = request(all);
    checked.validate_only = true;
    assert_eq!(codes(&mut client, &checked), [40, 0]);
    assert_eq!(described(&mut client, TOPIC, &good.name, "flush.ms").1, 5, "it was only checked");
    checked.validate_only = false;
    assert_eq!(codes(&mut client, &checked), [40, 0]);
    becomes(&"7".to_owned(), || described(&mut client, TOPIC, &good.name, "flush.ms").0);
    assert_eq!(codes(&mut client, &request(Vec::new())), [] as [i16; 0]);
}

#[test]
fn all_of_a_resources_settings_are_replaced() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create_with(&mut client, 1, &[("segment.ms", "70000")]);
    for version in 0..=2 {
        let mut replace = |resource_type, name: &str, settings: &[(&str, Option<&str>)]| {
            let config = |(name, value): &(&str, Option<&str>)| replacing::AlterableConfig {
                name: (*name).into(),
                value: value.map(Str::from),
            };
            let resource = replacing::AlterConfigsResource {
                resource_type,
                resource_name: name.into(),
                configs: settings.iter().map(config).collect(),
            };
            let request = AlterConfigsRequest { resources: vec![resource], validate_only: false };
            let answer: AlterConfigsResponse = client.call(version, &request);
            answer.responses[0].error_code.0
        };
        let name = topic.name.as_str();
        assert_eq!(replace(TOPIC, name, &[("flush.ms", Some("5"))]), 0);
        assert_eq!(replace(TOPIC, name, &[("flush.ms", None)]), 42);
        assert_eq!(replace(TOPIC, name, &[("no.such", Some("5"))]), 40);
        assert_eq!(replace(LOGGER, "1", &[("root", Some("INFO"))]), 42);
        assert_eq!(replace(TOPIC, &new_name(), &[]), 3);
        becomes(&"5".to_owned(), || described(&mut client, TOPIC, name, "flush.ms").0);
        // It went back to its default.
        becomes(&5, || described(&mut client, TOPIC, name, "segment.ms").1);
    }
}

#[test]
fn topics_follow_what_all_brokers_are_told_and_this_one_first() {
    let Some(broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let (setting, of_topic) = ("message.max.bytes", "max.message.bytes");
    let node = node(&mut client);
    assert_eq!(change(&mut client, BROKER, "", &[(setting, SET, Some("3000000"))]), 0);
    let places = vec![("3000000".into(), 3), ("1048588".into(), 5)];
    assert_eq!(described(&mut client, TOPIC, &topic.name, of_topic), ("3000000".into(), 3, places.clone()));
    assert_eq!(described(&mut client, BROKER, &node, setting), ("3000000".into(), 3, places));
    let places = vec![("3000000".into(), 3)];
    assert_eq!(described(&mut client, BROKER, "", setting), ("3000000".into(), 3, places));
    let large = Batch::of_size(2_000_000);
    assert_eq!(topic.produce(&mut client, 0, &large).error_code, ErrorCode::NONE);
    assert_eq!(change(&mut client, BROKER, &node, &[(setting, SET, Some("1000"))]), 0);
    let told = described(&mut client, TOPIC, &topic.name, of_topic);
    let places = vec![("1000".into(), 2), ("3000000".into(), 3), ("1048588".into(), 5)];
    assert_eq!(told, ("1000".into(), 2, places));
    assert_eq!(topic.produce(&mut client, 0, &large).error_code, ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(change(&mut client, BROKER, &node, &[(setting, DELETE, None)]), 0);
    assert_eq!(topic.produce(&mut client, 0, &large).error_code, ErrorCode::NONE);
}

#[test]
fn what_was_changed_survives_a_crash() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let node = node(&mut client);
    assert_eq!(change(&mut client, TOPIC, &topic.name, &[("flush.ms", SET, Some("5"))]), 0);
    assert_eq!(change(&mut client, BROKER, "", &[("log.retention.ms", SET, Some("6000"))]), 0);
    assert_eq!(change(&mut client, BROKER, &node, &[("log.retention.ms", SET, Some("7000"))]), 0);
    let session = "consumer.session.timeout.ms";
    assert_eq!(change(&mut client, GROUP, "group", &[(session, SET, Some("50000"))]), 0);
    broker.kill().unwrap();
    broker.restart().unwrap();
    let mut client = Client::connect(&broker);
    assert_eq!(described(&mut client, TOPIC, &topic.name, "flush.ms").0, "5");
    assert_eq!(described(&mut client, TOPIC, &topic.name, "retention.ms").0, "7000");
    assert_eq!(described(&mut client, BROKER, "", "log.retention.ms").0, "6000");
    assert_eq!(described(&mut client, GROUP, "group", session).0, "50000");
}

#[test]
fn a_groups_settings_stand_before_the_brokers() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let name = new_name();
    let session = "consumer.session.timeout.ms";
    let places = vec![("45000".to_owned(), 5)];
    assert_eq!(described(&mut client, GROUP, &name, session), ("45000".into(), 5, places));
    assert_eq!(change(&mut client, GROUP, &name, &[(session, SET, Some("50000"))]), 0);
    let places = vec![("50000".to_owned(), 8), ("45000".to_owned(), 5)];
    let set = ("50000".to_owned(), 8, places);
    becomes(&set, || described(&mut client, GROUP, &name, session));
    let is_listed = |client: &mut Client| {
        let request = ListConfigResourcesRequest { resource_types: vec![GROUP] };
        let listed: ListConfigResourcesResponse = client.call(1, &request);
        listed.config_resources.iter().any(|it| it.resource_name == name)
    };
    becomes(&true, || is_listed(&mut client));
    assert_eq!(change(&mut client, GROUP, &name, &[(session, DELETE, None)]), 0);
    becomes(&false, || is_listed(&mut client));
}

#[test]
fn what_has_settings_is_listed() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let mut list = |version, resource_types: &[i8]| {
        let request = ListConfigResourcesRequest { resource_types: resource_types.to_vec() };
        let listed: ListConfigResourcesResponse = client.call(version, &request);
        let resources = listed.config_resources.into_iter();
        let resources = resources.map(|it| (it.resource_type, it.resource_name.as_str().to_owned()));
        (listed.error_code.0, resources.collect::<Vec<_>>())
    };
    let (code, all) = list(1, &[]);
    assert_eq!(code, 0);
    assert!(all.contains(&(TOPIC, topic.name.as_str().to_owned())));
    let brokers: Vec<_> = all.iter().filter(|(kind, _)| *kind == BROKER || *kind == LOGGER).collect();
    assert_eq!(brokers.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [LOGGER, BROKER]);
    let topics = list(1, &[TOPIC, TOPIC]).1;
    assert!(topics.iter().all(|(kind, _)| *kind == TOPIC));
    assert_eq!(list(1, &[TOPIC, 64]), (35, Vec::new()));
    assert_eq!(list(0, &[]), (0, Vec::new()));
}

#[test]
fn the_broker_logs_as_it_is_told() {
    let Some(broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let node = node(&mut client);
    assert_eq!(change(&mut client, LOGGER, &node, &[("root", SET, Some("DEBUG"))]), 0);
    assert_eq!(described(&mut client, LOGGER, &node, "root").0, "DEBUG");
    assert_eq!(change(&mut client, LOGGER, &node, &[("root", SET, Some("ERROR"))]), 0);
    assert_eq!(described(&mut client, LOGGER, &node, "root").0, "ERROR");
}
