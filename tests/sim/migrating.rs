//! Members of both protocols in one group, which goes over from one kind to the other while they come and go: a
//! partition has one owner all the while, whoever assigns it.
//!
//! Classic members give up all that they have before they join again, or (cooperative) go on with it and say so.

use crate::consumer_group::{REBALANCE_MS, SESSION_MS};
use crate::topics::{KEPT, KEPT_PARTITIONS};
use crate::world::{Client, Over};
use bytes::{BufMut, Bytes};
use callboard_actors::clock;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use callboard_protocol::kafka::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use callboard_protocol::kafka::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse, JoinGroupResponseMember,
};
use callboard_protocol::kafka::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use callboard_protocol::kafka::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use callboard_protocol::{assignment, subscription};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const GROUP: &str = "movers";
/// The epoch of a member that leaves.
const LEAVES: i32 = -1;

/// What the members remember, over crashes of the broker too.
#[derive(Debug, Default)]
pub(crate) struct Movers {
    people: [Person; 3],
    /// How often any of them entered, for their names.
    entered: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Eager,
    Cooperative,
    /// The broker assigns to it.
    Newer,
}

#[derive(Debug, Default, Clone)]
struct Person {
    kind: Kind,
    id: String,
    /// Its epoch, or its generation; 0 until it is in.
    epoch: i32,
    owned: BTreeSet<i32>,
    /// It was told to join again, or gave up something and has not said so.
    must_tell: bool,
    /// When it last sent something that was answered.
    heard_ms: i64,
    /// An answer is missing, so that the broker knows more, or less, than it does.
    is_uncertain: bool,
}

/// Is a member until it is over.
pub(crate) async fn run(client: Client, number: usize) -> Result<(), Over> {
    client.until_kept().await;
    let mut member = Member { client, number };
    loop {
        member.client.pause().await;
        let Person { kind, epoch, must_tell, .. } = member.person();
        match member.client.below(16) {
            0 | 1 if epoch > 0 => member.leave().await?,
            // It is out then, unless the group went over meanwhile, which gives everybody time.
            2 if epoch > 0 => {
                member.client.let_pass(Duration::from_millis(SESSION_MS as u64 + 1000)).await;
                member.live(kind).await?;
            }
            _ if epoch == 0 => member.enter().await?,
            _ if must_tell && kind != Kind::Newer => member.join().await?,
            _ => member.live(kind).await?,
        }
    }
}

struct Member {
    client: Client,
    number: usize,
}

impl Member {
    fn person(&self) -> Person {
        self.client.world().movers.people[self.number].clone()
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Person) -> T) -> T {
        change(&mut self.client.world().movers.people[self.number])
    }

    /// Comes as one or the other.
    async fn enter(&mut self) -> Result<(), Over> {
        if !self.person().id.is_empty() {
            return if self.person().kind == Kind::Newer { self.beat().await } else { self.join().await };
        }
        let kind = [Kind::Eager, Kind::Cooperative, Kind::Newer, Kind::Newer][self.client.below(4)];
        let name = {
            let movers = &mut self.client.world().movers;
            movers.entered += 1;
            format!("mover-{}", movers.entered)
        };
        self.change(|person| {
            person.kind = kind;
            if kind == Kind::Newer {
                person.id = name;
            }
        });
        if kind == Kind::Newer { self.beat().await } else { self.join().await }
    }

    async fn live(&mut self, kind: Kind) -> Result<(), Over> {
        if kind == Kind::Newer { self.beat().await } else { self.say_alive().await }
    }

    /// How a newer member enters, says that it is alive, and is told what to have.
    async fn beat(&mut self) -> Result<(), Over> {
        let person = self.person();
        let tells = person.epoch == 0 || person.must_tell || person.is_uncertain || self.client.is_one_in(3);
        let sent_ms = clock::wall_ms();
        self.change(|person| (person.is_uncertain, person.must_tell) = (true, person.must_tell && !tells));
        let topic_id = self.client.world().topics.kept().unwrap();
        let owned = TopicPartitions { topic_id, partitions: person.owned.iter().copied().collect() };
        let request = ConsumerGroupHeartbeatRequest {
            rebalance_timeout_ms: if tells { REBALANCE_MS } else { -1 },
            subscribed_topic_names: tells.then(|| vec![KEPT.into()]),
            topic_partitions: tells.then(|| if owned.partitions.is_empty() { vec![] } else { vec![owned] }),
            ..heartbeat(&person.id, person.epoch)
        };
        let answer: ConsumerGroupHeartbeatResponse = self.client.ask(1, &request).await?;
        // The group may have become a classic one without it.
        let is_of_other_kind = answer.error_code == ErrorCode::GROUP_ID_NOT_FOUND && person.epoch > 0;
        let is_out =
            [ErrorCode::FENCED_MEMBER_EPOCH, ErrorCode::UNKNOWN_MEMBER_ID].contains(&answer.error_code);
        if is_of_other_kind || is_out {
            self.expelled(&person, sent_ms, answer.error_code);
            return Ok(());
        }
        if self.is_busy(answer.error_code) {
            return Ok(());
        }
        assert!(self.client.check(answer.error_code)?, "{person:?}: {answer:?}");
        assert!(answer.member_epoch >= person.epoch, "{person:?} went back: {answer:?}");
        self.change(|person| {
            (person.epoch, person.heard_ms, person.is_uncertain) = (answer.member_epoch, sent_ms, false);
        });
        if let Some(assignment) = answer.assignment {
            self.take(assignment.topic_partitions.into_iter().flat_map(|it| it.partitions).collect());
        }
        Ok(())
    }

    /// The group went over so often while it was asked that the client is to ask again.
    fn is_busy(&self, code: ErrorCode) -> bool {
        code == ErrorCode::COORDINATOR_NOT_AVAILABLE && !self.client.world().is_sick
    }

    fn expelled(&mut self, person: &Person, sent_ms: i64, code: ErrorCode) {
        let silent_ms = sent_ms - person.heard_ms;
        let may_be = person.is_uncertain || silent_ms >= SESSION_MS;
        assert!(may_be, "{person:?} is out after {silent_ms} ms: {code:?}");
        self.change(|person| *person = Person::default());
    }

    /// How a classic member enters, and comes to its share.
    async fn join(&mut self) -> Result<(), Over> {
        self.change(|person| {
            if person.kind == Kind::Eager {
                person.owned.clear();
            }
            person.must_tell = true;
        });
        let (person, sent_ms) = (self.person(), clock::wall_ms());
        self.change(|person| person.is_uncertain = true);
        let metadata = subscription(person.kind, &person.owned);
        let request = JoinGroupRequest {
            group_id: GROUP.into(),
            session_timeout_ms: SESSION_MS as i32,
            rebalance_timeout_ms: REBALANCE_MS,
            member_id: person.id.as_str().into(),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol { name: "range".into(), metadata }],
            ..Default::default()
        };
        let answer: JoinGroupResponse = self.client.ask(9, &request).await?;
        match answer.error_code {
            ErrorCode::MEMBER_ID_REQUIRED if person.id.is_empty() => {
                self.change(|person| person.id = answer.member_id.into());
                Ok(())
            }
            code if code == ErrorCode::REBALANCE_IN_PROGRESS || self.is_busy(code) => Ok(()),
            ErrorCode::UNKNOWN_MEMBER_ID => {
                self.expelled(&person, sent_ms, answer.error_code);
                Ok(())
            }
            code => {
                assert!(self.client.check(code)?, "{person:?}: {answer:?}");
                let generation = answer.generation_id;
                assert!(generation >= person.epoch, "{person:?} went back: {answer:?}");
                self.change(|person| (person.epoch, person.heard_ms) = (generation, sent_ms));
                self.sync(plan(&answer.members)).await
            }
        }
    }

    async fn sync(&mut self, assignments: Vec<SyncGroupRequestAssignment>) -> Result<(), Over> {
        let (person, sent_ms) = (self.person(), clock::wall_ms());
        let request = SyncGroupRequest {
            group_id: GROUP.into(),
            generation_id: person.epoch,
            member_id: person.id.as_str().into(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments,
            ..Default::default()
        };
        let answer: SyncGroupResponse = self.client.ask(5, &request).await?;
        match answer.error_code {
            code if code == ErrorCode::REBALANCE_IN_PROGRESS || self.is_busy(code) => Ok(()),
            ErrorCode::ILLEGAL_GENERATION => {
                self.change(|person| person.owned.clear());
                Ok(())
            }
            ErrorCode::UNKNOWN_MEMBER_ID => {
                self.expelled(&person, sent_ms, answer.error_code);
                Ok(())
            }
            code => {
                assert!(self.client.check(code)?, "{person:?}: {answer:?}");
                let told = assignment::read(&answer.assignment).expect("an assignment").partitions;
                self.change(|person| {
                    (person.must_tell, person.heard_ms, person.is_uncertain) = (false, sent_ms, false);
                });
                self.take(told.into_iter().flat_map(|(_, partitions)| partitions).collect());
                Ok(())
            }
        }
    }

    async fn say_alive(&mut self) -> Result<(), Over> {
        let (person, sent_ms) = (self.person(), clock::wall_ms());
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id: person.epoch,
            member_id: person.id.as_str().into(),
            ..Default::default()
        };
        let answer: HeartbeatResponse = self.client.ask(4, &request).await?;
        match answer.error_code {
            ErrorCode::UNKNOWN_MEMBER_ID => {
                self.expelled(&person, sent_ms, answer.error_code);
                return Ok(());
            }
            ErrorCode::REBALANCE_IN_PROGRESS => self.change(|person| person.must_tell = true),
            code if self.is_busy(code) => return Ok(()),
            // Others went on without it; it is not heard before it joins.
            ErrorCode::ILLEGAL_GENERATION => {
                self.change(|person| {
                    person.must_tell = true;
                    person.owned.clear();
                });
                return Ok(());
            }
            code => assert!(self.client.check(code)?, "{person:?}: {answer:?}"),
        }
        self.change(|person| person.heard_ms = sent_ms);
        Ok(())
    }

    /// Gives up what it is not to have, and takes what it is to have: nobody else may have that.
    fn take(&mut self, told: BTreeSet<i32>) {
        assert!(told.iter().all(|partition| (0..KEPT_PARTITIONS).contains(partition)), "{told:?}");
        let (me, now) = (self.number, clock::wall_ms());
        let people = &mut self.client.world().movers.people;
        for (other, person) in people.iter().enumerate().filter(|(other, _)| *other != me) {
            let both: Vec<_> = told.intersection(&person.owned).collect();
            let is_out = now - person.heard_ms >= SESSION_MS;
            let me = &people[me];
            assert!(both.is_empty() || is_out, "{both:?} is of {other}, {person:?}, and now of {me:?}");
        }
        let person = &mut people[me];
        let has_lost = person.owned.difference(&told).next().is_some();
        person.must_tell |= if person.kind == Kind::Newer { person.owned != told } else { has_lost };
        person.owned = told;
    }

    async fn leave(&mut self) -> Result<(), Over> {
        let person = self.change(std::mem::take);
        let code = if person.kind == Kind::Newer {
            let request = heartbeat(&person.id, LEAVES);
            self.client.ask::<_, ConsumerGroupHeartbeatResponse>(1, &request).await?.error_code
        } else {
            let member = MemberIdentity { member_id: person.id.as_str().into(), ..Default::default() };
            let request =
                LeaveGroupRequest { group_id: GROUP.into(), members: vec![member], ..Default::default() };
            let answer: LeaveGroupResponse = self.client.ask(5, &request).await?;
            answer.members.first().map_or(answer.error_code, |member| member.error_code)
        };
        let may_be_out = person.is_uncertain || clock::wall_ms() - person.heard_ms >= SESSION_MS;
        let is_out = [ErrorCode::UNKNOWN_MEMBER_ID, ErrorCode::GROUP_ID_NOT_FOUND].contains(&code);
        assert!(
            (is_out && may_be_out) || self.is_busy(code) || self.client.check(code)?,
            "{person:?}: {code:?}"
        );
        Ok(())
    }
}

/// What a leader assigns: each gets a share, but for what another says that it has.
fn plan(members: &[JoinGroupResponseMember]) -> Vec<SyncGroupRequestAssignment> {
    let mut owners = BTreeMap::new();
    for (number, member) in members.iter().enumerate() {
        let said = subscription::read(&member.metadata).expect("a subscription");
        owners.extend(said.owned.into_iter().flat_map(|(_, owned)| owned).map(|owned| (owned, number)));
    }
    let assign = |(number, member): (usize, &JoinGroupResponseMember)| {
        let is_its = |partition: &i32| *partition as usize % members.len() == number;
        let is_free = |partition: &i32| owners.get(partition).is_none_or(|owner| *owner == number);
        let share = (0..KEPT_PARTITIONS).filter(is_its).filter(is_free).collect();
        let assignment = assignment::write(1, &vec![(KEPT.to_owned(), share)]).into();
        SyncGroupRequestAssignment { member_id: member.member_id.clone(), assignment }
    };
    members.iter().enumerate().map(assign).collect()
}

/// What a classic member says of itself.
fn subscription(kind: Kind, owned: &BTreeSet<i32>) -> Bytes {
    let mut bytes = Vec::new();
    let put_name = |bytes: &mut Vec<u8>| {
        bytes.put_i16(KEPT.len() as i16);
        bytes.put_slice(KEPT.as_bytes());
    };
    bytes.put_i16(i16::from(kind != Kind::Eager));
    bytes.put_i32(1);
    put_name(&mut bytes);
    bytes.put_i32(-1);
    if kind != Kind::Eager {
        bytes.put_i32(1);
        put_name(&mut bytes);
        bytes.put_i32(owned.len() as i32);
        owned.iter().for_each(|partition| bytes.put_i32(*partition));
    }
    bytes.into()
}

fn heartbeat(id: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: GROUP.into(),
        member_id: id.into(),
        member_epoch: epoch,
        rebalance_timeout_ms: -1,
        ..Default::default()
    }
}
