//! Fetch sessions (KIP-227): a client names its partitions once, and then only what changes.
//!
//! The broker remembers a bounded number of sessions. When there is no room, a new one takes the
//! place of the one that was silent longest, if that is long; otherwise the client gets none and
//! names its partitions each time.

use callboard_actors::{chance, clock};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchPartition, FetchRequest, PartitionData};
use callboard_protocol::wire::Str;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// A session that was silent for so long may lose its place.
const EVICTABLE_AFTER: Duration = Duration::from_mins(2);
/// Partitions of all sessions together.
const PARTS_MAX: usize = 1_000_000;
/// The epoch of a request that begins a session.
const FIRST_EPOCH: i32 = 0;
/// The epoch of a request without a session.
const NO_SESSION_EPOCH: i32 = -1;

/// A topic, as a version names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TopicRef {
    Name(Str),
    Id(Uuid),
}

impl TopicRef {
    pub(super) fn name(&self) -> Str {
        match self {
            Self::Name(name) => name.clone(),
            Self::Id(_) => Str::default(),
        }
    }

    pub(super) fn id(&self) -> Uuid {
        match self {
            Self::Name(_) => Uuid::nil(),
            Self::Id(id) => *id,
        }
    }

    pub(super) fn is(&self, name: &Str, id: Uuid) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Id(own) => *own == id,
        }
    }
}

/// What a client wants of a partition.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) topic: TopicRef,
    pub(super) index: i32,
    pub(super) offset: i64,
    pub(super) bytes_max: i32,
    pub(super) leader_epoch: i32,
    pub(super) last_fetched_epoch: i32,
}

/// A fetch that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    session_id: i32,
    is_incremental: bool,
}

/// The sessions that are remembered.
#[derive(Debug)]
pub(crate) struct Sessions {
    max: usize,
    /// Partitions of all of them together.
    parts_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<i32, Session>,
}

#[derive(Debug)]
struct Session {
    epoch: i32,
    used: Instant,
    /// In the order in which they are served.
    parts: Vec<Part>,
    places: HashMap<(TopicRef, i32), usize>,
}

#[derive(Debug)]
struct Part {
    wanted: Wanted,
    /// What the client was told last.
    high_watermark: i64,
    log_start: i64,
}

impl Sessions {
    /// At most `max` sessions.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, parts_max: PARTS_MAX, state: Mutex::default() }
    }

    /// Begins a fetch: without a session, with a new one, or with one that is remembered. Answers
    /// all partitions that it reads.
    pub(super) fn begin(
        &self,
        request: &FetchRequest,
        version: i16,
        partitions_max: usize,
    ) -> Result<(Context, Vec<Wanted>), ErrorCode> {
        let wanted = wanted_of(request, version);
        let mut state = self.lock();
        if request.session_epoch == NO_SESSION_EPOCH || request.session_epoch == FIRST_EPOCH {
            state.sessions.remove(&request.session_id);
            let wants_session = request.session_epoch == FIRST_EPOCH && version >= 7;
            let session_id = if wants_session { state.create(self, &wanted) } else { 0 };
            return Ok((Context { session_id, is_incremental: false }, wanted));
        }
        let session =
            state.sessions.get_mut(&request.session_id).ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
        session.check(request, version)?;
        session.forget(request, version);
        let is_grown = !wanted.is_empty();
        wanted.into_iter().for_each(|wanted| session.put(wanted));
        if session.parts.len() > partitions_max {
            state.sessions.remove(&request.session_id);
            return Err(ErrorCode::INVALID_REQUEST);
        }
        let wanted: Vec<_> = session.parts.iter().map(|part| part.wanted.clone()).collect();
        if is_grown && state.parts() > self.parts_max {
            // Its client goes on as one for which there was no room at first.
            state.sessions.remove(&request.session_id);
            return Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
        }
        if wanted.is_empty() {
            state.sessions.remove(&request.session_id);
            return Ok((Context { session_id: 0, is_incremental: false }, wanted));
        }
        Ok((Context { session_id: request.session_id, is_incremental: true }, wanted))
    }

    /// Ends a fetch: remembers what the client is told, and leaves out what it knows already.
    pub(super) fn end(
        &self,
        context: Context,
        mut answers: Vec<(Wanted, PartitionData)>,
    ) -> (i32, Vec<(Wanted, PartitionData)>) {
        let mut state = self.lock();
        let Some(session) = state.sessions.get_mut(&context.session_id) else {
            return (context.session_id, answers);
        };
        session.used = clock::now();
        let served: HashSet<_> =
            answers.iter().filter(|(_, data)| has_records(data)).map(|(wanted, _)| wanted.key()).collect();
        answers.retain(|(wanted, data)| session.tell(wanted, data) || !context.is_incremental);
        session.put_behind(&served);
        (context.session_id, answers)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A new session's id, or 0 when there is no room.
    fn create(&mut self, bounds: &Sessions, wanted: &[Wanted]) -> i32 {
        let is_full = self.sessions.len() >= bounds.max || self.parts() + wanted.len() > bounds.parts_max;
        if is_full && !self.evict() {
            return 0;
        }
        // Not to be guessed: who names a session's number may end it.
        let id = std::iter::repeat_with(chance::positive).find(|id| !self.sessions.contains_key(id));
        let id = id.unwrap_or(1);
        let mut session =
            Session { epoch: FIRST_EPOCH, used: clock::now(), parts: Vec::new(), places: HashMap::new() };
        wanted.iter().for_each(|wanted| session.put(detached(wanted)));
        self.sessions.insert(id, session);
        id
    }

    /// Partitions of all sessions.
    fn parts(&self) -> usize {
        self.sessions.values().map(|session| session.parts.len()).sum()
    }

    fn evict(&mut self) -> bool {
        let oldest = self.sessions.iter().min_by_key(|(_, session)| session.used);
        let silent = oldest.filter(|(_, session)| session.used.elapsed() >= EVICTABLE_AFTER);
        let id = silent.map(|(id, _)| *id);
        id.is_some_and(|id| self.sessions.remove(&id).is_some())
    }
}

impl Session {
    /// Takes the next epoch; a session does not change between names and ids.
    fn check(&mut self, request: &FetchRequest, version: i16) -> Result<(), ErrorCode> {
        let expected = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
        if request.session_epoch != expected {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        let uses_ids = self.parts.first().is_some_and(|part| matches!(part.wanted.topic, TopicRef::Id(_)));
        if !self.parts.is_empty() && uses_ids != (version >= super::TOPIC_IDS_SINCE) {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        self.epoch = expected;
        self.used = clock::now();
        Ok(())
    }

    fn forget(&mut self, request: &FetchRequest, version: i16) {
        let mut is_changed = false;
        for topic in &request.forgotten_topics_data {
            let reference = reference(&topic.topic, topic.topic_id, version);
            for index in &topic.partitions {
                is_changed |= self.places.remove(&(reference.clone(), *index)).is_some();
            }
        }
        if is_changed {
            let places = &self.places;
            self.parts.retain(|part| places.contains_key(&part.wanted.key()));
            self.number();
        }
    }

    fn put(&mut self, wanted: Wanted) {
        let key = wanted.key();
        let place = self.places.get(&key).copied();
        match place.and_then(|place| self.parts.get_mut(place)) {
            Some(part) => part.wanted = detached(&wanted),
            None => {
                let part = Part { wanted: detached(&wanted), high_watermark: -1, log_start: -1 };
                self.places.insert(part.wanted.key(), self.parts.len());
                self.parts.push(part);
            }
        }
    }

    /// Remembers what the client is told of a partition, and whether it is anything new.
    fn tell(&mut self, wanted: &Wanted, data: &PartitionData) -> bool {
        let key = wanted.key();
        let place = self.places.get(&key).copied();
        let Some(part) = place.and_then(|place| self.parts.get_mut(place)) else { return true };
        let is_moved = part.high_watermark != data.high_watermark || part.log_start != data.log_start_offset;
        part.high_watermark = data.high_watermark;
        part.log_start = data.log_start_offset;
        is_moved || has_records(data) || data.error_code.is_error() || data.diverging_epoch.epoch >= 0
    }

    /// Those that were served go behind the others, so that a full answer starves nobody.
    fn put_behind(&mut self, served: &HashSet<(TopicRef, i32)>) {
        if !served.is_empty() {
            self.parts.sort_by_key(|part| served.contains(&part.wanted.key()));
            self.number();
        }
    }

    fn number(&mut self) {
        self.places = self.parts.iter().enumerate().map(|(place, part)| (part.wanted.key(), place)).collect();
    }
}

impl Wanted {
    fn key(&self) -> (TopicRef, i32) {
        (self.topic.clone(), self.index)
    }
}

/// A copy that does not keep the request's frame in memory.
fn detached(wanted: &Wanted) -> Wanted {
    let topic = match &wanted.topic {
        TopicRef::Name(name) => TopicRef::Name(name.detached()),
        TopicRef::Id(id) => TopicRef::Id(*id),
    };
    Wanted { topic, ..wanted.clone() }
}

fn has_records(data: &PartitionData) -> bool {
    data.records.as_ref().is_some_and(|records| !records.is_empty())
}

fn reference(name: &Str, id: Uuid, version: i16) -> TopicRef {
    if version >= super::TOPIC_IDS_SINCE { TopicRef::Id(id) } else { TopicRef::Name(name.clone()) }
}

/// The partitions that a request names; of one that is named twice the last counts.
fn wanted_of(request: &FetchRequest, version: i16) -> Vec<Wanted> {
    let mut places = HashMap::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    for topic in &request.topics {
        let reference = reference(&topic.topic, topic.topic_id, version);
        for partition in &topic.partitions {
            let entry = wanted_partition(&reference, partition);
            let place = *places.entry((reference.clone(), partition.partition)).or_insert(wanted.len());
            match wanted.get_mut(place) {
                Some(earlier) => *earlier = entry,
                None => wanted.push(entry),
            }
        }
    }
    wanted
}

fn wanted_partition(topic: &TopicRef, partition: &FetchPartition) -> Wanted {
    Wanted {
        topic: topic.clone(),
        index: partition.partition,
        offset: partition.fetch_offset,
        bytes_max: partition.partition_max_bytes,
        leader_epoch: partition.current_leader_epoch,
        last_fetched_epoch: partition.last_fetched_epoch,
    }
}

#[cfg(test)]
mod tests;
