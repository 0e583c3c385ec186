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
/// Whoever wanted something short less than so long ago may want more.
const RECENTLY: Duration = Duration::from_millis(6);

/// Whether others wait for something short. Clones share it.
#[derive(Debug, Clone)]
pub struct Courtesy {
    begun: Instant,
    /// Until when others count as waiting, in milliseconds since it began.
    until_ms: Arc<AtomicU64>,
}

impl Default for Courtesy {
    fn default() -> Self {
        Self { begun: clock::now(), until_ms: Arc::default() }
    }
}

impl Courtesy {
    /// Tells that something short is being done for somebody: a group is committed, or a short answer written.
    pub fn short_work_is_wanted(&self) {
        let until_ms = whole_ms(self.begun.elapsed() + RECENTLY);
        // Once a millisecond, however many tell it.
        if self.until_ms.load(Ordering::Relaxed) != until_ms {
            self.until_ms.store(until_ms, Ordering::Relaxed);
        }
    }

    /// Whether somebody wanted something short a moment ago, and so may want more.
    pub fn others_wait(&self) -> bool {
        whole_ms(self.begun.elapsed()) < self.until_ms.load(Ordering::Relaxed)
    }

    /// After how many bytes long work gives way, by `thread::yield_now` and the like.
    pub fn step_bytes(&self) -> usize {
        if self.others_wait() { STEP_BYTES } else { usize::MAX }
    }
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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
        tokio::time::advance(RECENTLY.saturating_sub(Duration::from_millis(1))).await;
        assert_eq!(courtesy.step_bytes(), STEP_BYTES);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(courtesy.step_bytes(), usize::MAX);
        courtesy.short_work_is_wanted();
        assert_eq!(courtesy.step_bytes(), STEP_BYTES);
    }
}
