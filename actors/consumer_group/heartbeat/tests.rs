//! Tests of a member's life in a group that the broker assigns to.

mod simulation;

use super::super::leave::Absence;
use super::super::state::ConsumerState;
use super::super::trial::Trial;
use super::*;
use crate::broker::topics::tests::topics;
use uuid::Uuid;

const ALL: &[(u128, &str, u32)] = &[(1, "orders", 4), (2, "audit", 2)];

fn owned(partitions: &[i32]) -> TopicPartitions {
    if partitions.is_empty() { TopicPartitions::new() } else { [(id(1), partitions.to_vec())].into() }
}

fn id(topic: u128) -> TopicId {
    TopicId(Uuid::from_u128(topic))
}

/// What a member says that enters and reads the orders.
fn enters(member: &str) -> Beat {
    Beat {
        member: Some(member.into()),
        rebalance_timeout_ms: Some(60_000),
        topics: Some(vec!["orders".to_owned()]),
        owned: Some(TopicPartitions::new()),
        ..Beat::default()
    }
}

fn says(member: &str, epoch: i32, has: Option<&[i32]>) -> Beat {
    Beat { member: Some(member.into()), epoch, owned: has.map(owned), ..Beat::default() }
}

impl Trial {
    /// The epoch that a member comes to, and the orders' partitions that it is told to have.
    fn told(&mut self, beat: &Beat) -> (i32, Option<Vec<i32>>) {
        let beaten = self.beat(beat).unwrap();
        let orders = |all: TopicPartitions| all.get(&id(1)).cloned().unwrap_or_default();
        (beaten.epoch, beaten.assignment.map(orders))
    }
}

#[test]
fn a_second_member_is_given_what_the_first_has_given_up() {
    let mut trial = Trial::new(ALL, &[]);
    assert_eq!(trial.told(&enters("a")), (2, Some(vec![0, 1, 2, 3])));
    assert_eq!(trial.group.state(), ConsumerState::Stable);
    assert_eq!(trial.told(&enters("b")), (3, Some(vec![])), "nothing is free yet");
    assert_eq!(trial.group.state(), ConsumerState::Reconciling);
    assert_eq!(trial.told(&says("a", 2, None)), (2, Some(vec![0, 1])), "it is to give up two");
    assert_eq!(trial.told(&says("a", 2, None)), (2, None));
    assert_eq!(trial.told(&says("b", 3, None)), (3, None), "they are not free yet");
    assert_eq!(trial.told(&says("a", 2, Some(&[0, 1]))), (3, None));
    assert_eq!(trial.told(&says("b", 3, None)), (3, Some(vec![2, 3])));
    assert_eq!(trial.group.state(), ConsumerState::Stable);
}

#[test]
fn a_lost_answer_is_told_again_to_who_says_all_of_itself() {
    let mut trial = Trial::new(ALL, &[]);
    trial.told(&enters("a"));
    trial.told(&enters("b"));
    trial.told(&says("a", 2, None));
    trial.told(&says("a", 2, Some(&[0, 1])));
    let all = Beat { epoch: 2, owned: Some(owned(&[0, 1])), ..enters("a") };
    assert_eq!(trial.told(&all), (3, Some(vec![0, 1])));
    let fenced = BeatError::FencedEpoch { found: 2, known: 3 };
    assert_eq!(trial.beat(&says("a", 2, Some(&[0, 2]))), Err(fenced.clone()), "it was not given that");
    assert_eq!(trial.beat(&says("a", 2, None)), Err(fenced));
    assert_eq!(trial.beat(&says("a", 4, None)), Err(BeatError::FencedEpoch { found: 4, known: 3 }));
    assert_eq!(trial.told(&enters("a")), (3, Some(vec![0, 1])), "who begins again is heard");
}

#[test]
fn a_stranger_is_unknown_unless_it_enters_and_a_full_group_lets_nobody_in() {
    let mut trial = Trial::new(ALL, &[("group.consumer.max.size", "1")]);
    assert_eq!(trial.beat(&says("a", 1, None)), Err(BeatError::UnknownMember("a".to_owned())));
    trial.told(&enters("a"));
    assert_eq!(trial.beat(&enters("b")), Err(BeatError::Full(1)));
    assert_eq!(trial.told(&says("a", 2, None)), (2, None));
}

#[test]
fn a_member_that_leaves_or_falls_silent_leaves_its_partitions_to_the_others() {
    let mut trial = Trial::new(ALL, &[]);
    trial.told(&enters("a"));
    trial.told(&enters("b"));
    trial.told(&says("a", 2, Some(&[0, 1])));
    trial.told(&says("a", 2, Some(&[0, 1])));
    trial.leave(&"b".into(), None, Absence::ForGood).unwrap();
    let (epoch, assignment) = trial.told(&says("a", 3, None));
    assert_eq!((epoch, assignment), (4, Some(vec![0, 1, 2, 3])));
    trial.pass(Duration::from_secs(44));
    assert_eq!(trial.group.state(), ConsumerState::Stable);
    trial.pass(Duration::from_secs(1));
    assert_eq!((trial.group.state(), trial.group.epoch), (ConsumerState::Empty, 5));
}

#[test]
fn a_member_that_does_not_give_up_in_time_is_out() {
    let mut trial = Trial::new(ALL, &[]);
    trial.told(&Beat { rebalance_timeout_ms: Some(50_000), ..enters("a") });
    trial.told(&enters("b"));
    trial.told(&says("a", 2, None));
    for _ in 0..5 {
        trial.pass(Duration::from_secs(10));
        let _ = trial.beat(&says("a", 2, None));
        trial.beat(&says("b", 3, None)).unwrap();
    }
    assert!(!trial.group.members.contains_key("a"));
    assert_eq!(trial.group.members["b"].assigned[&id(1)].len(), 4);
}

#[test]
fn a_static_member_is_back_where_it_was_and_its_name_is_its_own_until_it_goes() {
    let mut trial = Trial::new(ALL, &[]);
    let fixed = |member: &str| Beat { instance: Some("one".into()), ..enters(member) };
    assert_eq!(trial.told(&fixed("x")), (2, Some(vec![0, 1, 2, 3])));
    assert!(matches!(trial.beat(&fixed("y")), Err(BeatError::UnreleasedInstance(..))));
    let instance = InstanceId::from("one");
    let wrong = trial.leave(&"y".into(), Some(&instance), Absence::ForAWhile);
    assert!(matches!(wrong, Err(BeatError::FencedInstance(..))));
    trial.leave(&"x".into(), Some(&instance), Absence::ForAWhile).unwrap();
    assert_eq!(trial.told(&enters("b")), (3, Some(vec![])), "its partitions wait for it");
    assert!(matches!(trial.beat(&says("x", 2, None)), Err(BeatError::FencedEpoch { .. })));
    let (epoch, assignment) = trial.told(&fixed("y"));
    assert_eq!((epoch, assignment), (3, Some(vec![0, 1])));
    let old = Beat { instance: Some("one".into()), ..says("x", 2, None) };
    assert!(matches!(trial.beat(&old), Err(BeatError::FencedInstance(..))));
}

#[test]
fn a_member_that_takes_a_static_place_leaves_its_own_to_the_others_and_an_old_name_is_free() {
    let mut trial = Trial::new(ALL, &[]);
    let fixed = |member: &str, name: &str| Beat { instance: Some(name.into()), ..enters(member) };
    trial.told(&fixed("x", "one"));
    trial.told(&enters("a"));
    trial.told(&says("x", 2, Some(&[0, 1])));
    trial.told(&says("x", 2, Some(&[0, 1])));
    assert_eq!(trial.told(&says("a", 3, None)), (3, Some(vec![2, 3])));
    let one = InstanceId::from("one");
    trial.leave(&"x".into(), Some(&one), Absence::ForAWhile).unwrap();
    assert_eq!(trial.told(&fixed("a", "one")), (4, Some(vec![0, 1, 2, 3])), "it is alone now");
    trial.told(&fixed("a", "two"));
    assert_eq!(trial.told(&fixed("b", "one")).0, 5, "the name is nobody's");
}

#[test]
fn new_partitions_and_topics_are_assigned_without_asking() {
    let mut trial = Trial::new(ALL, &[]);
    let pattern = Beat { topics: None, pattern: Some("ord.*|new".to_owned()), ..enters("a") };
    assert_eq!(trial.told(&pattern), (2, Some(vec![0, 1, 2, 3])));
    trial.topics = topics(&[(1, "orders", 5), (2, "audit", 2)]);
    assert_eq!(trial.told(&says("a", 2, None)), (3, Some(vec![0, 1, 2, 3, 4])));
    trial.topics = topics(&[(1, "orders", 5), (3, "new", 1)]);
    let told = trial.beat(&says("a", 3, None)).unwrap();
    assert_eq!(told.assignment.unwrap()[&id(3)], [0]);
    trial.topics = topics(&[(3, "new", 1)]);
    let told = trial.beat(&says("a", 4, Some(&[]))).unwrap();
    assert_eq!(told.assignment.unwrap().into_keys().collect::<Vec<_>>(), [id(3)], "a deleted topic goes");
    let same = topics(&[(3, "new", 1), (4, "other", 1)]);
    trial.topics = same;
    let epoch = trial.group.epoch;
    trial.beat(&says("a", 5, None)).unwrap();
    assert_eq!(trial.group.epoch, epoch, "a topic that nobody reads changes nothing");
}

#[test]
fn a_bad_pattern_changes_nothing() {
    let mut trial = Trial::new(ALL, &[]);
    trial.told(&enters("a"));
    let bad = Beat { pattern: Some("(".to_owned()), ..says("a", 2, None) };
    assert!(matches!(trial.beat(&bad), Err(BeatError::Pattern(_))));
    trial.pass(Duration::from_secs(45));
    assert_eq!(trial.group.state(), ConsumerState::Empty, "nor was it a sign of life");
}

#[test]
fn a_member_that_reads_something_else_gives_up_what_it_does_not_read() {
    let mut trial = Trial::new(ALL, &[]);
    trial.told(&enters("a"));
    let other = Beat { topics: Some(vec!["audit".to_owned()]), ..says("a", 2, None) };
    assert_eq!(trial.told(&other), (2, Some(vec![])));
    let told = trial.beat(&says("a", 2, Some(&[]))).unwrap();
    assert_eq!((told.epoch, &told.assignment.unwrap()[&id(2)]), (3, &vec![0, 1]));
}

#[test]
fn who_asks_for_an_assignor_decides_and_an_interval_is_kept() {
    let mut trial = Trial::new(ALL, &[("group.consumer.assignment.interval.ms", "1000")]);
    trial.told(&enters("b"));
    trial.pass(Duration::from_millis(500));
    let range = Beat { assignor: Some("range".to_owned()), ..enters("a") };
    assert_eq!(trial.told(&range), (2, Some(vec![])), "there was an assignment a moment ago");
    assert_eq!(trial.group.state(), ConsumerState::Assigning);
    trial.pass(Duration::from_millis(500));
    assert_eq!(trial.told(&says("b", 2, Some(&[2, 3]))).0, 3);
    assert_eq!(
        trial.told(&says("a", 2, None)),
        (3, Some(vec![0, 1])),
        "the first by name has the first ones"
    );
}

#[test]
fn a_restart_goes_on_where_the_group_was() {
    let mut trial = Trial::new(ALL, &[]);
    trial.told(&enters("a"));
    trial.told(&enters("b"));
    trial.told(&says("a", 2, None));
    trial.restart();
    assert_eq!(trial.told(&says("b", 3, None)), (3, None));
    assert_eq!(trial.told(&says("a", 2, Some(&[0, 1]))), (3, None));
    assert_eq!(trial.told(&says("b", 3, None)), (3, Some(vec![2, 3])));
}
