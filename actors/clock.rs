//! What time it is. Nothing else in this crate asks the system.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, by the wall clock.
#[allow(clippy::disallowed_methods, reason = "this is the clock that others ask")]
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Now, by a clock that never goes back and that tests can stop.
pub fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Lets time pass, where there is no event to wait for.
#[allow(clippy::disallowed_methods, reason = "this is the clock that others ask")]
pub async fn pass(time: std::time::Duration) {
    tokio::time::sleep(time).await;
}
