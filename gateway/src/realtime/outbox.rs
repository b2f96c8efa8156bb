//! The queue between the watches and one socket: bounded, because whoever reads slowly must hold up nobody else.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Serialize;
use socketioxide::{SendError, SocketError, extract::SocketRef};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// Events that may wait for one socket. One request may clear an entity of that many records, and whoever reads hears of
/// each of them.
const EVENTS: usize = 500_000;

/// Bytes of events that may wait for one socket; a single larger one still may. Sockets of the same caller share them.
const BYTES: usize = 128 * 1024 * 1024;

/// How long a socket for which events wait may take none of them.
const STALL: Duration = Duration::from_secs(10);

/// First and longest pause before a full connection is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// An event on its way to one room of one socket.
#[derive(Debug)]
struct Parcel {
    room: Arc<str>,
    text: Arc<str>,
}

/// What the SDK reads.
#[derive(Serialize)]
struct Update<'a> {
    room: &'a str,
    data: &'a str,
}

/// How far a socket is behind. Shared by both ends of its queue.
#[derive(Debug)]
struct Backlog(Mutex<Behind>);

#[derive(Clone, Copy, Debug)]
struct Behind {
    /// Bytes that wait.
    waiting: usize,
    /// When the socket last took something, or had nothing to take.
    moved: Instant,
}

impl Backlog {
    fn new() -> Self {
        Self(Mutex::new(Behind {
            waiting: 0,
            moved: Instant::now(),
        }))
    }

    /// Returns what it was before.
    fn add(&self, bytes: usize) -> Behind {
        let mut behind = self.0.lock();
        if behind.waiting == 0 {
            behind.moved = Instant::now();
        }
        let before = *behind;
        behind.waiting += bytes;
        before
    }

    fn take(&self, bytes: usize) {
        let mut behind = self.0.lock();
        behind.waiting = behind.waiting.saturating_sub(bytes);
        behind.moved = Instant::now();
    }
}

/// The end where events go in. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    queue: mpsc::Sender<Parcel>,
    backlog: Arc<Backlog>,
    /// Ends the connection.
    cut: CancellationToken,
    /// Ends the deliveries only.
    done: CancellationToken,
}

/// The end where they come out.
#[derive(Debug)]
pub(super) struct Deliveries {
    queue: mpsc::Receiver<Parcel>,
    backlog: Arc<Backlog>,
    done: CancellationToken,
}

/// A queue whose overflow or standstill cancels `cut`.
pub(super) fn queue(cut: CancellationToken) -> (Outbox, Deliveries) {
    let (sender, receiver) = mpsc::channel(EVENTS);
    let backlog = Arc::new(Backlog::new());
    let done = cut.child_token();
    let outbox = Outbox {
        queue: sender,
        backlog: backlog.clone(),
        cut,
        done: done.clone(),
    };
    let deliveries = Deliveries {
        queue: receiver,
        backlog,
        done,
    };
    (outbox, deliveries)
}

impl Outbox {
    /// Never waits. A socket that has no room left, or that takes nothing any more, is cut off: it may connect again, and
    /// knows that it missed something.
    pub(super) fn push(&self, room: &Arc<str>, text: &Arc<str>) {
        if self.is_closed() {
            return;
        }
        let before = self.backlog.add(text.len());
        let parcel = Parcel {
            room: room.clone(),
            text: text.clone(),
        };
        let fits = before.waiting == 0 || before.waiting + text.len() <= BYTES;
        let reads = before.moved.elapsed() <= STALL;
        if fits && reads && self.queue.try_send(parcel).is_ok() {
            return;
        }
        let events = EVENTS - self.queue.capacity();
        tracing::warn!(
            events,
            bytes = before.waiting,
            "a realtime client reads too slowly; it was disconnected and may connect again"
        );
        self.cut.cancel();
    }

    /// Ends the deliveries; the connection is the client's to end, who may ask to be connected again on it.
    pub(super) fn close(&self) {
        self.done.cancel();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.done.is_cancelled()
    }
}

impl Deliveries {
    /// Sends what comes, in order, until the socket is gone or cut off.
    pub(super) async fn deliver(mut self, socket: SocketRef) {
        let done = self.done.clone();
        done.run_until_cancelled(self.deliver_all(&socket)).await;
        drop(self);
        expel(socket).await;
    }

    async fn deliver_all(&mut self, socket: &SocketRef) {
        while let Some(parcel) = self.queue.recv().await {
            if !send(socket, &parcel).await {
                return;
            }
            self.backlog.take(parcel.text.len());
        }
    }
}

/// False when the socket takes no more.
async fn send(socket: &SocketRef, parcel: &Parcel) -> bool {
    let update = Update {
        room: &parcel.room,
        data: &parcel.text,
    };
    let (mut pause, longest) = PAUSES;
    loop {
        match socket.emit("update_model", &update) {
            Ok(()) => return true,
            Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            Err(SendError::Socket(SocketError::Closed) | SendError::Serialize(_)) => return false,
        }
    }
}

/// A websocket went down with its line. A polling client is told at its next poll, or its session ends for lack of one.
async fn expel(socket: SocketRef) {
    let (_, pause) = PAUSES;
    while socket.connected() && socket.clone().disconnect().is_err() {
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::time::advance;
    use tokio_util::sync::CancellationToken;

    use super::{BYTES, EVENTS, STALL, queue};

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_takes_nothing_for_a_while_is_cut_off_and_one_that_takes_something_is_not()
     {
        let (room, text): (Arc<str>, Arc<str>) = ("r".into(), "{}".into());
        let long = STALL + Duration::from_secs(1);
        let cut = CancellationToken::new();
        let (outbox, deliveries) = queue(cut.clone());
        advance(long).await;
        outbox.push(&room, &text);
        assert!(!cut.is_cancelled(), "nothing has waited");
        advance(long).await;
        deliveries.backlog.take(1);
        outbox.push(&room, &text);
        assert!(!cut.is_cancelled(), "it has just taken something");
        advance(long).await;
        outbox.push(&room, &text);
        assert!(cut.is_cancelled());
    }

    #[test]
    fn an_overflow_of_events_cuts_the_socket_off() {
        let (room, text): (Arc<str>, Arc<str>) = ("r".into(), "{}".into());
        let cut = CancellationToken::new();
        let (outbox, mut deliveries) = queue(cut.clone());
        for _ in 0..EVENTS {
            outbox.push(&room, &text);
        }
        assert!(!cut.is_cancelled());
        outbox.push(&room, &text);
        assert!(cut.is_cancelled() && outbox.is_closed());
        outbox.push(&room, &text);
        let mut waiting = 0;
        while deliveries.queue.try_recv().is_ok() {
            waiting += 1;
        }
        assert_eq!(waiting, EVENTS);
    }

    #[test]
    fn an_overflow_of_bytes_cuts_the_socket_off_but_one_large_event_passes() {
        let large: Arc<str> = "x".repeat(BYTES + 1).into();
        let cut = CancellationToken::new();
        let (outbox, _deliveries) = queue(cut.clone());
        outbox.push(&"r".into(), &large);
        assert!(!cut.is_cancelled());
        outbox.push(&"r".into(), &"x".into());
        assert!(cut.is_cancelled());
    }
}
