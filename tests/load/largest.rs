//! Requests that ask for the largest answer that there is.

use crate::batch::Batch;
use crate::bystander::Bystanders;
use crate::native;
use crate::topic::{Topic, new_name};
use crate::victim::Victim;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_topics::{CreatableTopic, CreateTopicsRequest, CreateTopicsResponse};
use callboard_protocol::kafka::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
};
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use callboard_protocol::native::topics::ListTopics;
use callboard_protocol::wire::Str;
use socket2::SockRef;
use std::time::Duration;

const NAMES: usize = 100_000;
const PARTITIONS: u32 = 500;

fn named(count: usize) -> MetadataRequest {
    let topic =
        |at| MetadataRequestTopic { name: Some(format!("nowhere-{at}").into()), ..Default::default() };
    let topics = Some((0..count).map(topic).collect());
    MetadataRequest { topics, allow_auto_topic_creation: false, ..Default::default() }
}

#[test]
fn a_hundred_thousand_topics_named_at_once_are_refused_or_answered_in_bounded_memory() {
    for max in [20_000, NAMES] {
        let victim = Victim::start(&[&format!("max.partitions.per.request={max}")]);
        let bystanders = Bystanders::start(&victim);
        let (before, open) = (victim.resident(), victim.open());
        let mut clients: Vec<_> = (0..4).map(|_| victim.kafka()).collect();
        // Before any answer is read.
        for client in &mut clients {
            client.send(9, &named(NAMES));
        }
        bystanders.assert_answered();
        for client in &mut clients {
            if max < NAMES {
                client.assert_closed("more names than there may be");
            } else {
                let (_, answer) = client.receive::<MetadataResponse>(9);
                assert_eq!(answer.topics.len(), NAMES);
                assert!(
                    answer.topics.iter().all(|it| it.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
                );
            }
        }
        let names = (0..NAMES).map(|at| format!("nowhere-{at}")).collect();
        let list = native::frame(1, ListTopics { names: Some(names), create: false });
        let mut native = victim.native();
        std::io::Write::write_all(native.stream(), &list).unwrap();
        assert_eq!(native.receive_frame().len() > 1_000_000, max == NAMES);
        let grown = victim.peak().saturating_sub(before);
        println!("{grown} bytes for {NAMES} names with {max} allowed");
        // A name takes so many bytes while it is asked for, and again in the answer.
        assert!(grown < 5 * NAMES as u64 * 400, "{grown} bytes");
        drop((clients, native));
        victim.assert_back_to(open);
        bystanders.stop();
    }
}

#[test]
fn answers_that_tell_of_all_there_is_share_one_bound() {
    let victim = Victim::start(&["queued.max.response.bytes=8000000", "response.send.timeout.ms=30000"]);
    let mut client = victim.kafka();
    let names: Vec<Str> = (0..1000).map(|at| format!("described-{at}").into()).collect();
    let topic = |name: &Str| CreatableTopic {
        name: name.clone(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let topics = names.iter().map(topic).collect();
    let create = CreateTopicsRequest { topics, timeout_ms: 60_000, ..Default::default() };
    client.call::<_, CreateTopicsResponse>(7, &create);
    let of_topic = |name: &Str| DescribeConfigsResource {
        resource_type: 2,
        resource_name: name.clone(),
        ..Default::default()
    };
    let resources = names.iter().map(of_topic).collect();
    let describe = DescribeConfigsRequest { resources, include_synonyms: true, include_documentation: true };
    let bystanders = Bystanders::start(&victim);
    let open = victim.open();
    let mut silent: Vec<_> = (0..8).map(|_| victim.kafka()).collect();
    for client in &mut silent {
        // Else the system may take a whole answer for them.
        SockRef::from(&*client.stream()).set_recv_buffer_size(4096).unwrap();
        client.send(4, &describe);
    }
    // Much sooner than if nobody else waited for the room that their answers take.
    victim.wait_for_log("the client took nothing", Duration::from_secs(15));
    let answer: DescribeConfigsResponse = client.call(4, &describe);
    assert_eq!(answer.results.len(), names.len());
    bystanders.assert_answered();
    drop((silent, client));
    victim.assert_back_to(open);
    bystanders.stop();
}

#[test]
fn many_who_ask_for_all_records_at_once_share_one_bound() {
    let victim = Victim::start(&["queued.max.response.bytes=16000000"]);
    let mut client = victim.kafka();
    let topic = Topic::create_named(&mut client, new_name(), PARTITIONS as i32, &[]);
    let batch = Batch::of_size(100_000).bytes();
    let all: Vec<_> = (0..PARTITIONS as i32).map(|partition| (partition, batch.clone())).collect();
    for some in all.chunks(100) {
        client.call::<_, callboard_protocol::kafka::produce::ProduceResponse>(
            9,
            &topic.produce_request(-1, some),
        );
    }
    let bystanders = Bystanders::start(&victim);
    let (before, open) = (victim.resident(), victim.open());
    let offsets: Vec<_> = (0..PARTITIONS as i32).map(|partition| (partition, 0)).collect();
    let fetch = FetchRequest { max_bytes: i32::MAX, ..topic.fetch_request(&offsets) };
    let mut readers: Vec<_> = (0..10).map(|_| (victim.kafka(), victim.native())).collect();
    for (kafka, native) in &mut readers {
        kafka.send(11, &fetch);
        let fetch = native::frame(1, native::fetch(&topic, PARTITIONS));
        std::io::Write::write_all(native.stream(), &fetch).unwrap();
    }
    bystanders.assert_answered();
    for (kafka, native) in &mut readers {
        let (_, answer) = kafka.receive::<FetchResponse>(11);
        assert!(answer.responses[0].partitions.iter().any(|it| it.records.is_some()));
        assert!(native.receive::<callboard_protocol::native::read::Fetch>().0.len() >= 100_000);
    }
    let grown = victim.peak().saturating_sub(before);
    println!("{grown} bytes for answers of 50 MB each");
    assert!(grown < 64 << 20, "{grown} bytes");
    drop((readers, client));
    victim.assert_back_to(open);
    bystanders.stop();
}
