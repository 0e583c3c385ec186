//! Members of the classic protocol and of the newer one (KIP-848) in one group, which becomes one of the
//! other kind while they are in it.
//!
//! A Kafka that is asked needs `group.consumer.assignment.interval.ms=0`, so that it assigns at once.

use crate::client::Client;
use crate::group::sync_request;
use crate::mixed_group::{Trial, subscription};
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::Topic;
use bytes::Bytes;
use callboard_protocol::assignment;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::join_group::JoinGroupResponse;
use callboard_protocol::kafka::sync_group::SyncGroupResponse;
use callboard_protocol::wire::Str;

const ILLEGAL_GENERATION: i16 = 22;
const INCONSISTENT_PROTOCOL: i16 = 23;
const UNKNOWN_MEMBER: i16 = 25;
const REBALANCING: i16 = 27;
const GROUP_NOT_FOUND: i16 = 69;
const STALE_EPOCH: i16 = 113;

#[test]
fn a_cooperative_member_gives_up_what_a_newer_one_is_to_have() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let old = trial.classic(trial.joins("", &[]), &[0, 1, 2]);
    assert_eq!(trial.beat(&trial.enters("new")), Ok((2, Some(vec![]))));
    let described = trial.describe();
    assert_eq!(
        (described.group_state.as_str(), described.group_epoch, described.assignment_epoch),
        ("Reconciling", 2, 2)
    );
    let types: Vec<_> = described.members.iter().map(|it| (it.member_epoch, it.member_type)).collect();
    assert!(types.contains(&(1, 0)) && types.contains(&(2, 1)), "{types:?}");
    assert_eq!(trial.listed(), ("Reconciling".into(), "consumer".into()));

    assert_eq!(trial.alive(&old, 1), REBALANCING);
    assert_eq!(trial.sync(&old, 1), Err(REBALANCING));
    let codes = [trial.commit(&old, 1, 0), trial.commit(&old, 2, 0), trial.commit(&old, 0, 0)];
    assert_eq!(codes, [0, ILLEGAL_GENERATION, ILLEGAL_GENERATION]);
    assert_eq!([trial.commit("new", 1, 0), trial.commit("new", 2, 0)], [STALE_EPOCH, 0]);
    assert_eq!(
        [trial.fetch(&old, 1), trial.fetch(&old, 2), trial.fetch("new", 1)],
        [0, ILLEGAL_GENERATION, STALE_EPOCH]
    );
    assert_eq!(trial.alive("new", 2), UNKNOWN_MEMBER);
    assert_eq!(trial.sync("new", 2), Err(UNKNOWN_MEMBER));

    // It still has all of it, so it stays in its generation, and learns what is left to it.
    assert_eq!(trial.join(&trial.joins(&old, &[0, 1, 2])), 1);
    assert_eq!(trial.alive(&old, 1), REBALANCING);
    let (version, kept) = trial.sync_versioned(&old, 1).unwrap();
    assert_eq!((version, kept.len()), (3, 2));
    assert_eq!(trial.beat(&trial.says("new", 2)), Ok((2, None)));
    let joins = trial.joins_with(&old, subscription(1, &[&trial.topic.name], &kept));
    assert_eq!(trial.join(&joins), 2);
    assert_eq!(trial.sync_versioned(&old, 2), Ok((1, kept.clone())), "in the version that it speaks");
    assert_eq!(trial.alive(&old, 2), 0);
    let lost = (0..3).find(|partition| !kept.contains(partition)).unwrap();
    assert_eq!([trial.commit(&old, 1, kept[0]), trial.commit(&old, 1, lost)], [0, ILLEGAL_GENERATION]);
    assert_eq!(trial.beat(&trial.says("new", 2)), Ok((2, Some(vec![lost]))));
    assert_eq!(trial.describe().group_state.as_str(), "Stable");
}

#[test]
fn an_eager_member_comes_to_its_share_in_one_round() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let old = trial.classic(trial.joins("", &[]), &[0, 1, 2]);
    trial.beat(&trial.enters("new")).unwrap();
    assert_eq!(trial.alive(&old, 1), REBALANCING);
    let joins = trial.joins_with(&old, subscription(0, &[&trial.topic.name], &[]));
    assert_eq!(trial.join(&joins), 2);
    assert_eq!(trial.sync(&old, 2).map(|partitions| partitions.len()), Ok(2));
    assert_eq!(trial.beat(&trial.says("new", 2)).map(|(_, told)| told.unwrap().len()), Ok(1));
}

#[test]
fn the_last_newer_member_leaves_a_classic_group_behind() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let old = trial.classic(trial.joins("", &[]), &[0, 1, 2]);
    trial.beat(&trial.enters("new")).unwrap();
    trial.join(&trial.joins_with(&old, subscription(0, &[&trial.topic.name], &[])));
    let kept = trial.sync(&old, 2).unwrap();
    assert_eq!(trial.commit(&old, 2, kept[0]), 0);
    assert_eq!(trial.beat(&trial.says("new", -1)).map(|(epoch, _)| epoch), Ok(-1));
    assert_eq!(trial.listed(), ("PreparingRebalance".into(), "classic".into()));
    assert_eq!(trial.describe().error_code.0, GROUP_NOT_FOUND);
    assert_eq!([trial.alive(&old, 1), trial.alive(&old, 2), trial.alive(&old, 3)], [22, 27, 22]);
    assert_eq!(trial.commit(&old, 2, 0), 0, "a member may still commit what it has read");
    let joined = trial.group.join(&trial.joins(&old, &kept));
    assert_eq!((joined.generation_id, joined.leader.as_str()), (3, old.as_str()));
    assert_eq!(trial.classic_state(), "CompletingRebalance");
}

#[test]
fn a_static_name_changes_its_protocol_and_keeps_its_partitions() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let name = Some(Str::from("i1"));
    let mut joins = trial.joins("", &[]);
    joins.group_instance_id.clone_from(&name);
    let old = trial.classic(joins.clone(), &[0, 1, 2]);
    let mut enters = trial.enters("new");
    enters.instance_id.clone_from(&name);
    assert_eq!(trial.beat(&enters), Ok((1, Some(vec![0, 1, 2]))));
    let described = trial.describe();
    assert_eq!((described.group_state.as_str(), described.members.len()), ("Stable", 1));
    assert_eq!(described.members[0].member_type, 1);
    assert_eq!(trial.alive(&old, 1), UNKNOWN_MEMBER);
    let joined: JoinGroupResponse = trial.group.join(&joins);
    assert_eq!((joined.error_code.0, joined.generation_id, joined.leader.as_str()), (0, 1, ""));
    assert_eq!(trial.listed(), ("Stable".into(), "classic".into()));
    assert_eq!(trial.sync(&joined.member_id, 1), Ok(vec![0, 1, 2]));
}

#[test]
fn a_static_member_with_other_topics_makes_the_group_join_again() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let other = Topic::create(&mut trial.group.client, 1);
    let mut joins = trial.joins("", &[]);
    joins.group_instance_id = Some("i1".into());
    trial.classic(joins, &[0, 1, 2]);
    let mut enters = trial.enters("new");
    enters.instance_id = Some("i2".into());
    assert_eq!(trial.beat(&enters), Ok((2, Some(vec![]))));
    let mut joins = trial.joins_with("", subscription(1, &[&trial.topic.name, &other.name], &[]));
    joins.group_instance_id = Some("i2".into());
    let joined = trial.group.join(&joins);
    assert_eq!((joined.error_code.0, joined.generation_id), (0, 0));
    assert_eq!(trial.listed(), ("PreparingRebalance".into(), "classic".into()));
    let id = joined.member_id.as_str();
    assert_eq!(trial.sync(id, 0), Err(ILLEGAL_GENERATION));
    assert_eq!([trial.alive(id, 0), trial.alive(id, 2)], [ILLEGAL_GENERATION, REBALANCING]);
}

/// A classic leader, and a second member with its id that waits in its join for the leader's.
fn second_waits(trial: &mut Trial, broker: &Broker) -> (String, Trial, String) {
    let leader = trial.classic(trial.joins("", &[]), &[0, 1, 2]);
    let mut second = trial.elsewhere(broker);
    let id = second.group.id();
    second.group.client.send(9, &second.joins(&id, &[]));
    while trial.alive(&leader, 1) != REBALANCING {}
    (leader, second, id)
}

#[test]
fn who_waits_while_a_newer_member_comes_is_told_to_join_again() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    let (_, mut second, id) = second_waits(&mut trial, &broker);
    trial.beat(&trial.enters("new")).unwrap();
    let (_, waited): (_, JoinGroupResponse) = second.group.client.receive(9);
    assert_eq!((waited.error_code.0, waited.member_id.as_str()), (REBALANCING, id.as_str()));
    assert_eq!(second.join(&second.joins(&id, &[])), trial.describe().group_epoch);

    // And a second member waits for its assignment.
    let mut trial = Trial::begin(&broker);
    let (leader, mut second, id) = second_waits(&mut trial, &broker);
    assert_eq!(trial.join(&trial.joins(&leader, &[])), 2);
    let (_, joined): (_, JoinGroupResponse) = second.group.client.receive(9);
    assert_eq!(joined.generation_id, 2);
    second.group.client.send(5, &sync_request(&second.group.name, &id, 2, &[]));
    assert_eq!(trial.classic_state(), "CompletingRebalance");
    trial.beat(&trial.enters("new")).unwrap();
    let (_, waited): (_, SyncGroupResponse) = second.group.client.receive(5);
    // By another connection it may come a moment later: when the group is one of the other kind
    // already, and the newer member not in it yet. Then it is told with its next heartbeat.
    let code = waited.error_code.0;
    assert!(code == REBALANCING || (code == 0 && second.alive(&id, 2) == REBALANCING), "{code}");
}

#[test]
fn a_group_that_cannot_be_another_one_goes_on_as_it_is() {
    let broker = Broker::start().unwrap();
    let mut connect = Trial::begin(&broker);
    let mut joins = connect.joins("", &[]);
    joins.protocol_type = "connect".into();
    let mut id_request = joins.clone();
    id_request.member_id = Str::default();
    joins.member_id = connect.group.join(&id_request).member_id;
    assert_eq!(connect.join(&joins), 1);
    assert_eq!(connect.beat(&connect.enters("new")), Err(GROUP_NOT_FOUND));

    let user_data = [&assignment::write(1, &Vec::new())[..6], &[0, 0, 0, 1, 9]].concat();
    for assigned in [Bytes::from_static(b"\0\x01\0"), user_data.into()] {
        let mut trial = Trial::begin(&broker);
        let id = trial.classic_with(trial.joins("", &[]), assigned);
        assert_eq!(trial.beat(&trial.enters("new")), Err(GROUP_NOT_FOUND));
        assert_eq!(trial.beat(&trial.says("new", 3)), Err(GROUP_NOT_FOUND));
        assert_eq!(trial.beat(&trial.says("new", -1)), Err(GROUP_NOT_FOUND));
        assert_eq!((trial.alive(&id, 1), trial.classic_state()), (0, "Stable".into()));
    }
}

#[test]
fn a_classic_member_enters_a_group_that_the_broker_assigns_to() {
    let broker = Broker::start().unwrap();
    let mut trial = Trial::begin(&broker);
    assert_eq!(trial.beat(&trial.enters("new")).map(|(_, told)| told), Ok(Some(vec![0, 1, 2])));
    let epoch = trial.describe().group_epoch;
    let first = trial.group.join(&trial.joins("", &[]));
    assert_eq!((first.error_code, first.member_id.is_empty()), (ErrorCode::MEMBER_ID_REQUIRED, false));
    let mut other = trial.joins("any", &[]);
    other.protocol_type = "connect".into();
    let refused = trial.group.join(&other);
    assert_eq!((refused.error_code.0, refused.member_id.as_str()), (INCONSISTENT_PROTOCOL, ""));
    let joined = trial.group.join(&trial.joins("any", &[]));
    assert_eq!((joined.error_code.0, joined.generation_id), (0, epoch + 1));
    assert_eq!((joined.leader.as_str(), joined.members.len()), ("", 0));
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(trial.sync("any", epoch + 1), Ok(vec![]), "the other has not given anything up");
    assert_eq!(trial.alive("any", epoch + 1), 0);
    let mut other = trial.joins("other", &[]);
    other.protocols[0].name = "roundrobin".into();
    assert_eq!(trial.group.join(&other).error_code.0, INCONSISTENT_PROTOCOL);
    let mut syncs = sync_request(&trial.group.name, "any", epoch + 1, &[]);
    syncs.protocol_name = Some("roundrobin".into());
    assert_eq!(trial.group.sync(&syncs).error_code.0, INCONSISTENT_PROTOCOL);
    // The newer one gives up what it is to, and the classic one is called.
    let kept = trial.beat(&trial.says("new", epoch)).unwrap().1.unwrap();
    let mut has = trial.enters("new");
    has.member_epoch = epoch;
    has.topic_partitions.as_mut().unwrap().push(
        callboard_protocol::kafka::consumer_group_heartbeat::TopicPartitions {
            topic_id: trial.topic.id,
            partitions: kept.clone(),
        },
    );
    assert_eq!(trial.beat(&has).map(|(epoch, _)| epoch), Ok(epoch + 1));
    assert_eq!(trial.alive("any", epoch + 1), REBALANCING);
    assert_eq!(trial.join(&trial.joins("any", &[])), epoch + 1);
    let mut all = trial.sync("any", epoch + 1).unwrap();
    all.extend(kept);
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2]);
    assert_eq!(trial.group.leave("any").0, 0);
    assert_eq!(trial.group.leave("any").0, UNKNOWN_MEMBER);
}

#[test]
fn a_mixed_group_goes_on_after_a_crash() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut trial = Trial::begin(&broker);
    let old = trial.classic(trial.joins("", &[]), &[0, 1, 2]);
    trial.beat(&trial.enters("new")).unwrap();
    trial.join(&trial.joins(&old, &[0, 1, 2]));
    let kept = trial.sync(&old, 1).unwrap();
    broker.kill().unwrap();
    broker.restart().unwrap();
    trial.group.client = Client::connect(&broker);
    assert_eq!(trial.alive(&old, 1), REBALANCING);
    assert_eq!(trial.sync(&old, 1), Ok(kept.clone()));
    assert_eq!(trial.join(&trial.joins(&old, &kept)), 2);
    assert_eq!(trial.beat(&trial.says("new", 2)).map(|(_, told)| told.unwrap().len()), Ok(1));
    assert_eq!(trial.beat(&trial.says("new", -1)).map(|(epoch, _)| epoch), Ok(-1));
    broker.kill().unwrap();
    broker.restart().unwrap();
    trial.group.client = Client::connect(&broker);
    assert_eq!(trial.listed().1, "classic");
    assert_eq!(trial.alive(&old, 2), REBALANCING);
    assert_eq!(trial.join(&trial.joins(&old, &kept)), 3);
}

#[test]
fn a_broker_that_is_told_to_keeps_the_protocols_apart() {
    let Some(broker) = own_broker(&["group.consumer.migration.policy=Disabled"]) else { return };
    let mut trial = Trial::begin(&broker);
    let old = trial.classic(trial.joins("", &[]), &[0, 1, 2]);
    assert_eq!(trial.beat(&trial.enters("new")), Err(GROUP_NOT_FOUND));
    assert_eq!(trial.alive(&old, 1), 0);

    let Some(broker) = own_broker(&["group.consumer.migration.policy=upgrade"]) else { return };
    let mut trial = Trial::begin(&broker);
    let old = trial.classic(trial.joins("", &[]), &[0, 1, 2]);
    trial.beat(&trial.enters("new")).unwrap();
    trial.beat(&trial.says("new", -1)).unwrap();
    assert_eq!(trial.listed().1, "consumer");
    // Nobody else would make the assignment.
    assert_eq!(trial.alive(&old, 1), REBALANCING);
    let generation = trial.join(&trial.joins(&old, &[0, 1, 2]));
    assert_eq!(trial.sync(&old, generation), Ok(vec![0, 1, 2]));
}
