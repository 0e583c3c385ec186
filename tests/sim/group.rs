//! Members of classic groups: they join, share, commit, fall silent, leave, and outlive crashes of the broker.
//! Those of one group are static (`static_member.rs`).

use crate::offsets::{Committer, commit};
use crate::topics::{KEPT, KEPT_PARTITIONS};
use crate::world::{Client, Over};
use callboard_actors::clock;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use callboard_protocol::kafka::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use callboard_protocol::kafka::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use std::cell::RefMut;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A group whose members are known by the ids that the broker gives them, and one of static members.
const GROUPS: [&str; 2] = ["kitchen", "crew"];
pub(crate) const DYNAMIC: usize = 0;
pub(crate) const STATIC: usize = 1;
pub(crate) const SESSION_MS: i32 = 6_000;
/// Longer than a member is ever busy with something else.
const REBALANCE_MS: i32 = 60_000;

/// What is known of a group.
#[derive(Debug, Default)]
pub(crate) struct Members {
    people: [Person; 3],
    /// The newest generation that anybody was told of.
    generation: i32,
    leaders: BTreeMap<i32, String>,
    /// Plans that a leader made for a generation, by their numbers.
    plans: BTreeMap<i32, BTreeSet<u64>>,
    /// The one that members were told.
    told: BTreeMap<i32, u64>,
    next_plan: u64,
}

/// What a member remembers.
#[derive(Debug, Default, Clone)]
pub(crate) struct Person {
    /// The name of a static member.
    pub(crate) instance: Option<String>,
    pub(crate) id: String,
    pub(crate) generation: i32,
    /// When it last sent something that was answered.
    pub(crate) heard_ms: i64,
    /// It joined; until then, and when an answer was lost, the broker may not know it.
    pub(crate) is_certain: bool,
    /// The id and generation that it had before it returned, which somebody may still speak by.
    pub(crate) before: Option<(String, i32)>,
}

impl Person {
    /// It is out, and begins anew.
    fn forget(&mut self) {
        *self = Self { instance: self.instance.take(), ..Self::default() };
    }
}

impl Members {
    /// Of each group.
    pub(crate) fn of_all() -> [Self; GROUPS.len()] {
        let mut all = [Self::default(), Self::default()];
        for (number, person) in all[STATIC].people.iter_mut().enumerate() {
            person.instance = Some(format!("seat{number}"));
        }
        all
    }
}

/// How a request of a member went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    In,
    MustJoin,
    Out,
}

/// Is a member of a group until it is over.
pub(crate) async fn run(client: Client, group: usize, number: usize) -> Result<(), Over> {
    while client.world().topics.kept().is_none() {
        client.pause().await;
        client.let_pass(Duration::from_millis(1)).await;
    }
    let mut member = Member { client, group, number };
    loop {
        member.client.pause().await;
        let standing = if member.person().generation == 0 { member.join().await? } else { Standing::In };
        if standing == Standing::In {
            member.live().await?;
        }
    }
}

pub(crate) struct Member {
    pub(crate) client: Client,
    group: usize,
    number: usize,
}

impl Member {
    pub(crate) fn person(&self) -> Person {
        self.members().people[self.number].clone()
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Person)) {
        change(&mut self.members().people[self.number]);
    }

    /// What is known of its group.
    fn members(&self) -> RefMut<'_, Members> {
        RefMut::map(self.client.world(), |world| &mut world.members[self.group])
    }

    pub(crate) fn committer(&self) -> Committer {
        let Person { instance, id, generation, .. } = self.person();
        Committer { group: GROUPS[self.group].into(), member: id, instance, generation }
    }

    pub(crate) async fn join(&mut self) -> Result<Standing, Over> {
        let known = self.members().generation;
        let person = self.person();
        self.change(|person| person.is_certain = false);
        let sent_ms = clock::wall_ms();
        let answer: JoinGroupResponse = self.client.ask(9, &join(&self.committer())).await?;
        if person.id.is_empty() && person.instance.is_none() {
            if answer.error_code != ErrorCode::MEMBER_ID_REQUIRED {
                self.client.check(answer.error_code)?;
            }
            assert_eq!(answer.error_code, ErrorCode::MEMBER_ID_REQUIRED);
            self.change(|person| person.id = answer.member_id.into());
            return Ok(Standing::MustJoin);
        }
        if self.standing(answer.error_code, &person, known)? != Standing::In {
            return Ok(Standing::MustJoin);
        }
        let generation = answer.generation_id;
        assert!(generation >= known.max(1), "generation {generation} comes after {known}");
        self.change(|person| (person.heard_ms, person.is_certain) = (sent_ms, true));
        if person.id.is_empty() {
            self.take_place(&person, answer.member_id.clone().into());
        }
        {
            let members = &mut *self.members();
            members.generation = members.generation.max(generation);
            let leader = lasting(&answer.leader, &person);
            let known = members.leaders.entry(generation).or_insert(leader.clone());
            assert_eq!(*known, leader, "generation {generation} has two leaders");
        }
        let assignments = self.plan(&answer);
        self.sync(generation, assignments).await
    }

    /// What it assigns, if it leads.
    fn plan(&mut self, joined: &JoinGroupResponse) -> Vec<SyncGroupRequestAssignment> {
        // What the leader of this generation planned stands, though it has another id.
        if joined.members.is_empty() || joined.skip_assignment {
            return Vec::new();
        }
        let members = &mut *self.members();
        members.next_plan += 1;
        let plan = members.next_plan;
        members.plans.entry(joined.generation_id).or_default().insert(plan);
        let assign = |member: &callboard_protocol::kafka::join_group::JoinGroupResponseMember| {
            let name = member.group_instance_id.as_ref().unwrap_or(&member.member_id);
            let assignment = format!("{plan} {}", String::from(name.clone())).into_bytes();
            SyncGroupRequestAssignment { member_id: member.member_id.clone(), assignment: assignment.into() }
        };
        joined.members.iter().map(assign).collect()
    }

    async fn sync(
        &mut self,
        generation: i32,
        assignments: Vec<SyncGroupRequestAssignment>,
    ) -> Result<Standing, Over> {
        let person = self.person();
        let known = self.members().generation;
        let sent_ms = clock::wall_ms();
        let request = SyncGroupRequest {
            group_id: GROUPS[self.group].into(),
            generation_id: generation,
            member_id: person.id.as_str().into(),
            group_instance_id: person.instance.as_deref().map(Into::into),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments,
        };
        let answer: SyncGroupResponse = self.client.ask(5, &request).await?;
        let person = Person { generation, ..person };
        let standing = self.standing(answer.error_code, &person, known)?;
        if standing == Standing::In {
            let assignment = String::from_utf8(answer.assignment.to_vec()).unwrap();
            let (plan, name) = assignment.split_once(' ').expect("a plan");
            let own = person.instance.as_ref().unwrap_or(&person.id);
            assert_eq!(name, own, "a member got what is another's");
            let plan: u64 = plan.parse().unwrap();
            let members = &mut *self.members();
            assert!(members.plans[&generation].contains(&plan), "plan {plan} is of another generation");
            assert_eq!(
                *members.told.entry(generation).or_insert(plan),
                plan,
                "generation {generation} has two plans"
            );
            drop(answer);
        }
        if standing == Standing::In {
            self.change(|person| (person.generation, person.heard_ms) = (generation, sent_ms));
        }
        Ok(standing)
    }

    /// Beats, commits, and in the end stays, falls silent or leaves.
    async fn live(&mut self) -> Result<(), Over> {
        for _ in 0..self.client.below(6) {
            self.client.pause().await;
            if self.client.is_one_in(6) {
                self.speak_of_the_past().await?;
            }
            if self.client.is_one_in(4) {
                self.speak_as_before().await?;
            }
            let standing = if self.client.is_one_in(2) { self.beat().await? } else { self.commit().await? };
            if standing != Standing::In {
                self.change(|person| person.generation = 0);
                return Ok(());
            }
        }
        match self.client.below(12) {
            0 => self.leave().await,
            1 => self.fall_silent().await,
            3 | 4 if self.group == STATIC => self.return_to_its_place().await,
            // It joins again without being told to.
            2 => {
                self.change(|person| person.generation = 0);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn beat(&mut self) -> Result<Standing, Over> {
        let person = self.person();
        let known = self.members().generation;
        let sent_ms = clock::wall_ms();
        let answer: HeartbeatResponse = self.client.ask(4, &heartbeat(&self.committer())).await?;
        let standing = self.standing(answer.error_code, &person, known)?;
        if standing != Standing::Out {
            self.change(|person| person.heard_ms = sent_ms);
        }
        Ok(standing)
    }

    async fn commit(&mut self) -> Result<Standing, Over> {
        let person = self.person();
        let known = self.members().generation;
        let partition = self.client.below(KEPT_PARTITIONS as usize) as i32;
        let code = commit(&self.client, &self.committer(), partition).await?;
        self.standing(code, &person, known)
    }

    /// Beats and commits in the generation before, as somebody who slept would: neither is taken.
    async fn speak_of_the_past(&mut self) -> Result<(), Over> {
        let committer = self.committer();
        let generation = committer.generation;
        let committer = Committer { generation: generation - 1, ..committer };
        let code = commit(&self.client, &committer, 0).await?;
        assert_ne!(code, ErrorCode::NONE, "generation {generation} has begun");
        let answer: HeartbeatResponse = self.client.ask(4, &heartbeat(&committer)).await?;
        self.client.check(answer.error_code)?;
        assert_ne!(answer.error_code, ErrorCode::NONE, "generation {generation} has begun");
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Over> {
        let person = self.person();
        self.change(Person::forget);
        // A static member may be sent away by its name alone.
        let by_name = person.instance.is_some() && self.client.is_one_in(2);
        let member = MemberIdentity {
            member_id: if by_name { "".into() } else { person.id.as_str().into() },
            group_instance_id: person.instance.as_deref().map(Into::into),
            ..Default::default()
        };
        let group_id = GROUPS[self.group].into();
        let request = LeaveGroupRequest { group_id, members: vec![member], ..Default::default() };
        let answer: LeaveGroupResponse = self.client.ask(5, &request).await?;
        self.client.check(answer.error_code)?;
        let code = answer.members.first().map_or(answer.error_code, |member| member.error_code);
        self.standing(code, &person, 0).map(drop)
    }

    /// Says nothing for longer than it may: it is out.
    async fn fall_silent(&mut self) -> Result<(), Over> {
        self.client.let_pass(Duration::from_millis(SESSION_MS as u64 + 1000)).await;
        let standing = self.beat().await?;
        // A group that began anew, its last answers being lost, gives everybody time.
        let may_be_new = self.client.world().is_sick;
        assert!(standing == Standing::Out || may_be_new, "a member was silent for longer than its session");
        Ok(())
    }

    /// How it stands by an answer, and whether that may be. The answer was asked for when the newest
    /// generation told was `known`.
    fn standing(&mut self, code: ErrorCode, person: &Person, known: i32) -> Result<Standing, Over> {
        let silent_ms = clock::wall_ms() - person.heard_ms;
        match code {
            ErrorCode::NONE => {
                let is_current = person.generation == 0 || person.generation >= known;
                assert!(is_current, "generation {} was taken for {known}", person.generation);
                Ok(Standing::In)
            }
            ErrorCode::REBALANCE_IN_PROGRESS => {
                self.change(|person| person.generation = 0);
                Ok(Standing::MustJoin)
            }
            ErrorCode::ILLEGAL_GENERATION => {
                assert!(!person.is_certain || person.generation < known, "{person:?}, newest {known}");
                self.change(|person| person.generation = 0);
                Ok(Standing::MustJoin)
            }
            ErrorCode::UNKNOWN_MEMBER_ID => {
                let may_be = !person.is_certain || silent_ms >= i64::from(SESSION_MS);
                assert!(may_be, "{person:?} is out after {silent_ms} ms");
                self.change(Person::forget);
                Ok(Standing::Out)
            }
            other => {
                let is_well = self.client.check(other)?;
                panic!("{person:?}: {other:?} ({is_well})");
            }
        }
    }
}

/// The name of a member that it keeps: its instance's, where it has one, is in front of its id.
fn lasting(id: &str, person: &Person) -> String {
    let name = person.instance.as_ref().and_then(|_| id.split_once('-'));
    name.map_or(id, |(name, _)| name).to_owned()
}

pub(crate) fn join(who: &Committer) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: who.group.as_str().into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        member_id: who.member.as_str().into(),
        group_instance_id: who.instance.as_deref().map(Into::into),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".into(), metadata: KEPT.into() }],
        ..Default::default()
    }
}

pub(crate) fn heartbeat(committer: &Committer) -> HeartbeatRequest {
    HeartbeatRequest {
        group_instance_id: committer.instance.as_deref().map(Into::into),
        group_id: committer.group.as_str().into(),
        generation_id: committer.generation,
        member_id: committer.member.as_str().into(),
    }
}
