//! Tests of joining: who is let in, who waits for whom, and what starts a rebalance.

use super::super::heartbeat::{Beating, HeartbeatError};
use super::super::leave::Leaving;
use super::super::sync::SyncError;
use super::super::trial::{NEARLY_SESSION, REBALANCE, SESSION, Trial, Waiting, joining, protocol};
use super::*;
use std::sync::Arc;

fn refused<T: std::fmt::Debug>(waiting: &mut Waiting<T, JoinRefused>) -> JoinError {
    waiting.try_recv().unwrap().unwrap_err().error
}

fn beat(trial: &mut Trial, id: &MemberId, generation: i32) -> Result<(), HeartbeatError> {
    trial.group.heartbeat(&Beating { member: id.clone(), instance: None, generation }, trial.now)
}

fn as_static(name: &str, member: Option<&MemberId>) -> Joining {
    Joining { instance: Some(name.into()), ..joining(member) }
}

#[test]
fn a_new_member_is_given_an_id_and_is_in_when_it_comes_with_it() {
    let mut trial = Trial::new();
    let id = trial.id();
    assert!(id.starts_with("client-"));
    let mut waiting = trial.join(joining(Some(&id)));
    trial.pass(Duration::ZERO);
    let joined = waiting.try_recv().unwrap().unwrap();
    assert_eq!((joined.generation, &*joined.leader, &joined.member), (1, &*id, &id));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(trial.group.state(), State::CompletingRebalance);
    let mut synced = trial.sync(&id, 1, &[(&id, "all")]);
    assert_eq!(synced.try_recv().unwrap().unwrap().assignment, "all");
    assert_eq!(trial.group.state(), State::Stable);
}

#[test]
fn an_old_client_is_in_without_an_id() {
    let mut trial = Trial::new();
    let mut waiting = trial.join(Joining { entrance: Entrance::Direct, ..joining(None) });
    trial.pass(Duration::ZERO);
    assert_eq!(waiting.try_recv().unwrap().unwrap().generation, 1);
}

#[test]
fn an_id_that_nobody_was_given_is_unknown_and_protocols_are_looked_at_first() {
    let mut trial = Trial::new();
    trial.stable(1);
    let stranger = MemberId::from("stranger");
    assert_eq!(refused(&mut trial.join(joining(Some(&stranger)))), JoinError::UnknownMember);
    let other = Joining { protocol_type: "connect".to_owned(), ..joining(Some(&stranger)) };
    assert_eq!(refused(&mut trial.join(other)), JoinError::InconsistentProtocol);
    let none = Joining { protocols: Vec::new(), ..joining(None) };
    assert_eq!(refused(&mut trial.join(none)), JoinError::InconsistentProtocol);
}

#[test]
fn a_second_member_waits_until_the_first_has_joined_again() {
    let mut trial = Trial::new();
    let first = trial.stable(1).remove(0);
    let second = trial.id();
    let mut waiting = trial.join(joining(Some(&second)));
    assert!(waiting.try_recv().is_err());
    assert_eq!(beat(&mut trial, &first, 1), Err(HeartbeatError::Rebalancing));
    let mut leads = trial.join(joining(Some(&first)));
    let led = leads.try_recv().unwrap().unwrap();
    let follows = waiting.try_recv().unwrap().unwrap();
    assert_eq!((led.generation, led.members.len()), (2, 2));
    assert_eq!((follows.generation, follows.members.len(), &*follows.leader), (2, 0, &*first));
    let mut synced = trial.sync(&second, 2, &[]);
    assert!(synced.try_recv().is_err(), "the leader has not assigned yet");
    trial.sync(&first, 2, &[(&first, "a"), (&second, "b")]);
    assert_eq!(synced.try_recv().unwrap().unwrap().assignment, "b");
}

#[test]
fn who_does_not_join_again_in_time_is_out() {
    let mut trial = Trial::new();
    let ids = trial.stable(2);
    let third = trial.id();
    let mut waiting = trial.join(joining(Some(&third)));
    let mut again = trial.join(joining(Some(&ids[1])));
    for _ in 0..7 {
        trial.pass(NEARLY_SESSION);
        let _ = beat(&mut trial, &ids[0], 2);
    }
    assert!(waiting.try_recv().is_ok() && again.try_recv().is_ok());
    assert_eq!(trial.group.members.len(), 2);
    assert_eq!(beat(&mut trial, &ids[0], 3), Err(HeartbeatError::UnknownMember));
}

#[test]
fn a_leader_that_never_assigns_is_out_and_the_others_go_on() {
    let mut trial = Trial::new();
    let ids = trial.stable(2);
    let third = trial.id();
    let waiting = trial.join(joining(Some(&third)));
    drop((trial.join(joining(Some(&ids[0]))), trial.join(joining(Some(&ids[1]))), waiting));
    let mut synced = trial.sync(&ids[1], 3, &[]);
    let mut third_synced = trial.sync(&third, 3, &[]);
    for _ in 0..7 {
        trial.pass(NEARLY_SESSION);
        let _ = beat(&mut trial, &ids[0], 3);
    }
    assert_eq!(synced.try_recv().unwrap(), Err(SyncError::Rebalancing));
    assert_eq!(third_synced.try_recv().unwrap(), Err(SyncError::Rebalancing));
    let mut led = trial.join(joining(Some(&ids[1])));
    let mut third_led = trial.join(joining(Some(&third)));
    let generations = [led.try_recv().unwrap().unwrap(), third_led.try_recv().unwrap().unwrap()];
    assert_eq!(generations.map(|joined| joined.generation), [4, 4]);
    assert!(!trial.group.members.contains(&ids[0]));
}

#[test]
fn a_member_that_falls_silent_is_out_and_the_group_is_joined_again() {
    let mut trial = Trial::new();
    let ids = trial.stable(2);
    trial.pass(SESSION / 2);
    assert_eq!(beat(&mut trial, &ids[1], 2), Ok(()));
    trial.pass(SESSION / 2);
    assert_eq!(beat(&mut trial, &ids[0], 2), Err(HeartbeatError::UnknownMember));
    assert_eq!(beat(&mut trial, &ids[1], 2), Err(HeartbeatError::Rebalancing));
    assert_eq!(trial.join(joining(Some(&ids[1]))).try_recv().unwrap().unwrap().generation, 3);
}

#[test]
fn a_follower_that_joins_unchanged_is_answered_at_once_and_a_leader_begins_a_rebalance() {
    let mut trial = Trial::new();
    let ids = trial.stable(2);
    let joined = trial.join(joining(Some(&ids[1]))).try_recv().unwrap().unwrap();
    assert_eq!((joined.generation, joined.members.len()), (2, 0));
    assert_eq!(trial.group.state(), State::Stable);
    assert!(trial.join(joining(Some(&ids[0]))).try_recv().is_err());
    assert_eq!(trial.group.state(), State::PreparingRebalance);
}

#[test]
fn an_empty_group_waits_for_more_members_when_it_is_told_to() {
    let mut trial = Trial::with(&[("group.initial.rebalance.delay.ms", "3000")]);
    let second = Duration::from_secs(1);
    let (one, two) = (trial.id(), trial.id());
    let mut first = trial.join(joining(Some(&one)));
    trial.pass(second * 2);
    let mut other = trial.join(joining(Some(&two)));
    trial.pass(second);
    assert!(first.try_recv().is_err(), "somebody has come: it waits once more");
    trial.pass(second * 3);
    let generations = [first.try_recv().unwrap().unwrap(), other.try_recv().unwrap().unwrap()];
    assert_eq!(generations.map(|joined| joined.generation), [1, 1]);
}

#[test]
fn a_static_member_that_returns_keeps_its_place_without_a_rebalance() {
    let mut trial = Trial::new();
    let mut waiting = trial.join(as_static("a", None));
    trial.pass(Duration::ZERO);
    let old = waiting.try_recv().unwrap().unwrap().member;
    trial.sync(&old, 1, &[(&old, "all")]).try_recv().unwrap().unwrap();
    let returned = trial.join(as_static("a", None)).try_recv().unwrap().unwrap();
    assert_ne!(returned.member, old);
    assert_eq!((returned.generation, returned.skip_assignment, returned.members.len()), (1, true, 1));
    let mut synced = trial.sync(&returned.member, 1, &[]);
    assert_eq!(synced.try_recv().unwrap().unwrap().assignment, "all");
    let stale = Beating { member: old, instance: Some("a".into()), generation: 1 };
    assert_eq!(trial.group.heartbeat(&stale, trial.now), Err(HeartbeatError::FencedInstance));
    let follows = Joining { returning_leader: ReturningLeader::Follows, ..as_static("a", None) };
    let again = trial.join(follows).try_recv().unwrap().unwrap();
    assert_eq!(
        (&*again.leader, again.members.len()),
        (&*returned.member, 0),
        "it is told that another leads"
    );
}

#[test]
fn a_static_member_that_changes_the_protocol_or_comes_too_early_begins_a_rebalance() {
    let mut trial = Trial::new();
    let mut waiting = trial.join(as_static("a", None));
    trial.pass(Duration::ZERO);
    let old = waiting.try_recv().unwrap().unwrap().member;
    let mut synced = trial.sync(&old, 1, &[]);
    assert!(synced.try_recv().is_ok());
    let other = Joining { protocols: vec![protocol("sticky", "orders")], ..as_static("a", None) };
    assert_eq!(refused(&mut trial.join(other)), JoinError::InconsistentProtocol, "old ones still count");
    let more = vec![protocol("sticky", "orders"), protocol("range", "orders")];
    let joined = trial.join(Joining { protocols: more, ..as_static("a", None) });
    drop(joined);
    assert_eq!(trial.group.generation, 2);
    drop(trial.join(as_static("a", None)));
    assert_eq!(trial.group.generation, 3, "the assignment was not there yet");
}

#[test]
fn who_waits_under_an_id_that_is_replaced_is_fenced() {
    let mut trial = Trial::with(&[("group.initial.rebalance.delay.ms", "3000")]);
    let mut waiting = trial.join(as_static("a", None));
    drop(trial.join(as_static("a", None)));
    assert_eq!(refused(&mut waiting), JoinError::FencedInstance);
    assert_eq!(trial.group.members.len(), 1);
}

#[test]
fn a_full_group_takes_nobody_in() {
    let mut trial = Trial::with(&[("group.max.size", "1")]);
    let ids = trial.stable(1);
    let mut second = trial.join(joining(None));
    let answer = second.try_recv().unwrap().unwrap_err();
    assert_eq!(answer, JoinRefused { error: JoinError::Full, member: None });
    assert_eq!(beat(&mut trial, &ids[0], 1), Ok(()));
}

#[test]
fn given_ids_that_nobody_uses_are_bounded_and_forgotten() {
    let mut trial = Trial::new();
    let first = trial.id();
    for _ in 0..PENDING_MAX {
        trial.id();
    }
    assert_eq!(trial.group.pending.len(), PENDING_MAX);
    assert_eq!(refused(&mut trial.join(joining(Some(&first)))), JoinError::UnknownMember);
    trial.pass(SESSION);
    assert!(trial.group.pending.is_empty() && trial.group.deadlines.is_empty());
}

#[test]
fn an_id_that_was_given_is_waited_for_until_its_time_is_over() {
    let mut trial = Trial::new();
    let ids = trial.stable(1);
    let (second, _third) = (trial.id(), trial.id());
    drop(trial.join(joining(Some(&second))));
    let mut leads = trial.join(joining(Some(&ids[0])));
    assert!(leads.try_recv().is_err(), "the third is awaited");
    trial.pass(SESSION);
    assert_eq!(leads.try_recv().unwrap().unwrap().generation, 2);
}

#[test]
fn the_last_that_leaves_empties_the_group_and_who_waits_is_told() {
    let mut trial = Trial::new();
    let ids = trial.stable(2);
    let leaving = |id: &MemberId| Leaving { member: Some(id.clone()), instance: None };
    let mut waiting = trial.join(joining(Some(&ids[0])));
    let both = [leaving(&ids[0]), leaving(&ids[0]), leaving(&ids[1])];
    let outcomes = trial.group.leave(&both, trial.now);
    trial.settle();
    assert!(outcomes[0].is_ok() && outcomes[1].is_err() && outcomes[2].is_ok());
    assert_eq!(refused(&mut waiting), JoinError::UnknownMember);
    assert_eq!((trial.group.state(), trial.group.generation), (State::Empty, 3));
    assert_eq!(trial.group.protocol_type.as_deref(), Some("consumer"));
}

#[test]
fn a_restart_finds_the_members_with_their_generation_and_sessions() {
    let mut trial = Trial::new();
    let ids = trial.stable(2);
    let row = trial.group.to_row();
    trial.group = ClassicGroup::from_row(row.clone(), trial.group.settings, trial.now);
    assert_eq!(trial.group.to_row(), row);
    assert_eq!(beat(&mut trial, &ids[0], 2), Ok(()));
    let joined = trial.join(joining(Some(&ids[1]))).try_recv().unwrap().unwrap();
    assert_eq!(joined.generation, 2, "it knows the protocols of its members");
    assert!(trial.group.is_subscribed("orders") && !trial.group.is_subscribed("audit"));
    trial.pass(SESSION);
    assert_eq!(trial.group.state(), State::Empty);
}

#[test]
fn a_restart_between_join_and_sync_goes_on_there() {
    let mut trial = Trial::new();
    let id = trial.id();
    drop(trial.join(joining(Some(&id))));
    trial.pass(Duration::ZERO);
    trial.group = ClassicGroup::from_row(trial.group.to_row(), trial.group.settings, trial.now);
    assert_eq!(trial.group.state(), State::CompletingRebalance);
    let mut synced = trial.sync(&id, 1, &[(&id, "all")]);
    assert_eq!(synced.try_recv().unwrap().unwrap().assignment, "all");
    let mut unsynced = Trial::new();
    let id = unsynced.id();
    drop(unsynced.join(joining(Some(&id))));
    unsynced.pass(Duration::ZERO);
    unsynced.group =
        ClassicGroup::from_row(unsynced.group.to_row(), unsynced.group.settings.clone(), unsynced.now);
    for _ in 0..7 {
        let _ = beat(&mut unsynced, &id, 1);
        unsynced.pass(NEARLY_SESSION);
    }
    assert!(unsynced.now.instant.elapsed() < REBALANCE && unsynced.group.members.is_empty());
}

#[test]
fn static_members_that_nobody_waits_for_do_not_keep_the_group_busy() {
    let mut trial = Trial::new();
    let hasty = Joining { rebalance_timeout: Duration::ZERO, ..as_static("a", None) };
    let dynamic = trial.stable(1).remove(0);
    let mut waiting = trial.join(hasty);
    drop(trial.join(joining(Some(&dynamic))));
    let id = waiting.try_recv().unwrap().unwrap().member;
    drop((trial.sync(&id, 2, &[]), trial.sync(&dynamic, 2, &[])));
    trial.group.leave(&[Leaving { member: Some(dynamic), instance: None }], trial.now);
    trial.pass(Duration::ZERO);
    assert_eq!(trial.group.state(), State::PreparingRebalance);
    for _ in 0..6 {
        trial.pass(Duration::from_secs(2));
    }
    assert_eq!(trial.group.state(), State::Empty, "its session is over");
}

#[test]
fn who_comes_again_by_another_connection_is_not_taken_for_two() {
    let mut trial = Trial::new();
    let ids = trial.stable(2);
    let third = trial.id();
    let mut old = trial.join(joining(Some(&third)));
    let mut new = trial.join(joining(Some(&third)));
    assert!(matches!(refused(&mut old), JoinError::Unavailable(_)));
    drop((trial.join(joining(Some(&ids[0]))), trial.join(joining(Some(&ids[1])))));
    assert_eq!(new.try_recv().unwrap().unwrap().generation, 3);
}

#[test]
fn an_id_that_finds_the_group_full_is_not_waited_for() {
    let mut trial = Trial::with(&[("group.max.size", "2")]);
    let first = trial.stable(1).remove(0);
    let (second, third) = (trial.id(), trial.id());
    drop(trial.join(joining(Some(&second))));
    let mut leads = trial.join(joining(Some(&first)));
    assert_eq!(refused(&mut trial.join(joining(Some(&third)))), JoinError::Full);
    drop(trial.join(joining(Some(&second))));
    assert_eq!(leads.try_recv().unwrap().unwrap().generation, 2);
}

#[test]
fn an_id_that_was_given_is_not_a_static_members() {
    let mut trial = Trial::new();
    let given = trial.id();
    assert_eq!(refused(&mut trial.join(as_static("a", Some(&given)))), JoinError::UnknownMember);
}

#[test]
fn a_restart_with_a_smaller_bound_lets_the_members_join_again() {
    let mut trial = Trial::new();
    trial.stable(3);
    let settings = Arc::new(GroupSettings { members_max: 2, ..*trial.group.settings });
    trial.group = ClassicGroup::from_row(trial.group.to_row(), settings, trial.now);
    assert_eq!(trial.group.state(), State::PreparingRebalance);
}

#[test]
fn what_members_say_of_themselves_is_bounded() {
    let mut trial = Trial::new();
    let mut long = joining(None);
    long.protocols[0].metadata = vec![0; PROTOCOLS_BYTES_MAX].into();
    assert_eq!(refused(&mut trial.join(long)), JoinError::TooLong);
}
