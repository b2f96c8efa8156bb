//! A request body on its way to a function or to the frontend, of which enough is remembered to send it again.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;

/// Bytes that are remembered at most. Calls of the SDK are small JSON documents; uploads are not worth the memory.
const MEMORY: usize = 64 * 1024;

struct Shared {
    rest: Body,
    /// The try that the rest belongs to; an earlier one may still hold its half for a moment.
    attempt: u8,
    /// What has gone out so far, as long as it is less than [`MEMORY`].
    sent: Vec<Bytes>,
    sent_bytes: usize,
    limit: usize,
}

/// The body that is sent.
pub(crate) struct Outgoing {
    /// What an earlier try had sent already.
    again: VecDeque<Bytes>,
    shared: Arc<Mutex<Shared>>,
    attempt: u8,
}

/// What has been sent of a body.
pub(crate) struct Sent(Arc<Mutex<Shared>>);

/// Splits `body` into what is sent and the memory of it. More than `limit` bytes are an error.
pub(crate) fn outgoing(body: Body, limit: usize) -> (Outgoing, Sent) {
    let shared = Arc::new(Mutex::new(Shared {
        rest: body,
        attempt: 0,
        sent: Vec::new(),
        sent_bytes: 0,
        limit,
    }));
    let outgoing = Outgoing {
        again: VecDeque::new(),
        shared: shared.clone(),
        attempt: 0,
    };
    (outgoing, Sent(shared))
}

impl Sent {
    /// The body for a second try, if nothing of it has been read yet.
    pub(crate) fn untouched(&self) -> Option<Outgoing> {
        if self.0.lock().sent_bytes > 0 {
            return None;
        }
        self.replay()
    }

    /// The body for a second try, if all that has been read of it is remembered.
    pub(super) fn replay(&self) -> Option<Outgoing> {
        let mut shared = self.0.lock();
        if shared.sent_bytes > MEMORY {
            return None;
        }
        shared.attempt += 1;
        Some(Outgoing {
            again: shared.sent.iter().cloned().collect(),
            shared: self.0.clone(),
            attempt: shared.attempt,
        })
    }

    pub(super) fn is_too_large(&self) -> bool {
        let shared = self.0.lock();
        shared.sent_bytes > shared.limit
    }
}

impl Shared {
    fn remember(&mut self, frame: &Frame<Bytes>) -> Result<(), std::io::Error> {
        let Some(data) = frame.data_ref() else {
            return Ok(());
        };
        self.sent_bytes += data.len();
        if self.sent_bytes > self.limit {
            return Err(std::io::Error::other("the body is larger than allowed"));
        }
        if self.sent_bytes > MEMORY {
            self.sent = Vec::new();
        } else {
            self.sent.push(data.clone());
        }
        Ok(())
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Some(data) = self.again.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let shared = self.shared.clone();
        let mut shared = shared.lock();
        if shared.attempt != self.attempt {
            return Poll::Ready(Some(Err("the body went on to another try".into())));
        }
        let frame = std::task::ready!(Pin::new(&mut shared.rest).poll_frame(context));
        Poll::Ready(match frame {
            None => None,
            Some(Err(error)) => Some(Err(error.into())),
            Some(Ok(frame)) => match shared.remember(&frame) {
                Ok(()) => Some(Ok(frame)),
                Err(error) => Some(Err(error.into())),
            },
        })
    }

    fn is_end_stream(&self) -> bool {
        self.again.is_empty() && self.shared.lock().rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let again: usize = self.again.iter().map(Bytes::len).sum();
        let again = u64::try_from(again).unwrap_or(u64::MAX);
        let rest = self.shared.lock().rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + again);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + again);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use bytes::Bytes;
    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::{MEMORY, outgoing};

    fn pieces(pieces: Vec<Bytes>) -> Body {
        Body::from_stream(stream::iter(
            pieces.into_iter().map(Ok::<_, std::io::Error>),
        ))
    }

    #[tokio::test]
    async fn a_body_is_sent_again_from_its_start() {
        let (mut first, sent) = outgoing(pieces(vec!["ab".into(), "cd".into()]), 10);
        first.frame().await.unwrap().unwrap();
        assert!(sent.untouched().is_none());
        let second = sent.replay().unwrap().collect().await.unwrap();
        assert_eq!(second.to_bytes(), "abcd");
        assert!(first.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_body_that_nobody_read_is_untouched() {
        let (_first, sent) = outgoing(Body::from("ab"), 10);
        let second = sent.untouched().unwrap().collect().await.unwrap();
        assert_eq!(second.to_bytes(), "ab");
    }

    #[tokio::test]
    async fn a_long_body_is_not_remembered() {
        let long = Bytes::from(vec![0; MEMORY + 1]);
        let (mut first, sent) = outgoing(pieces(vec![long, "x".into()]), 2 * MEMORY);
        first.frame().await.unwrap().unwrap();
        assert!(sent.replay().is_none());
        assert!(!sent.is_too_large());
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_an_error() {
        let (first, sent) = outgoing(pieces(vec!["ab".into(), "cd".into()]), 3);
        assert!(first.collect().await.is_err());
        assert!(sent.is_too_large());
    }
}
