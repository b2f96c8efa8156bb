//! The way to a client over its websocket: at once as far as the connection takes it, the rest as soon as it does.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{io::AsyncWrite, net::tcp::OwnedWriteHalf, sync::Notify, task::yield_now};

use super::{
    frames::Frames,
    queue::{Full, Queue, SLICES},
};

/// Bytes after which a client that reads as fast as it is written to makes way for others.
const STRETCH: usize = 1024 * 1024;

/// Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    socket: OwnedWriteHalf,
    queue: Mutex<Queue>,
    /// Something waits for the connection.
    blocked: Notify,
}

/// Why a client cannot be sent anything any more.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    /// Its connection has ended.
    Gone,
    /// It takes what it is sent too slowly, or not at all.
    Slow,
}

impl From<Full> for Lost {
    fn from(_: Full) -> Self {
        Self::Slow
    }
}

impl Link {
    pub(super) fn new(socket: OwnedWriteHalf) -> Self {
        Self(Arc::new(Inner {
            socket,
            queue: Mutex::new(Queue::new()),
            blocked: Notify::new(),
        }))
    }

    /// Never waits. Whoever sends writes, so that no other task has to be woken for each of many listeners.
    pub(super) fn send(&self, frames: Frames) -> Result<(), Lost> {
        let mut queue = self.0.queue.lock();
        if queue.has_stalled() {
            return Err(Lost::Slow);
        }
        let is_first = queue.is_empty();
        queue.add(frames)?;
        if is_first {
            self.0.write(&mut queue)?;
        }
        Ok(())
    }

    /// Bytes that wait for the connection.
    pub(super) fn waiting(&self) -> usize {
        self.0.queue.lock().bytes()
    }

    /// The same before everything that waits.
    pub(super) fn send_first(&self, frames: Frames) -> Result<(), Lost> {
        let mut queue = self.0.queue.lock();
        queue.add_first(frames);
        self.0.write(&mut queue)
    }

    /// Writes what waits whenever the connection takes it, until that ends.
    pub(super) async fn drain(&self) {
        let Inner {
            socket,
            queue,
            blocked,
        } = &*self.0;
        loop {
            // What waits is asked for, and not only a notice of it: that may have gone to one who waited here before.
            if queue.lock().is_empty() {
                blocked.notified().await;
                continue;
            }
            let written = match socket.writable().await {
                Ok(()) => self.0.write(&mut queue.lock()),
                Err(_) => Err(Lost::Gone),
            };
            if written.is_err() {
                return;
            }
            // Others have work as well, however fast this client reads.
            yield_now().await;
        }
    }
}

impl Inner {
    /// At most [`STRETCH`] at once.
    fn write(&self, queue: &mut Queue) -> Result<(), Lost> {
        let mut left = STRETCH;
        while !queue.is_empty() {
            if left == 0 {
                self.blocked.notify_one();
                break;
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = queue.slices(&mut slices);
            match self.socket.try_write_vectored(&slices[..count]) {
                Ok(0) => return Err(Lost::Gone),
                Ok(written) => {
                    queue.advance(written);
                    left = left.saturating_sub(written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked.notify_one();
                    return Ok(());
                }
                Err(_) => return Err(Lost::Gone),
            }
        }
        Ok(())
    }
}

/// For a library that answers a client's own pings and farewell: what it writes keeps its place among the frames.
#[derive(Debug)]
pub(super) struct Replies(pub(super) Link);

impl AsyncWrite for Replies {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let frames = Frames::framed(Bytes::copy_from_slice(bytes));
        let sent = self.0.send(frames);
        Poll::Ready(match sent {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(ErrorKind::BrokenPipe.into()),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
