//! The id of a request: the caller's own when it is usable, else a new one; known to whatever runs for this request.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderValue};

/// Longer ids are not echoed.
const LIMIT: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Differs from launch to launch, so that ids do not repeat across restarts.
static LAUNCH: LazyLock<u64> = LazyLock::new(|| {
    // Only readers of logs rely on it: without randomness the start time does as well.
    getrandom::u64().unwrap_or_else(|_| {
        let since = jiff::Timestamp::now().as_duration();
        Duration::try_from(since).map_or(0, |since| since.as_secs())
    })
});

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Visible ASCII, at most 128 characters.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// Takes over `X-Request-ID` or makes one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers
            .get(super::REQUEST_ID)
            .and_then(|id| id.to_str().ok());
        given
            .filter(|id| !id.is_empty() && id.len() <= LIMIT)
            .map_or_else(Self::next, |id| Self(id.into()))
    }

    fn next() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let launch = *LAUNCH & 0xffff_ffff;
        Self(format!("{launch:08x}{count:08x}").into())
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("an id is visible ASCII")
    }

    /// Makes this id the [`current`] one while `work` runs.
    pub(crate) fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for RequestId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The id of the request that the caller works for; none outside of one.
pub(crate) fn current() -> Option<RequestId> {
    CURRENT.try_with(Clone::clone).ok()
}
