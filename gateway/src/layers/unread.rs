//! Request bodies that are answered before they have been read to their end. A connection that closes under a sender who
//! is still writing shows that sender a broken pipe instead of the answer, so the rest is read and thrown away, within
//! bounds.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http::header;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{runtime::Handle, time::timeout};

use crate::extract::PIECE;

/// Bytes that are thrown away at most: more than the largest file, and a form around it.
const MOST: usize = 64 * 1024 * 1024;

/// The request, with a body whose rest is read when whoever answers lets go of it. A sender who waits for our word before
/// the body (`Expect`) has nothing on its way, and is told not to begin.
pub(super) fn read_to_the_end(request: Request) -> Request {
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return request;
    }
    request.map(|body| Body::new(Remainder(Some(body))))
}

/// A body; `None` once it has ended.
struct Remainder(Option<Body>);

impl HttpBody for Remainder {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let frame = ready!(pin!(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let none = || SizeHint::with_exact(0);
        self.0.as_ref().map_or_else(none, HttpBody::size_hint)
    }
}

impl Drop for Remainder {
    fn drop(&mut self) {
        let rest = self.0.take().filter(|body| !body.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(PIECE, discard(rest)));
        }
    }
}

async fn discard(mut body: Body) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}
