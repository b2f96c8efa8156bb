//! The bytes of one connection. Requests that the HTTP parser itself refuses get an answer of the shape that all errors
//! have, and a client that does not read its answer is given up on.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::error;

/// Whether there is anything to write that answers a request.
#[derive(Debug)]
pub(super) struct Turn {
    /// A request is being answered.
    is_open: AtomicBool,
    /// An answer has not been written out yet.
    is_due: AtomicBool,
    /// When the last answer had been written out; at first, when the connection was made.
    rested: Mutex<Instant>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            is_open: AtomicBool::new(false),
            is_due: AtomicBool::new(false),
            rested: Mutex::new(Instant::now()),
        }
    }
}

impl Turn {
    pub(super) fn begin(&self) {
        self.is_open.store(true, Ordering::Relaxed);
        self.is_due.store(true, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.is_open.store(false, Ordering::Relaxed);
    }

    fn flushed(&self) {
        if !self.is_open.load(Ordering::Relaxed) && self.is_due.swap(false, Ordering::Relaxed) {
            *self.rested.lock() = Instant::now();
        }
    }

    /// How long the client has asked for nothing; none while it is being answered.
    pub(super) fn rest(&self) -> Option<Duration> {
        (!self.is_due()).then(|| self.rested.lock().elapsed())
    }

    /// What is written without an answer being due is the parser's own refusal.
    fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Relaxed)
    }
}

/// A stream between client and HTTP parser.
pub(super) struct Wire<S> {
    stream: S,
    turn: Arc<Turn>,
    /// What is left of a refusal, and for how many of the parser's bytes it stands.
    refusal: Option<(Bytes, usize)>,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    pub(super) const fn new(stream: S, turn: Arc<Turn>, stall: Duration) -> Self {
        Self {
            stream,
            turn,
            refusal: None,
            stall,
            stalled: None,
        }
    }

    /// The stream itself, for those who speak another protocol on it.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// Ends a write that has been waiting for the client too long.
    fn patiently<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Writes an answer of ours in the place of the parser's.
    fn refuse(&mut self, context: &mut Context<'_>, theirs: &[u8]) -> Poll<io::Result<usize>> {
        let (mut ours, length) = self
            .refusal
            .take()
            .unwrap_or_else(|| (error::refusal(theirs), theirs.len()));
        while ours.has_remaining() {
            let written = Pin::new(&mut self.stream).poll_write(context, &ours);
            match self.patiently(context, written) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => ours.advance(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.refusal = Some((ours, length));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(length))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.turn.is_due() {
            return self.refuse(context, bytes);
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patiently(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.turn.is_due() {
            let bytes: Vec<u8> = pieces
                .iter()
                .flat_map(|piece| piece.iter().copied())
                .collect();
            return self.refuse(context, &bytes);
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.patiently(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.turn.flushed();
        }
        self.patiently(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
