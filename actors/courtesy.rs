//! Who reads or writes much at once gives way to those who wait for little.
//!
//! Many kernels take a core from nobody for a thread that has just been woken, so that each thread that a
//! record wakes may wait behind a reading or an answer for as long as that keeps its core. To stop often
//! costs some of the rate, and nobody gains by it where there is only long work.

use crate::clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What long work does at once while others wait for short.
const STEP_BYTES: usize = 256 << 10;
/// Whoever wanted something short within this time may want more.
const RECENTLY: Duration = Duration::from_millis(5);

/// Whether others wait for something short. Clones share it.
#[derive(Debug, Clone)]
pub struct Courtesy {
    begun: Instant,
    /// When short work was last wanted, in milliseconds and one more, so that 0 is never.
    last_ms: Arc<AtomicU64>,
}

impl Default for Courtesy {
    fn default() -> Self {
        Self { begun: clock::now(), last_ms: Arc::default() }
    }
}

impl Courtesy {
    /// Tells that something short is being done for somebody: a group is committed, or a short answer written.
    pub fn short_work_is_wanted(&self) {
        let now = self.now_ms() + 1;
        // Once a millisecond, however many tell it.
        if self.last_ms.load(Ordering::Relaxed) != now {
            self.last_ms.store(now, Ordering::Relaxed);
        }
    }

    /// After how many bytes long work gives way, by `thread::yield_now` and the like.
    pub fn step_bytes(&self) -> usize {
        let last = self.last_ms.load(Ordering::Relaxed);
        let is_recent =
            last > 0 && u128::from(self.now_ms().saturating_sub(last - 1)) <= RECENTLY.as_millis();
        if is_recent { STEP_BYTES } else { usize::MAX }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn long_work_gives_way_while_short_work_was_wanted_recently() {
        let courtesy = Courtesy::default();
        assert_eq!(courtesy.step_bytes(), usize::MAX);
        courtesy.short_work_is_wanted();
        assert_eq!(courtesy.step_bytes(), STEP_BYTES);
        tokio::time::advance(RECENTLY).await;
        assert_eq!(courtesy.step_bytes(), STEP_BYTES);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(courtesy.step_bytes(), usize::MAX);
        courtesy.short_work_is_wanted();
        assert_eq!(courtesy.step_bytes(), STEP_BYTES);
    }
}
