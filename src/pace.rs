//! How fast new connections are taken while others are served.

use callboard_actors::clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The mean time between two connections. Each takes some 25 µs of a core, and its opening and closing as much
/// in the kernel, while those who are served wait. Newcomers wait behind them at the port.
pub const EVERY: Duration = Duration::from_micros(200);
/// So many more may come at once after a time without any.
pub const AT_ONCE: u32 = 64;

/// A pace for connections whose clients have said nothing; all ports share it. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Mutex<Instant>>);

/// A connection that was counted, and whose client has said nothing yet. Those that speak are work like any
/// other, and make nobody wait at the port.
#[derive(Debug)]
pub struct Stranger(Pace);

impl Default for Pace {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(clock::now())))
    }
}

impl Pace {
    /// Counts a connection that was taken.
    pub fn count(&self) -> Stranger {
        let mut next = self.next();
        // Time that has passed without a connection counts for so many only.
        let earliest = clock::now().checked_sub(EVERY * AT_ONCE).unwrap_or(*next);
        *next = earliest.max(*next) + EVERY;
        Stranger(self.clone())
    }

    /// Waits until one more may be taken. Another port may take one meanwhile: each waits once.
    pub async fn keep(&self) {
        let left = self.next().saturating_duration_since(clock::now());
        if !left.is_zero() {
            clock::pass(left).await;
        }
    }

    /// When the next connection may be taken.
    fn next(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// It counts no more.
    pub fn speaks(self) {
        let mut next = self.0.next();
        *next = next.checked_sub(EVERY).unwrap_or(*next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn takes(pace: &Pace, count: u32, then: impl Fn(Stranger)) -> Duration {
        let begun = clock::now();
        for _ in 0..count {
            pace.keep().await;
            then(pace.count());
        }
        clock::now() - begun
    }

    #[tokio::test(start_paused = true)]
    async fn some_come_at_once_and_then_each_waits_for_its_time() {
        let pace = Pace::default();
        clock::pass(Duration::from_secs(1)).await;
        assert_eq!(takes(&pace, AT_ONCE + 1, drop).await, Duration::ZERO);
        let took = takes(&pace, 1000, drop).await;
        assert!((EVERY * 990..=EVERY * 1010).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_speak_make_nobody_wait() {
        assert_eq!(takes(&Pace::default(), 1000, Stranger::speaks).await, Duration::ZERO);
    }
}
