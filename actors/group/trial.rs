//! For tests: a group whose time passes when it is told to, and members that speak to it.

use super::join::{Entrance, JoinError, JoinRefused, Joined, Joining, ReturningLeader};
use super::members::Protocol;
use super::state::{ClassicGroup, Now};
use super::sync::{SyncError, Synced, Syncing};
use crate::config::Settings;
use crate::names::MemberId;
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::oneshot;

pub(super) const SESSION: Duration = Duration::from_secs(10);
/// A member that speaks so often is alive.
pub(super) const NEARLY_SESSION: Duration = Duration::from_secs(9);
pub(super) const REBALANCE: Duration = Duration::from_secs(60);

/// An answer that may still be awaited.
pub(super) type Waiting<T, E> = oneshot::Receiver<Result<T, E>>;

pub(super) struct Trial {
    pub(super) group: ClassicGroup,
    pub(super) now: Now,
}

impl Trial {
    pub(super) fn new() -> Self {
        Self::with(&[])
    }

    pub(super) fn with(settings: &[(&str, &str)]) -> Self {
        let settings = Settings::from_pairs(settings.iter().copied()).unwrap();
        let now = Now { instant: crate::clock::now(), wall_ms: 1_000_000 };
        Self { group: ClassicGroup::new(settings.groups, now.wall_ms), now }
    }

    /// Lets the answers leave, as when all is durable.
    pub(super) fn settle(&mut self) {
        std::mem::take(&mut self.group.answers).release(Ok(()));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.wall_ms += i64::try_from(time.as_millis()).unwrap();
        self.group.pass(self.now);
        self.settle();
    }

    pub(super) fn join(&mut self, joining: Joining) -> Waiting<Joined, JoinRefused> {
        let (reply, waiting) = oneshot::channel();
        self.group.join(joining, reply, self.now);
        self.settle();
        waiting
    }

    pub(super) fn sync(
        &mut self,
        id: &MemberId,
        generation: i32,
        assignments: &[(&MemberId, &'static str)],
    ) -> Waiting<Synced, SyncError> {
        let (reply, waiting) = oneshot::channel();
        let bytes =
            |(id, text): &(&MemberId, &'static str)| ((*id).clone(), Bytes::from_static(text.as_bytes()));
        let syncing = Syncing {
            member: id.clone(),
            instance: None,
            generation,
            protocol_type: None,
            protocol: None,
            assignments: assignments.iter().map(bytes).collect(),
        };
        self.group.sync(syncing, reply, self.now);
        self.settle();
        waiting
    }

    /// An id for a new member.
    pub(super) fn id(&mut self) -> MemberId {
        let mut waiting = self.join(joining(None));
        let refused = waiting.try_recv().unwrap().unwrap_err();
        assert_eq!(refused.error, JoinError::MemberIdRequired);
        refused.member.unwrap()
    }

    /// A stable group of so many members; the first one leads. Answers their ids.
    pub(super) fn stable(&mut self, count: usize) -> Vec<MemberId> {
        let first = self.id();
        let mut leads = self.join(joining(Some(&first)));
        self.pass(Duration::ZERO);
        let mut generation = leads.try_recv().unwrap().unwrap().generation;
        let mut ids = vec![first.clone()];
        if count > 1 {
            ids.extend((1..count).map(|_| self.id()));
            let mut waiting: Vec<_> =
                ids[1..].to_vec().iter().map(|id| self.join(joining(Some(id)))).collect();
            leads = self.join(joining(Some(&first)));
            generation = leads.try_recv().unwrap().unwrap().generation;
            waiting.iter_mut().for_each(|waiting| drop(waiting.try_recv().unwrap().unwrap()));
        }
        for id in &ids[1..] {
            drop(self.sync(id, generation, &[]));
        }
        self.sync(&first, generation, &[]).try_recv().unwrap().unwrap();
        ids
    }
}

/// What a consumer says that can assign in one way.
pub(super) fn joining(member: Option<&MemberId>) -> Joining {
    Joining {
        member: member.cloned(),
        instance: None,
        client_id: "client".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session_timeout: SESSION,
        rebalance_timeout: REBALANCE,
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol("range", "orders")],
        entrance: Entrance::IdFirst,
        returning_leader: ReturningLeader::Leads,
    }
}

/// A protocol with a subscription to one topic.
pub(super) fn protocol(name: &str, topic: &str) -> Protocol {
    let mut metadata = vec![0, 1, 0, 0, 0, 1];
    metadata.extend((topic.len() as u16).to_be_bytes());
    metadata.extend(topic.as_bytes());
    metadata.extend([255, 255, 255, 255]);
    Protocol { name: name.to_owned(), metadata: metadata.into() }
}
