//! Starting a broker: its folder, its logs, its threads and its actors.

use super::alter_configs::{StoredConfigs, restore};
use super::answers::AnswerBytes;
use super::handle::Shared;
use super::producer_ids::{ProducerIds, RESERVED_KEY};
use super::topics::{PartitionSlot, TopicView, Topics};
use super::{Broker, BrokerHandle};
use crate::chance;
use crate::committer::Committer;
use crate::config::{Settings, StorageSettings, TopicConfig};
use crate::coordinator::Coordinator;
use crate::coordinator::groups::{GroupSlot, Groups, Summary};
use crate::courtesy::Courtesy;
use crate::placement::Placement;
use crate::readers::Readers;
use actix::Actor;
use arc_swap::ArcSwap;
use callboard_storage::disk::{Disk, OsDisk};
use callboard_storage::folder::{Folder, Identity};
use callboard_storage::index::Index;
use callboard_storage::keys::{self, ConfigKind, Table};
use callboard_storage::log::checkpointer::CheckpointBounds;
use callboard_storage::log::{Log, LogOptions};
use callboard_storage::values::{ConfigRow, GroupRow, PartitionRow, TopicRow};
use callboard_storage::{PartitionId, TopicId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Storage(#[from] callboard_storage::Error),
    /// No thread can be had.
    #[error("no reader thread can be started: {0}")]
    Threads(#[from] std::io::Error),
}

/// An opened data folder and what is in it.
struct Opened {
    folder: Folder,
    log: Log,
    topics: Topics,
    groups: Groups,
    next_partition: PartitionId,
    reserved_producer_ids: i64,
    settings: Settings,
}

/// Opens the data folder and starts the actors, in the running actix system. Blocks while the
/// folder is opened.
///
/// # Errors
/// [`StartError`]; nothing runs then.
pub fn start(settings: Arc<Settings>, placement: Placement) -> Result<BrokerHandle, StartError> {
    start_on(Arc::new(OsDisk), settings, placement)
}

/// The same with the journal and the checkpoint on another disk than the system's.
///
/// # Errors
/// As for [`start`].
pub fn start_on(
    disk: Arc<dyn Disk>,
    settings: Arc<Settings>,
    placement: Placement,
) -> Result<BrokerHandle, StartError> {
    let base = settings.values.clone();
    let opened = open(disk, &settings)?;
    let Opened { folder, log, topics, groups, next_partition, reserved_producer_ids, settings } = opened;
    let readers = Readers::start(settings.threads.readers, &log.reader())?;
    let leader_epoch = log.leader_epoch();
    let identity = folder.identity().clone();
    let free_bytes_min = settings.storage.free_bytes_min;
    let courtesy = Courtesy::default();
    let giving_way = courtesy.clone();
    let committer = Committer::start_in_arbiter(placement.committer(), move |_| {
        Committer::new(log, folder, free_bytes_min, giving_way)
    });
    let topics = Arc::new(ArcSwap::from_pointee(topics));
    let answers = AnswerBytes::new(settings.fetch.bytes_in_flight_max);
    let settings = Arc::new(ArcSwap::from_pointee(settings));
    let actor = Broker {
        settings: Arc::clone(&settings),
        base,
        topics: Arc::clone(&topics),
        committer: committer.clone(),
        placement: placement.clone(),
        creating: HashMap::new(),
        next_partition,
        producer_ids: ProducerIds::new(reserved_producer_ids),
    };
    let groups = Arc::new(ArcSwap::from_pointee(groups));
    let coordinator = Coordinator::new(
        Arc::clone(&settings),
        Arc::clone(&groups),
        Arc::clone(&topics),
        committer.clone(),
        placement.clone(),
    );
    let coordinator = Coordinator::start_in_arbiter(placement.broker(), |_| coordinator);
    let broker = Broker::start_in_arbiter(placement.broker(), |_| actor);
    Ok(BrokerHandle::new(Shared {
        broker,
        committer,
        topics,
        coordinator,
        groups,
        readers,
        answers,
        courtesy,
        settings,
        identity,
        leader_epoch,
        placement,
    }))
}

fn open(disk: Arc<dyn Disk>, settings: &Settings) -> Result<Opened, StartError> {
    let new = Identity { cluster_id: chance::base64(chance::uuid()), node_id: settings.node_id };
    let folder = Folder::open(&settings.data_dir, new)?;
    let log = Log::open(disk, &folder, &log_options(&settings.storage))?;
    let reader = log.reader();
    let index = reader.index();
    let settings = load_settings(index, settings)?;
    let (topics, next_partition) = load_topics(index, &settings)?;
    let reserved = index.get(Table::Meta, RESERVED_KEY)?;
    let reserved_producer_ids =
        reserved.and_then(|value| value.try_into().ok()).map_or(0, i64::from_be_bytes);
    let groups = load_groups(index)?;
    Ok(Opened { folder, log, topics, groups, next_partition, reserved_producer_ids, settings })
}

fn log_options(settings: &StorageSettings) -> LogOptions {
    LogOptions {
        segment_bytes: settings.segment_bytes,
        checkpoint: CheckpointBounds {
            bytes: settings.checkpoint_bytes,
            records: settings.checkpoint_records,
            interval: settings.checkpoint_interval,
        },
    }
}

/// The settings with what clients changed of them.
fn load_settings(index: &Index, settings: &Settings) -> Result<Settings, StartError> {
    let mut stored = StoredConfigs::default();
    for (key, value) in index.scan(Table::Configs, &[])? {
        let configs = ConfigRow::decode(&value)?.configs;
        match keys::read_configs(&key) {
            Some((ConfigKind::Cluster, _)) => stored.cluster = configs,
            Some((ConfigKind::Node, name)) if name == settings.node_id.to_string() => stored.node = configs,
            Some((ConfigKind::Group, name)) => stored.groups.push((name.into(), configs)),
            // The folder was another broker's before.
            Some((ConfigKind::Node, _)) | None => {}
        }
    }
    Ok(restore(settings, stored))
}

/// All topics with their partitions, and the first number that no partition ever had.
fn load_topics(index: &Index, settings: &Settings) -> Result<(Topics, PartitionId), StartError> {
    let mut partitions: HashMap<TopicId, BTreeMap<u32, PartitionId>> = HashMap::new();
    let mut next = 0;
    for (key, value) in index.scan(Table::Partitions, &[])? {
        let Some(id) = keys::read_partitions(&key) else { continue };
        let row = PartitionRow::decode(&value)?;
        next = next.max(id.0 + 1);
        if !row.is_deleted() {
            partitions.entry(row.topic).or_default().insert(row.index, id);
        }
    }
    let mut topics = Topics::default();
    for (key, value) in index.scan(Table::Topics, &[])? {
        let Ok(id) = Uuid::from_slice(&key).map(TopicId) else { continue };
        let slots = partitions.remove(&id).unwrap_or_default();
        topics.put(Arc::new(view(id, TopicRow::decode(&value)?, slots, settings)));
    }
    Ok((topics, PartitionId(next)))
}

/// All groups that storage has. What they are is read again when they are used.
fn load_groups(index: &Index) -> Result<Groups, StartError> {
    let mut groups = Groups::default();
    for (key, value) in index.scan(Table::Groups, &[])? {
        // Members are read with their group.
        let Some((id, None)) = keys::read_groups(&key) else { continue };
        groups.put(Arc::new(GroupSlot::new(id.into(), Summary::of(&GroupRow::decode(&value)?))));
    }
    Ok(groups)
}

fn view(
    id: TopicId,
    row: TopicRow,
    partitions: BTreeMap<u32, PartitionId>,
    settings: &Settings,
) -> TopicView {
    let defaults = &settings.topics.defaults;
    let overrides = row.configs.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let config = TopicConfig::restore(overrides, defaults);
    let slots = partitions.into_iter().map(|(index, id)| PartitionSlot::new(id, index));
    TopicView::new(id, row.name.as_str().into(), config, slots)
}
