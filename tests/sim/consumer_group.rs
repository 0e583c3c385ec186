//! Members of a group that the broker assigns to (KIP-848): a partition has one owner, whatever happens.

use crate::topics::{KEPT, KEPT_PARTITIONS};
use crate::world::{Client, Over};
use callboard_actors::clock;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use std::collections::BTreeSet;
use std::time::Duration;

const GROUP: &str = "waiters";
pub(crate) const SESSION_MS: i64 = 6_000;
/// Longer than the session, so that only silence puts a member out.
pub(crate) const REBALANCE_MS: i32 = 300_000;
/// The epoch of a member that leaves.
const LEAVES: i32 = -1;

/// What the members remember, over crashes of the broker too.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    people: [Person; 3],
    /// How often any of them entered, for their names.
    entered: usize,
}

#[derive(Debug, Default, Clone)]
struct Person {
    name: String,
    /// 0 until it is in.
    epoch: i32,
    owned: BTreeSet<i32>,
    /// Gave up something, and has not said so.
    must_tell: bool,
    /// When it last sent something that was answered.
    heard_ms: i64,
    /// An answer is missing, so that the broker knows more than it does.
    is_uncertain: bool,
}

/// Is a member until it is over.
pub(crate) async fn run(client: Client, number: usize) -> Result<(), Over> {
    client.until_kept().await;
    let mut member = Member { client, number };
    loop {
        member.client.pause().await;
        if member.person().epoch > 0 {
            match member.client.below(24) {
                0 => member.leave().await?,
                1 => member.fall_silent().await?,
                _ => drop(member.beat().await?),
            }
        } else {
            member.beat().await?;
        }
    }
}

struct Member {
    client: Client,
    number: usize,
}

impl Member {
    fn person(&self) -> Person {
        self.client.world().owners.people[self.number].clone()
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Person) -> T) -> T {
        change(&mut self.client.world().owners.people[self.number])
    }

    /// Enters, or says that it is alive, and does what it is told. Answers whether it is in.
    async fn beat(&mut self) -> Result<bool, Over> {
        if self.person().name.is_empty() {
            self.client.world().owners.entered += 1;
            let name = format!("waiter-{}", self.client.world().owners.entered);
            self.change(|person| person.name = name);
        }
        let person = self.person();
        let tells = person.epoch == 0 || person.must_tell || person.is_uncertain || self.client.is_one_in(3);
        let sent_ms = clock::wall_ms();
        self.change(|person| person.is_uncertain = true);
        if tells {
            // From now on the broker may know that it has no more.
            self.change(|person| person.must_tell = false);
        }
        let topic = self.client.world().topics.kept().unwrap();
        let owned = TopicPartitions { topic_id: topic, partitions: person.owned.iter().copied().collect() };
        let request = ConsumerGroupHeartbeatRequest {
            rebalance_timeout_ms: if tells { REBALANCE_MS } else { -1 },
            subscribed_topic_names: tells.then(|| vec![KEPT.into()]),
            topic_partitions: tells.then(|| if owned.partitions.is_empty() { vec![] } else { vec![owned] }),
            ..request(&person.name, person.epoch)
        };
        let answer: ConsumerGroupHeartbeatResponse = self.client.ask(1, &request).await?;
        if [ErrorCode::FENCED_MEMBER_EPOCH, ErrorCode::UNKNOWN_MEMBER_ID].contains(&answer.error_code) {
            let silent_ms = sent_ms - person.heard_ms;
            let may_be = person.is_uncertain || silent_ms >= SESSION_MS;
            assert!(may_be, "{person:?} is out after {silent_ms} ms: {answer:?}");
            self.change(|person| *person = Person::default());
            return Ok(false);
        }
        assert!(self.client.check(answer.error_code)?, "{person:?}: {answer:?}");
        let epoch = answer.member_epoch;
        assert!(epoch >= person.epoch, "{person:?} went back to epoch {epoch}");
        self.change(|person| {
            (person.epoch, person.heard_ms, person.is_uncertain) = (epoch, sent_ms, false);
        });
        if let Some(assignment) = answer.assignment {
            self.take(&assignment);
        }
        Ok(true)
    }

    /// Gives up what it is not to have, and takes what it is to have: nobody else may have that.
    fn take(&mut self, assignment: &Assignment) {
        let told = assignment.topic_partitions.iter().flat_map(|topic| topic.partitions.iter().copied());
        let told: BTreeSet<i32> = told.collect();
        assert!(told.iter().all(|partition| (0..KEPT_PARTITIONS).contains(partition)), "{told:?}");
        let (me, now) = (self.number, clock::wall_ms());
        let world = &mut *self.client.world();
        let people = &mut world.owners.people;
        for (other, person) in people.iter().enumerate().filter(|(other, _)| *other != me) {
            let both: Vec<_> = told.intersection(&person.owned).collect();
            let is_out = now - person.heard_ms >= SESSION_MS;
            assert!(
                both.is_empty() || is_out,
                "{both:?} is of {other}, {person:?}, and now of {me}, {:?}",
                people[me]
            );
        }
        let person = &mut people[me];
        person.must_tell |= person.owned != told;
        person.owned = told;
    }

    async fn leave(&mut self) -> Result<(), Over> {
        let person = self.change(std::mem::take);
        let request = request(&person.name, LEAVES);
        let answer: ConsumerGroupHeartbeatResponse = self.client.ask(1, &request).await?;
        let silent_ms = clock::wall_ms() - person.heard_ms;
        let may_be_out = person.is_uncertain || silent_ms >= SESSION_MS;
        if answer.error_code == ErrorCode::UNKNOWN_MEMBER_ID && may_be_out {
            return Ok(());
        }
        assert!(self.client.check(answer.error_code)?, "{person:?}: {answer:?}");
        Ok(())
    }

    /// Says nothing for longer than it may: it is out.
    async fn fall_silent(&mut self) -> Result<(), Over> {
        self.client.let_pass(Duration::from_millis(SESSION_MS as u64 + 1000)).await;
        let is_in = self.beat().await?;
        // A group that began anew, its last answers being lost, gives everybody time.
        let may_be_new = self.client.world().is_sick;
        assert!(!is_in || may_be_new, "a member was silent for longer than its session");
        Ok(())
    }
}

fn request(name: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: GROUP.into(),
        member_id: name.into(),
        member_epoch: epoch,
        rebalance_timeout_ms: -1,
        ..Default::default()
    }
}
