//! What the coordinator does by the clock.

use super::Coordinator;
use super::groups::GroupSlot;
use super::rest::Rest;
use crate::clock;
use crate::offsets::expire::ExpireOffsets;
use actix::Context;
use std::sync::Arc;
use std::time::Duration;

/// A group that is not used for one to two of these is put away.
pub(super) const REST_INTERVAL: Duration = Duration::from_mins(5);

impl Coordinator {
    /// Members may be gone, which only a running group notices.
    pub(super) fn start_those_with_members(&self, ctx: &Context<Self>) {
        for slot in self.groups.load().iter().filter(|slot| !slot.summary().state.is_empty()) {
            self.start_group(slot, ctx);
        }
    }

    /// Lets groups go that nobody uses, and takes those out of which nothing is left.
    pub(super) fn let_rest(&self) {
        let mut gone = Vec::new();
        for slot in self.groups.load().iter() {
            match slot.actor() {
                // One that ended meanwhile needs no rest.
                Some(actor) => drop(actor.post(Rest)),
                None if slot.summary().is_stored => {}
                None => gone.push(Arc::clone(slot)),
            }
        }
        if !gone.is_empty() {
            self.publish(|groups| gone.iter().for_each(|slot: &Arc<GroupSlot>| groups.remove(&slot.id)));
        }
    }

    pub(super) fn expire_offsets(&self, ctx: &Context<Self>) {
        let now_ms = clock::wall_ms();
        for slot in self.groups.load().iter().filter(|slot| slot.is_due(now_ms)) {
            // One that ended meanwhile is looked at the next time.
            let _ = self.start_group(slot, ctx).post(ExpireOffsets);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::broker::{BrokerHandle, start};
    use crate::config::Settings;
    use crate::consumer_group::heartbeat::{Beat, ConsumerHeartbeat};
    use crate::coordinator::groups::Kind;
    use crate::coordinator::locate::Missing;
    use crate::names::GroupId;
    use crate::offsets::commit::{CommitOffsets, Committing, Epochs, NewOffset};
    use crate::offsets::fetch::{FetchOffsets, Fetching};
    use crate::offsets::tests::topic;
    use crate::placement::Placement;
    use tempfile::TempDir;

    /// A broker on this thread alone, whose time passes when everybody waits for it.
    pub(crate) fn broker(folder: &TempDir) -> BrokerHandle {
        broker_with(folder, &[])
    }

    /// The same with settings.
    pub(crate) fn broker_with(folder: &TempDir, settings: &[(&str, &str)]) -> BrokerHandle {
        let place = [("data.dir", folder.path().to_str().unwrap()), ("storage.free.bytes.min", "0")];
        let settings = Settings::from_pairs([&place, settings].concat()).unwrap();
        start::start(Arc::new(settings), Placement::here()).unwrap()
    }

    async fn commit(broker: &BrokerHandle, group: &GroupId, offset: i64) {
        let from = Committing { member: None, instance: None, generation: -1, epochs: Epochs::Known };
        let metadata = String::new();
        let offsets = vec![NewOffset { partition: (topic(1), 0), offset, leader_epoch: -1, metadata }];
        let offsets = Arc::new(offsets);
        let message = |reply| CommitOffsets {
            from: from.clone(),
            offsets: Arc::clone(&offsets),
            retention: None,
            reply,
        };
        let committed = broker.ask_group(group, Missing::Create(Kind::Classic), message).await;
        assert_eq!(committed.unwrap().unwrap(), [Ok(())]);
    }

    async fn committed(broker: &BrokerHandle, group: &GroupId) -> Vec<i64> {
        let from = Fetching { member: None, epoch: -1 };
        let message = |reply| FetchOffsets { from: from.clone(), partitions: None, reply };
        let fetched = broker.ask_group(group, Missing::Create(Kind::Classic), message).await;
        fetched.unwrap().unwrap().iter().filter_map(|it| Some(it.committed.as_ref()?.offset)).collect()
    }

    #[actix::test]
    async fn a_group_that_nobody_uses_is_put_away_and_found_again() {
        tokio::time::pause();
        let folder = tempfile::tempdir().unwrap();
        let broker = broker(&folder);
        let (used, blank) = (GroupId::from("used"), GroupId::from("blank"));
        commit(&broker, &used, 7).await;
        assert_eq!(committed(&broker, &blank).await, [] as [i64; 0]);
        let is_running = |group: &GroupId| broker.groups().get(group).unwrap().actor().is_some();
        assert!(is_running(&used) && is_running(&blank));
        clock::pass(REST_INTERVAL * 2 + Duration::from_secs(1)).await;
        assert!(!is_running(&used) && broker.groups().get(&used).unwrap().exists());
        assert_eq!(committed(&broker, &used).await, [7], "it is read again");
        clock::pass(REST_INTERVAL).await;
        assert!(broker.groups().get(&blank).is_none(), "nothing is left of what had nothing");
        broker.shutdown().await;
    }

    #[actix::test]
    async fn a_member_that_is_gone_is_noticed_after_a_restart_though_nobody_asks() {
        tokio::time::pause();
        let folder = tempfile::tempdir().unwrap();
        let before = broker(&folder);
        let group = GroupId::from("group");
        let beat = Arc::new(Beat { member: Some("a".into()), topics: Some(Vec::new()), ..Beat::default() });
        let message = |reply| ConsumerHeartbeat { beat: Arc::clone(&beat), reply };
        let entered = before.ask_group(&group, Missing::Create(Kind::Consumer), message).await;
        assert_eq!(entered.unwrap().unwrap().epoch, 1);
        before.shutdown().await;
        let after = broker(&folder);
        let is_empty = || after.groups().get(&group).unwrap().summary().state.is_empty();
        clock::pass(Duration::from_secs(44)).await;
        assert!(!is_empty());
        clock::pass(Duration::from_secs(2)).await;
        assert!(is_empty());
        after.shutdown().await;
    }
}
