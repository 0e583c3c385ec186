//! What time it is. Nothing else in this crate asks the system.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

thread_local! {
    /// On a thread that simulates: what the wall clock showed, and when.
    static SIMULATED: Cell<Option<(i64, Instant)>> = const { Cell::new(None) };
}

/// Lets the wall clock of this thread show `wall_ms` now and go on with [`now`], which a simulation
/// moves as it likes.
pub fn simulate(wall_ms: i64) {
    SIMULATED.set(Some((wall_ms, now())));
}

/// Milliseconds since 1970, by the wall clock.
#[allow(clippy::disallowed_methods, reason = "this is the clock that others ask")]
pub fn wall_ms() -> i64 {
    if let Some((wall_ms, then)) = SIMULATED.get() {
        return wall_ms.saturating_add(i64::try_from(then.elapsed().as_millis()).unwrap_or(i64::MAX));
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Now, by a clock that never goes back and that tests can stop.
pub fn now() -> Instant {
    Instant::now()
}

/// Lets time pass, where there is no event to wait for.
#[allow(clippy::disallowed_methods, reason = "this is the clock that others ask")]
pub async fn pass(time: std::time::Duration) {
    tokio::time::sleep(time).await;
}
