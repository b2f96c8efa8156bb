//! The way of events to one socket: at once while its connection takes them, else by a queue, which is bounded because
//! whoever reads slowly must hold up nobody else.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use socketioxide::{SendError, SocketError, extract::SocketRef};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::event::Update;

/// Events that may wait for one socket. One request may clear an entity of that many records, and whoever reads hears of
/// each of them.
const EVENTS: usize = 500_000;

/// Bytes of events that may wait for one socket; a single larger one still may. Sockets of the same caller share them.
const BYTES: usize = 128 * 1024 * 1024;

/// How long a socket for which events wait may take none of them.
const STALL: Duration = Duration::from_secs(10);

/// First and longest pause before a full connection is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// What waits for one socket.
#[derive(Debug)]
struct Queue {
    updates: VecDeque<Update>,
    /// Bytes that wait.
    bytes: usize,
    /// When the socket last took something, or had nothing to take.
    moved: Instant,
}

/// The queue has no place left, or has not moved for too long.
#[derive(Debug)]
struct Stuck;

impl Queue {
    fn new() -> Self {
        Self {
            updates: VecDeque::new(),
            bytes: 0,
            moved: Instant::now(),
        }
    }

    fn add(&mut self, update: Update) -> Result<(), Stuck> {
        if self.updates.is_empty() {
            self.moved = Instant::now();
        } else if self.updates.len() >= EVENTS
            || self.bytes + update.len() > BYTES
            || self.moved.elapsed() > STALL
        {
            return Err(Stuck);
        }
        self.bytes += update.len();
        self.updates.push_back(update);
        Ok(())
    }

    fn remove(&mut self) {
        if let Some(update) = self.updates.pop_front() {
            self.bytes -= update.len();
            self.moved = Instant::now();
        }
    }
}

/// Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    socket: SocketRef,
    /// Ends the connection.
    cut: CancellationToken,
    /// As long as anything is in it, a task is delivering.
    queue: Mutex<Queue>,
}

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Untaken {
    /// There is no place now.
    Full,
    /// There will never be one.
    Gone,
}

impl Outbox {
    /// What does not reach `socket` at once waits; an overflow or a standstill cancels `cut`.
    pub(super) fn new(socket: SocketRef, cut: CancellationToken) -> Self {
        let queue = Mutex::new(Queue::new());
        Self(Arc::new(Inner { socket, cut, queue }))
    }

    /// Never waits. A socket that has no room left, or that takes nothing any more, is cut off: it may connect again, and
    /// knows that it missed something. Must be called within a runtime.
    pub(super) fn push(&self, update: &Update) {
        if self.0.cut.is_cancelled() {
            return;
        }
        let mut queue = self.0.queue.lock();
        let is_first = queue.updates.is_empty();
        if is_first && self.0.emit(update) != Err(Untaken::Full) {
            return;
        }
        if queue.add(update.clone()).is_err() {
            tracing::warn!(
                events = queue.updates.len(),
                bytes = queue.bytes,
                "a realtime client reads too slowly; it was disconnected and may connect again"
            );
            self.0.cut.cancel();
        } else if is_first {
            tokio::spawn(self.clone().deliver());
        }
    }

    /// Sends what waits, in order, until nothing does or the socket is cut off.
    async fn deliver(self) {
        let Inner { socket, cut, queue } = &*self.0;
        let emptied = cut.run_until_cancelled(self.0.deliver_all()).await;
        if emptied.is_none() {
            *queue.lock() = Queue::new();
            expel(socket).await;
        }
    }
}

impl Inner {
    fn emit(&self, update: &Update) -> Result<(), Untaken> {
        match self.socket.emit("update_model", update) {
            Ok(()) => Ok(()),
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Err(Untaken::Full),
            Err(SendError::Socket(SocketError::Closed) | SendError::Serialize(_)) => {
                Err(Untaken::Gone)
            }
        }
    }

    async fn deliver_all(&self) {
        let (shortest, longest) = PAUSES;
        let mut pause = shortest;
        while let Some(sent) = self.deliver_some() {
            pause = if sent == 0 {
                (pause * 2).min(longest)
            } else {
                shortest
            };
            sleep(pause).await;
        }
    }

    /// How many were sent before the connection was full; none when nothing is left to send.
    fn deliver_some(&self) -> Option<usize> {
        let mut queue = self.queue.lock();
        let before = queue.updates.len();
        while let Some(update) = queue.updates.front() {
            match self.emit(update) {
                Ok(()) => queue.remove(),
                Err(Untaken::Full) => return Some(before - queue.updates.len()),
                Err(Untaken::Gone) => break,
            }
        }
        *queue = Queue::new();
        None
    }
}

/// A websocket went down with its line. A polling client is told at its next poll, or its session ends for lack of one.
async fn expel(socket: &SocketRef) {
    let (_, pause) = PAUSES;
    while socket.connected() && socket.clone().disconnect().is_err() {
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::{BYTES, EVENTS, Queue, STALL, Update};

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_has_not_moved_for_a_while_is_stuck_and_one_that_moves_is_not() {
        let update = Update::new("r", "{}");
        let long = STALL + Duration::from_secs(1);
        let mut queue = Queue::new();
        advance(long).await;
        assert!(queue.add(update.clone()).is_ok(), "nothing has waited");
        assert!(queue.add(update.clone()).is_ok());
        advance(long).await;
        queue.remove();
        assert!(queue.add(update.clone()).is_ok(), "it has just moved");
        advance(long).await;
        assert!(queue.add(update).is_err());
    }

    #[test]
    fn a_queue_takes_so_many_events_and_no_more() {
        let update = Update::new("r", "{}");
        let mut queue = Queue::new();
        for _ in 0..EVENTS {
            assert!(queue.add(update.clone()).is_ok());
        }
        assert!(queue.add(update.clone()).is_err());
        queue.remove();
        assert!(queue.add(update).is_ok());
    }

    #[test]
    fn a_queue_takes_so_many_bytes_but_one_large_event_passes() {
        let mut queue = Queue::new();
        assert!(queue.add(Update::new("r", &"x".repeat(BYTES + 1))).is_ok());
        assert!(queue.add(Update::new("r", "x")).is_err());
        queue.remove();
        assert_eq!(queue.bytes, 0);
        assert!(queue.add(Update::new("r", "x")).is_ok());
    }
}
