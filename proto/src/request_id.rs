//! The id of a request: the caller's own when it is usable, else a new one; known to whatever runs for this request, in
//! this process and in those that it calls.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderValue, Request};
use tokio::task::futures::TaskLocalFuture;
use tonic::{codegen::Service, server::NamedService};

/// The HTTP header and the gRPC metadata key.
pub const KEY: &str = "x-request-id";

/// Longer ids are not taken over.
const LIMIT: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Differs from launch to launch, so that ids do not repeat across restarts.
static LAUNCH: LazyLock<u64> = LazyLock::new(|| {
    // Only readers of logs rely on it: without randomness the process id does as well.
    getrandom::u64().unwrap_or_else(|_| std::process::id().into())
});

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Printable ASCII, at most 128 characters.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes over `X-Request-ID` or makes one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        Self::given(headers).unwrap_or_else(Self::next)
    }

    /// Takes an id over that another process has sent; none when it is empty, too long or not printable ASCII.
    #[must_use]
    pub fn taken_over(id: &str) -> Option<Self> {
        let usable =
            !id.is_empty() && id.len() <= LIMIT && id.bytes().all(|byte| (32..127).contains(&byte));
        usable.then(|| Self(id.into()))
    }

    fn given(headers: &HeaderMap) -> Option<Self> {
        Self::taken_over(headers.get(KEY)?.to_str().ok()?)
    }

    fn next() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let launch = *LAUNCH & 0xffff_ffff;
        Self(format!("{launch:08x}{count:08x}").into())
    }

    /// The value of a header.
    ///
    /// # Panics
    ///
    /// Never: every id is visible ASCII.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("an id is visible ASCII")
    }

    /// Makes this id the [`current`] one while `work` runs.
    pub fn scope<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, work)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
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
#[must_use]
pub fn current() -> Option<RequestId> {
    CURRENT.try_with(Clone::clone).ok()
}

/// A gRPC service whose calls know the id that their metadata carry.
#[derive(Clone, Debug)]
pub struct Tracked<S>(pub S);

impl<S, B> Service<Request<B>> for Tracked<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TaskLocalFuture<RequestId, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        RequestId::of(request.headers()).scope(self.0.call(request))
    }
}

impl<S: NamedService> NamedService for Tracked<S> {
    const NAME: &'static str = S::NAME;
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;

    use super::{KEY, LIMIT, RequestId, current};

    proptest! {
        #[test]
        fn prop_any_header_gives_an_id_that_can_be_a_header(
            bytes in prop::collection::vec(prop_oneof![4 => 32_u8..127, 1 => Just(b'\t'), 1 => 128_u8..=255], 0..140),
        ) {
            let mut headers = HeaderMap::new();
            headers.insert(KEY, HeaderValue::from_bytes(&bytes).unwrap());
            let id = RequestId::of(&headers);
            let header = id.header();
            prop_assert_eq!(header.as_bytes(), id.as_bytes());
            let usable = !bytes.is_empty() && bytes.len() <= LIMIT && bytes.iter().all(|byte| (32..127).contains(byte));
            prop_assert_eq!(id.as_bytes() == bytes, usable);
        }
    }

    #[tokio::test]
    async fn a_usable_id_is_taken_over_and_known_meanwhile() {
        let long = "x".repeat(129);
        for (given, taken) in [("r-1", true), ("", false), (long.as_str(), false)] {
            let mut headers = HeaderMap::new();
            headers.insert(KEY, HeaderValue::from_str(given).unwrap());
            let id = RequestId::of(&headers);
            assert_eq!(id.as_str() == given, taken, "{given}");
            let expected = id.as_str().to_owned();
            let seen = id.scope(async { current() }).await.unwrap();
            assert_eq!(seen.as_str(), expected);
        }
        assert!(current().is_none());
    }
}
