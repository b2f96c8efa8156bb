//! What one session is sent, whichever way it takes now: a websocket, or the next poll.

use std::{mem, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    frames::Frames,
    link::{Link, Lost},
    queue::Queue,
};

/// Clones are the same.
#[derive(Clone, Debug)]
pub(in crate::realtime) struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    way: Mutex<Way>,
    /// Something waits for a poll.
    filled: Notify,
    /// Ends the session.
    cut: CancellationToken,
}

#[derive(Debug)]
enum Way {
    /// For a poll, or a websocket that is not open yet.
    Waiting(Queue),
    Open(Link),
}

impl Outbox {
    pub(super) fn new(cut: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            way: Mutex::new(Way::Waiting(Queue::new())),
            filled: Notify::new(),
            cut,
        }))
    }

    /// Never waits. A session that has no room left, or that takes nothing any more, ends: its client may connect again,
    /// and knows that it missed something.
    pub(in crate::realtime) fn send(&self, frames: &Frames) {
        if self.0.cut.is_cancelled() {
            return;
        }
        let sent = match &mut *self.0.way.lock() {
            Way::Waiting(queue) => {
                self.nudge();
                queue.add(frames.clone()).map_err(Lost::from)
            }
            Way::Open(link) => link.send(frames.clone()),
        };
        self.settle(sent);
    }

    /// The same before everything that waits.
    pub(super) fn send_first(&self, frames: Frames) {
        let sent = match &mut *self.0.way.lock() {
            Way::Waiting(queue) => {
                queue.add_first(frames);
                self.nudge();
                Ok(())
            }
            Way::Open(link) => link.send_first(frames),
        };
        self.settle(sent);
    }

    fn settle(&self, sent: Result<(), Lost>) {
        match sent {
            Ok(()) => {}
            Err(Lost::Gone) => self.0.cut.cancel(),
            Err(Lost::Slow) => {
                tracing::warn!(
                    bytes = self.waiting(),
                    "a realtime client reads too slowly; it was disconnected and may connect again"
                );
                self.0.cut.cancel();
            }
        }
    }

    fn waiting(&self) -> usize {
        match &*self.0.way.lock() {
            Way::Waiting(queue) => queue.bytes(),
            Way::Open(link) => link.waiting(),
        }
    }

    /// Sends what waits, and everything from now on, over this websocket.
    pub(super) fn open(&self, link: Link) {
        let mut way = self.0.way.lock();
        if let Way::Waiting(queue) = &mut *way {
            let waiting = mem::replace(queue, Queue::new()).into_frames();
            let sent = waiting.into_iter().try_for_each(|frames| link.send(frames));
            *way = Way::Open(link);
            drop(way);
            self.settle(sent);
        }
    }

    /// For a poll: what waits.
    pub(super) fn payload(&self) -> Option<Vec<u8>> {
        match &mut *self.0.way.lock() {
            Way::Waiting(queue) => queue.payload(),
            Way::Open(_) => None,
        }
    }

    /// Until something may wait.
    pub(super) async fn filled(&self) {
        self.0.filled.notified().await;
    }

    /// A poll looks again whether it has anything to wait for.
    pub(super) fn nudge(&self) {
        self.0.filled.notify_one();
    }
}
