//! A client that commits offsets without being a member, and reads them: none goes back.

use crate::topics::{KEPT, KEPT_PARTITIONS};
use crate::world::{Client, Over};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use callboard_protocol::kafka::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
};
use std::collections::BTreeMap;
use std::time::Duration;

const VERSION: i16 = 9;

/// What groups committed: of each group and partition what is acknowledged, and what was sent last.
/// Whoever commits takes a number that nobody took before, so that a later one is larger.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    next: i64,
    offsets: BTreeMap<(String, i32), (Option<i64>, i64)>,
}

/// Who commits: a member of a generation, or nobody.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    pub(crate) group: String,
    pub(crate) member: String,
    /// The name of a static member.
    pub(crate) instance: Option<String>,
    pub(crate) generation: i32,
}

impl Committed {
    fn send(&mut self, group: &str, partition: i32) -> i64 {
        self.next += 1;
        self.offsets.entry((group.to_owned(), partition)).or_default().1 = self.next;
        self.next
    }

    fn acknowledged(&self, group: &str, partition: i32) -> Option<i64> {
        self.offsets.get(&(group.to_owned(), partition)).and_then(|known| known.0)
    }

    /// What is there now; nothing smaller may ever be there.
    fn stands(&mut self, group: &str, partition: i32, offset: i64) {
        let known = self.offsets.entry((group.to_owned(), partition)).or_default();
        assert!(offset <= known.1, "{group}: nobody committed {offset} of {partition}");
        known.0 = known.0.max(Some(offset));
    }
}

/// Commits and reads until it is over.
pub(crate) async fn run(client: Client) -> Result<(), Over> {
    let nobody = Committer { group: "ledger".into(), member: String::new(), instance: None, generation: -1 };
    loop {
        client.pause().await;
        if client.world().topics.kept().is_none() {
            client.let_pass(Duration::from_millis(1)).await;
            continue;
        }
        let partition = client.below(KEPT_PARTITIONS as usize) as i32;
        if client.is_one_in(2) {
            assert_eq!(commit(&client, &nobody, partition).await?, ErrorCode::NONE);
        } else {
            fetch(&client, &nobody.group, partition).await?;
        }
    }
}

/// Compares all that is committed with what must be.
pub(crate) async fn fetch_all(client: &Client) -> Result<(), Over> {
    let all: Vec<_> = client.world().committed.offsets.keys().cloned().collect();
    for (group, partition) in all {
        fetch(client, &group, partition).await?;
    }
    Ok(())
}

/// Commits a number of its own. Answers why that is refused.
pub(crate) async fn commit(client: &Client, who: &Committer, partition: i32) -> Result<ErrorCode, Over> {
    let offset = client.world().committed.send(&who.group, partition);
    let row = OffsetCommitRequestPartition {
        partition_index: partition,
        committed_offset: offset,
        committed_leader_epoch: -1,
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic { name: KEPT.into(), partitions: vec![row], ..Default::default() };
    let request = OffsetCommitRequest {
        group_id: who.group.as_str().into(),
        generation_id_or_member_epoch: who.generation,
        member_id: who.member.as_str().into(),
        group_instance_id: who.instance.as_deref().map(Into::into),
        topics: vec![topic],
        ..Default::default()
    };
    let answer: OffsetCommitResponse = client.ask(VERSION, &request).await?;
    let code = answer.topics[0].partitions[0].error_code;
    if client.check(code)? {
        client.world().committed.stands(&who.group, partition, offset);
    }
    Ok(code)
}

async fn fetch(client: &Client, group: &str, partition: i32) -> Result<(), Over> {
    let must = client.world().committed.acknowledged(group, partition);
    let is = committed(client, group, partition).await?;
    assert!(is >= must, "{group}: the offset of {partition} went from {must:?} to {is:?}");
    if let Some(offset) = is {
        client.world().committed.stands(group, partition, offset);
    }
    Ok(())
}

/// What a group committed of a partition.
pub(crate) async fn committed(client: &Client, group: &str, partition: i32) -> Result<Option<i64>, Over> {
    let topic = OffsetFetchRequestTopics {
        name: KEPT.into(),
        partition_indexes: vec![partition],
        ..Default::default()
    };
    let group_asked = OffsetFetchRequestGroup {
        group_id: group.into(),
        member_epoch: -1,
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let request = OffsetFetchRequest { groups: vec![group_asked], ..Default::default() };
    let answer: OffsetFetchResponse = client.ask(VERSION, &request).await?;
    let told = &answer.groups[0];
    assert!(client.check(told.error_code)?, "{answer:?}");
    let offset = told.topics[0].partitions[0].committed_offset;
    Ok(Some(offset).filter(|offset| *offset >= 0))
}
