//! Waiting for a condition, with a deadline and with the last status in the failure. The only place that sleeps.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// How long anything may take that happens at once on a machine with nothing else to do: builds and other tests run beside
/// this one. Only what never happens waits as long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long a request may wait for its answer, whatever others do. Ten seconds are promised; the rest is for a machine that is
/// busy with something else.
pub const NO_HANG: Duration = Duration::from_secs(30);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until `check` answers `Ok`, and returns that.
///
/// # Panics
///
/// After `limit`, with `what` did not happen and the status that the last look answered.
pub async fn eventually<T>(
    what: &str,
    limit: Duration,
    mut check: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let begin = Instant::now();
    loop {
        let status = match check().await {
            Ok(value) => return value,
            Err(status) => status,
        };
        assert!(
            begin.elapsed() < limit,
            "within {limit:?} this did not happen: {what}. The last status: {status}"
        );
        sleep(PAUSE).await;
    }
}

/// `Ok` when the condition holds, else the status that it was made with.
///
/// # Errors
///
/// The status, when it does not hold.
pub fn that(holds: bool, status: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(status.into()) }
}
