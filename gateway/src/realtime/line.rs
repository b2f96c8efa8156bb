//! The connection under a websocket, which can be cut from this side: the library itself only asks a client to go, and
//! one that does not read is never asked.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

type Cut = Pin<Box<WaitForCancellationFutureOwned>>;

enum State {
    /// The answer that switches protocols is not sent yet.
    Opening(OnUpgrade),
    Open(TokioIo<Upgraded>),
}

/// Ends when its token is cancelled. Reading and writing wait in different tasks, hence two futures for the same token.
pub(super) struct Line {
    state: State,
    reads: Cut,
    writes: Cut,
}

impl Line {
    pub(super) fn new(upgrade: OnUpgrade, cut: &CancellationToken) -> Self {
        Self {
            state: State::Opening(upgrade),
            reads: Box::pin(cut.clone().cancelled_owned()),
            writes: Box::pin(cut.clone().cancelled_owned()),
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut TokioIo<Upgraded>>>> {
        if let State::Opening(upgrade) = &mut self.state {
            let opened = ready!(Pin::new(upgrade).poll(cx)).map_err(io::Error::other)?;
            self.state = State::Open(TokioIo::new(opened));
        }
        match &mut self.state {
            State::Open(io) => Poll::Ready(Ok(Pin::new(io))),
            State::Opening(_) => Poll::Pending,
        }
    }

    fn poll_writable(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Pin<&mut TokioIo<Upgraded>>>> {
        if self.writes.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.poll_open(cx)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reads.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_open(cx))?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_writable(cx))?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_writable(cx))?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_writable(cx))?.poll_shutdown(cx)
    }
}
