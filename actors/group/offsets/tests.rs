//! Expiry by the clock: what a group with members keeps, and for how long after they are gone (KIP-211).

use super::super::join::{Entrance, Join, Joining};
use super::super::leave::{Leave, Leaving};
use super::super::sync::{Sync, Syncing};
use super::super::trial::{joining, protocol};
use crate::broker::BrokerHandle;
use crate::broker::create_topics::{Mode, NewTopic};
use crate::clock;
use crate::coordinator::groups::Kind;
use crate::coordinator::locate::Missing;
use crate::coordinator::tick::tests::broker_with;
use crate::names::{GroupId, MemberId};
use crate::offsets::commit::{CommitOffsets, Committing, Epochs, NewOffset};
use crate::offsets::fetch::{FetchOffsets, Fetching};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const CREATE: Missing = Missing::Create(Kind::Classic);

/// A group on a broker that forgets after a minute, and looks each second.
struct Trial {
    _folder: TempDir,
    broker: BrokerHandle,
    group: GroupId,
    protocol_type: &'static str,
}

impl Trial {
    async fn begin(protocol_type: &'static str) -> Self {
        tokio::time::pause();
        clock::simulate(1_000_000);
        let folder = tempfile::tempdir().unwrap();
        let settings = [("offsets.retention.minutes", "1"), ("offsets.retention.check.interval.ms", "1000")];
        let broker = broker_with(&folder, &settings);
        for name in ["audit", "orders"] {
            let topic = NewTopic {
                name: name.into(),
                partitions: Some(1),
                replication_factor: None,
                assignments: Vec::new(),
                configs: Vec::new(),
            };
            assert!(broker.create_topics(vec![topic], Mode::Apply).await[0].is_ok());
        }
        Self { _folder: folder, broker, group: "group".into(), protocol_type }
    }

    /// The only member joins, or joins again to read another topic. It may be silent for long.
    async fn join(&self, member: Option<&MemberId>, topic: &str) -> (MemberId, i32) {
        let joining = Joining {
            session_timeout: MINUTE * 30,
            protocol_type: self.protocol_type.to_owned(),
            protocols: vec![protocol("range", topic)],
            entrance: Entrance::Direct,
            ..joining(member)
        };
        let message = |reply| Join { joining: joining.clone(), reply };
        let joined = self.broker.ask_group(&self.group, CREATE, message).await.unwrap().unwrap();
        let syncing = Syncing {
            member: joined.member.clone(),
            instance: None,
            generation: joined.generation,
            protocol_type: None,
            protocol: None,
            assignments: [(joined.member.clone(), "all".into())].into(),
        };
        let message = |reply| Sync { syncing: syncing.clone(), reply };
        self.broker.ask_group(&self.group, CREATE, message).await.unwrap().unwrap();
        (joined.member, joined.generation)
    }

    async fn leave(&self, member: MemberId) {
        let members = Arc::new(vec![Leaving { member: Some(member), instance: None }]);
        let message = |reply| Leave { members: Arc::clone(&members), reply };
        assert!(self.broker.ask_group(&self.group, CREATE, message).await.unwrap().unwrap()[0].is_ok());
    }

    /// Commits an offset of each topic.
    async fn commit(&self, (member, generation): &(MemberId, i32)) {
        let from = Committing {
            member: Some(member.clone()),
            instance: None,
            generation: *generation,
            epochs: Epochs::Known,
        };
        let new = |name| NewOffset {
            partition: (self.broker.topics().get(name).unwrap().id, 0),
            offset: 7,
            leader_epoch: -1,
            metadata: String::new(),
        };
        let offsets = Arc::new(["audit", "orders"].map(new).to_vec());
        let message = |reply| CommitOffsets {
            from: from.clone(),
            offsets: Arc::clone(&offsets),
            retention: None,
            reply,
        };
        let committed = self.broker.ask_group(&self.group, CREATE, message).await.unwrap();
        assert_eq!(committed.unwrap(), [Ok(()), Ok(())]);
    }

    /// The topics with an offset.
    async fn committed(&self) -> Vec<String> {
        let from = Fetching { member: None, epoch: -1 };
        let message = |reply| FetchOffsets { from: from.clone(), partitions: None, reply };
        let fetched = self.broker.ask_group(&self.group, CREATE, message).await.unwrap().unwrap();
        let topics = self.broker.topics();
        let name = |topic| topics.get_by_id(topic).unwrap().name.to_string();
        let mut names: Vec<_> = fetched.iter().map(|it| name(it.partition.0)).collect();
        names.sort();
        names
    }
}

#[actix::test]
async fn an_offset_is_kept_while_a_consumer_reads_its_topic_and_for_the_retention_after_the_last_one() {
    let trial = Trial::begin("consumer").await;
    let member = trial.join(None, "audit").await;
    trial.commit(&member).await;
    clock::pass(SECOND * 59).await;
    assert_eq!(trial.committed().await, ["audit", "orders"]);
    clock::pass(SECOND * 3).await;
    assert_eq!(trial.committed().await, ["audit"], "nobody reads the other one");
    clock::pass(MINUTE * 5).await;
    assert_eq!(trial.committed().await, ["audit"]);
    let member = trial.join(Some(&member.0), "audit").await;
    trial.commit(&member).await;
    clock::pass(MINUTE / 2).await;
    let (member, _) = trial.join(Some(&member.0), "orders").await;
    clock::pass(MINUTE / 2 + SECOND * 2).await;
    assert_eq!(trial.committed().await, ["orders"], "what it reads now counts, and when that was committed");
    trial.leave(member).await;
    clock::pass(SECOND * 58).await;
    assert_eq!(trial.committed().await, ["orders"]);
    clock::pass(SECOND * 4).await;
    assert_eq!(trial.committed().await, [] as [&str; 0]);
    trial.broker.shutdown().await;
}

#[actix::test]
async fn a_group_that_is_no_consumers_keeps_its_offsets_while_it_has_members() {
    let trial = Trial::begin("connect").await;
    let member = trial.join(None, "audit").await;
    trial.commit(&member).await;
    clock::pass(MINUTE * 5).await;
    assert_eq!(trial.committed().await, ["audit", "orders"], "nobody can tell what its members need");
    trial.leave(member.0).await;
    clock::pass(SECOND * 58).await;
    assert_eq!(trial.committed().await, ["audit", "orders"]);
    clock::pass(SECOND * 4).await;
    assert_eq!(trial.committed().await, [] as [&str; 0]);
    trial.broker.shutdown().await;
}
