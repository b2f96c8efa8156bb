//! A request body on its way to a function or to the frontend, which can go on to another try while nothing of it has
//! been read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;

struct Shared {
    rest: Body,
    /// The try that the rest belongs to; an earlier one may still hold its half for a moment.
    attempt: u8,
    sent_bytes: usize,
    limit: usize,
}

/// The body that is sent.
pub(crate) struct Outgoing {
    shared: Arc<Mutex<Shared>>,
    attempt: u8,
}

/// What has been sent of a body.
pub(crate) struct Sent(Arc<Mutex<Shared>>);

/// Splits `body` into what is sent and the memory of how much that was. More than `limit` bytes are an error.
pub(crate) fn outgoing(body: Body, limit: usize) -> (Outgoing, Sent) {
    let shared = Arc::new(Mutex::new(Shared {
        rest: body,
        attempt: 0,
        sent_bytes: 0,
        limit,
    }));
    let outgoing = Outgoing {
        shared: shared.clone(),
        attempt: 0,
    };
    (outgoing, Sent(shared))
}

impl Sent {
    /// The body for a second try, if nothing of it has been read yet.
    pub(crate) fn untouched(&self) -> Option<Outgoing> {
        let mut shared = self.0.lock();
        if shared.sent_bytes > 0 {
            return None;
        }
        shared.attempt += 1;
        Some(Outgoing {
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
    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), std::io::Error> {
        self.sent_bytes += frame.data_ref().map_or(0, Bytes::len);
        if self.sent_bytes > self.limit {
            return Err(std::io::Error::other("the body is larger than allowed"));
        }
        Ok(())
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let mut shared = self.shared.lock();
        if shared.attempt != self.attempt {
            return Poll::Ready(Some(Err("the body went on to another try".into())));
        }
        let frame = std::task::ready!(Pin::new(&mut shared.rest).poll_frame(context));
        Poll::Ready(match frame {
            None => None,
            Some(Err(error)) => Some(Err(error.into())),
            Some(Ok(frame)) => match shared.count(&frame) {
                Ok(()) => Some(Ok(frame)),
                Err(error) => Some(Err(error.into())),
            },
        })
    }

    fn is_end_stream(&self) -> bool {
        self.shared.lock().rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.shared.lock().rest.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use bytes::Bytes;
    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::outgoing;

    fn pieces(pieces: Vec<Bytes>) -> Body {
        Body::from_stream(stream::iter(
            pieces.into_iter().map(Ok::<_, std::io::Error>),
        ))
    }

    #[tokio::test]
    async fn a_body_of_which_something_was_read_is_not_sent_again() {
        let (mut first, sent) = outgoing(pieces(vec!["ab".into(), "cd".into()]), 10);
        first.frame().await.unwrap().unwrap();
        assert!(sent.untouched().is_none());
        assert_eq!(first.collect().await.unwrap().to_bytes(), "cd");
    }

    #[tokio::test]
    async fn a_body_that_nobody_read_goes_on_to_the_next_try() {
        let (mut first, sent) = outgoing(Body::from("ab"), 10);
        let second = sent.untouched().unwrap().collect().await.unwrap();
        assert_eq!(second.to_bytes(), "ab");
        assert!(first.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_an_error() {
        let (first, sent) = outgoing(pieces(vec!["ab".into(), "cd".into()]), 3);
        assert!(first.collect().await.is_err());
        assert!(sent.is_too_large());
    }
}
