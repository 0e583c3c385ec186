//! The bounds that all connections share: how many there are, how fast they come, and the bytes of their
//! requests and answers.

use crate::pace::Pace;
use bytes::Bytes;
use callboard_actors::held::{held, take_free};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bounds, and how much of each is taken. Clones share them.
#[derive(Debug, Clone)]
pub struct Limits {
    bytes_max: usize,
    bytes: Arc<Semaphore>,
    overdraft: Arc<Semaphore>,
    places: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    connections: Arc<Connections>,
    pace: Pace,
}

/// About what is in memory of a request beside its own bytes, until it is answered. As much memory as for
/// bytes is there for that.
const REQUEST_BYTES: usize = 4 << 10;

/// Answers that are made at once. Each may pass the bound on their bytes, which are known only then.
const TURNS: usize = 4;

/// What a request takes of the bytes in flight; given back when dropped.
#[derive(Debug, Default)]
pub struct Reserved {
    bytes: Option<OwnedSemaphorePermit>,
    overdraft: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Default)]
struct Connections(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    per_ip: HashMap<IpAddr, usize>,
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub struct Admission {
    connections: Arc<Connections>,
    ip: IpAddr,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// There are as many as there may be.
    #[error("there are {0} connections, as many as max.connections allows")]
    Total(usize),
    /// There are as many of that address as there may be.
    #[error("there are {0} connections of the address, as many as max.connections.per.ip allows")]
    PerIp(usize),
}

impl Limits {
    /// Bounds with nothing taken of them yet: bytes of requests, and of answers that grow with what there
    /// is in the broker.
    pub fn new(bytes_in_flight_max: usize, answer_bytes_max: usize) -> Self {
        let bytes_max = bytes_in_flight_max.min(Semaphore::MAX_PERMITS);
        Self {
            bytes_max,
            bytes: Arc::new(Semaphore::new(bytes_max)),
            overdraft: Arc::new(Semaphore::new(1)),
            places: Arc::new(Semaphore::new((bytes_max / REQUEST_BYTES).max(1))),
            answers: Arc::new(Semaphore::new(answer_bytes_max.min(Semaphore::MAX_PERMITS))),
            turns: Arc::new(Semaphore::new(TURNS)),
            connections: Arc::default(),
            pace: Pace::default(),
        }
    }

    /// Takes a new connection of that address, when there are fewer than `max`, and than `per_ip_max`
    /// of the address.
    ///
    /// # Errors
    /// [`NotAdmitted`] when a bound is reached.
    pub fn admit(&self, ip: IpAddr, max: usize, per_ip_max: usize) -> Result<Admission, NotAdmitted> {
        let connections = &self.connections;
        let mut counts = connections.lock();
        if counts.total >= max {
            return Err(NotAdmitted::Total(counts.total));
        }
        let of_ip = counts.per_ip.get(&ip).copied().unwrap_or(0);
        if of_ip >= per_ip_max {
            return Err(NotAdmitted::PerIp(of_ip));
        }
        counts.total += 1;
        counts.per_ip.insert(ip, of_ip + 1);
        drop(counts);
        Ok(Admission { connections: Arc::clone(connections), ip })
    }

    /// How fast connections are taken.
    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// A place for one more request of a connection that has others, if there is one: the first of each needs
    /// none, so that clients whose requests take long leave all others one at a time.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Takes so many bytes at once, when afterwards at least half of the bound is still free: as long as
    /// there is plenty, a claim may count like what has arrived.
    pub fn reserve_early(&self, reserved: &mut Reserved, bytes: usize) -> bool {
        let is_plenty = self.bytes.available_permits() >= bytes + self.bytes_max / 2;
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX);
        let taken = is_plenty.then(|| Arc::clone(&self.bytes).try_acquire_many_owned(wanted).ok());
        taken.flatten().map(|permit| reserved.add(permit)).is_some()
    }

    /// Waits until so many more bytes of a request fit beside those that are in the broker already.
    ///
    /// Bytes are counted as they arrive, because a client may announce what it never sends. So that
    /// requests of which a part is there never wait for each other, one at a time may pass the bound
    /// until it is answered.
    pub async fn reserve(&self, reserved: &mut Reserved, bytes: usize) {
        if reserved.overdraft.is_some() {
            return;
        }
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX);
        // The semaphores are never closed.
        tokio::select! {
            biased;
            Ok(permit) = Arc::clone(&self.bytes).acquire_many_owned(wanted) => reserved.add(permit),
            Ok(permit) = Arc::clone(&self.overdraft).acquire_owned() => reserved.overdraft = Some(permit),
            else => {}
        }
    }
}

impl Limits {
    /// Waits until an answer may be made: there is room for some of it, and it is its turn. The turn ends
    /// when what is given is dropped.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphores are never closed.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        let _ = self.answers.acquire().await;
        turn
    }

    /// Counts a piece of an answer until the last reference to it is dropped, when it is written. What
    /// does not fit takes all that is left.
    pub fn count(&self, piece: Bytes) -> Bytes {
        let taken = take_free(&self.answers, piece.len());
        held(piece, taken)
    }

    /// Whether there is room for more answers.
    pub fn has_room(&self) -> bool {
        self.answers.available_permits() > 0
    }
}

impl Reserved {
    fn add(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.bytes {
            Some(bytes) => bytes.merge(permit),
            None => self.bytes = Some(permit),
        }
    }
}

impl Connections {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut counts = self.connections.lock();
        counts.total -= 1;
        if let Some(count) = counts.per_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                counts.per_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn ip(last: u8) -> IpAddr {
        Ipv4Addr::new(127, 0, 0, last).into()
    }

    #[test]
    fn places_are_bounded_in_all_and_per_address_and_given_back() {
        let limits = Limits::new(1, 1);
        let first = limits.admit(ip(1), 3, 2).unwrap();
        let _second = limits.admit(ip(1), 3, 2).unwrap();
        assert_eq!(limits.admit(ip(1), 3, 2).unwrap_err(), NotAdmitted::PerIp(2));
        let _third = limits.admit(ip(2), 3, 2).unwrap();
        assert_eq!(limits.admit(ip(3), 3, 2).unwrap_err(), NotAdmitted::Total(3));
        drop(first);
        limits.admit(ip(1), 3, 2).unwrap();
    }

    #[tokio::test]
    async fn one_request_at_a_time_may_pass_the_bound_and_the_next_waits_for_it() {
        let limits = Limits::new(10, 1);
        let (mut small, mut large, mut next) =
            (Reserved::default(), Reserved::default(), Reserved::default());
        limits.reserve(&mut small, 8).await;
        limits.reserve(&mut large, 100).await;
        limits.reserve(&mut large, 100).await;
        let mut waiting = Box::pin(limits.reserve(&mut next, 3));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(large);
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }

    #[tokio::test]
    async fn bytes_are_taken_early_only_while_half_of_them_stay_free() {
        let limits = Limits::new(10, 1);
        let (mut first, mut next) = (Reserved::default(), Reserved::default());
        assert!(!limits.reserve_early(&mut first, 6));
        assert!(limits.reserve_early(&mut first, 5));
        assert!(!limits.reserve_early(&mut next, 1));
        limits.reserve(&mut next, 5).await;
        drop(first);
        assert!(!limits.reserve_early(&mut next, 1));
        drop(next);
        assert!(limits.reserve_early(&mut Reserved::default(), 1));
    }

    #[tokio::test]
    async fn an_answer_waits_while_those_that_are_not_taken_fill_their_room() {
        let limits = Limits::new(1, 10);
        let turn = limits.turn().await;
        let first = limits.count(Bytes::from_static(b"123456789"));
        assert!(limits.has_room());
        let second = limits.count(Bytes::from_static(b"much more than is left"));
        drop(turn);
        assert!(!limits.has_room());
        let mut waiting = Box::pin(limits.turn());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(second);
        assert!(futures_util::poll!(&mut waiting).is_ready());
        drop(first);
    }

    #[tokio::test]
    async fn only_so_many_answers_are_made_at_once() {
        let limits = Limits::new(1, 10);
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            turns.push(limits.turn().await);
        }
        let mut waiting = Box::pin(limits.turn());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        turns.pop();
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }

    #[tokio::test]
    async fn bytes_that_are_given_back_are_free() {
        let limits = Limits::new(10, 1);
        let (mut first, mut over, mut next) = (Reserved::default(), Reserved::default(), Reserved::default());
        limits.reserve(&mut first, 4).await;
        limits.reserve(&mut first, 6).await;
        limits.reserve(&mut over, 1).await;
        let mut waiting = Box::pin(limits.reserve(&mut next, 10));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(first);
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }
}
