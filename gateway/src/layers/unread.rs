//! Request bodies: how long each piece may take, and what becomes of those that are answered before they have been read
//! to their end. A connection that closes under a sender who is still writing shows that sender a broken pipe instead of
//! the answer, so the rest is read and thrown away, within bounds.

use std::{
    error::Error,
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http::header;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use proto::{Code, Failure};
use tokio::{
    runtime::Handle,
    time::{Sleep, sleep, timeout},
};

/// How long the next piece of a body may take.
const PIECE: Duration = Duration::from_secs(30);

/// Bytes that are read and thrown away.
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;

/// The request, with a body whose pieces have a deadline, and whose rest is read when whoever answers lets go of it. A
/// sender who waits for our word before the body (`Expect`) has nothing on its way until it is asked for, and is told not
/// to begin.
pub(super) fn read_to_the_end(request: Request) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    let is_coming = !request.headers().contains_key(header::EXPECT);
    request.map(|body| {
        Body::new(Remainder {
            body: Some(body),
            is_coming,
            wait: None,
        })
    })
}

/// What a caller is told of a body that ended in `error`.
pub(crate) fn broken_off(error: &(dyn Error + 'static)) -> Failure {
    stalled(error).unwrap_or_else(|| {
        let failure = Failure::new(Code::BadRequest, "The body broke off");
        failure.with_detail(error.to_string())
    })
}

/// The same where other things may have gone wrong, none of which concern the body.
pub(crate) fn stalled(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Stalled>() {
            return Some(Failure::new(Code::BadRequest, error.to_string()));
        }
        cause = error.source();
    }
    None
}

/// No piece came in time.
#[derive(Debug)]
struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = PIECE.as_secs();
        write!(formatter, "The body stopped arriving for {seconds} s")
    }
}

impl Error for Stalled {}

struct Remainder {
    /// `None` once it has ended.
    body: Option<Body>,
    /// Its sender has begun, or will whatever we say.
    is_coming: bool,
    /// For the next piece, while somebody wants it.
    wait: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Remainder {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        this.is_coming = true;
        let frame = match pin!(body).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let wait = this.wait.get_or_insert_with(|| Box::pin(sleep(PIECE)));
                ready!(wait.as_mut().poll(context));
                Some(Err(axum::Error::new(Stalled)))
            }
        };
        this.wait = None;
        if !matches!(frame, Some(Ok(_))) {
            this.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let none = || SizeHint::with_exact(0);
        self.body.as_ref().map_or_else(none, HttpBody::size_hint)
    }
}

impl Drop for Remainder {
    fn drop(&mut self) {
        let rest = self.body.take();
        let rest = rest.filter(|body| self.is_coming && !body.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(discard(rest));
        }
    }
}

async fn discard(mut body: Body) {
    let mut left = DRAIN_LIMIT;
    while let Ok(Some(Ok(frame))) = timeout(PIECE, body.frame()).await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};
    use bytes::Bytes;
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    use super::{read_to_the_end, stalled};

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_arriving_is_given_up() {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"ab"))]);
        let body = Body::from_stream(first.chain(stream::pending()));
        let mut body = read_to_the_end(Request::new(body)).into_body();
        assert!(body.frame().await.unwrap().is_ok());
        let error = body.frame().await.unwrap().unwrap_err();
        let failure = stalled(&error).expect("it is told from other errors");
        assert_eq!(failure.message(), "The body stopped arriving for 30 s");
        assert!(body.frame().await.is_none());
    }
}
