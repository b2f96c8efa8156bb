//! A body that keeps something until its last byte is sent, or nobody wants the rest of it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// `body`, with what is dropped when it ends.
#[derive(Debug)]
pub(crate) struct Held<T> {
    body: Body,
    _until_it_ends: T,
}

impl<T> Held<T> {
    pub(crate) const fn new(body: Body, until_it_ends: T) -> Self {
        Self {
            body,
            _until_it_ends: until_it_ends,
        }
    }
}

impl<T: Unpin> HttpBody for Held<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
