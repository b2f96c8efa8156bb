//! One watch of the store for each caller and entity that somebody listens to, from the first listener to the last.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use parking_lot::Mutex;
use proto::{
    Code, Failure,
    client::StoreClient,
    v1::{Change, WatchRequest},
};
use tokio::{sync::watch, task::yield_now, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Status, Streaming};

use super::{engine::Outbox, event};
use crate::session::Identity;

/// First and longest pause before a watch that ended is begun again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// Bytes of records after which no more changes are passed on together.
const TOGETHER: usize = 256 * 1024;

/// Whose view of which entity, in the spelling of the room.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Topic {
    pub(super) caller: Identity,
    pub(super) entity: String,
}

/// One room of one socket.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) member: u64,
    /// As the client joined it.
    pub(super) room: Arc<str>,
}

/// By room, and there by the member's number.
type Audience = Mutex<HashMap<Arc<str>, HashMap<u64, Outbox>>>;

/// Dropping it ends the watch.
#[derive(Debug)]
struct Watch {
    audience: Arc<Audience>,
    _following: DropGuard,
}

#[derive(Debug)]
pub(super) struct Hub {
    watches: Mutex<HashMap<Topic, Watch>>,
    store: watch::Sender<Option<StoreClient>>,
    /// Sockets that ever were, and that are.
    members: AtomicU64,
    present: AtomicU64,
    shutdown: CancellationToken,
}

impl Hub {
    pub(super) fn new(shutdown: &CancellationToken) -> Self {
        Self {
            watches: Mutex::default(),
            store: watch::Sender::new(None),
            members: AtomicU64::new(0),
            present: AtomicU64::new(0),
            shutdown: shutdown.clone(),
        }
    }

    pub(super) fn sockets(&self) -> u64 {
        self.present.load(Ordering::Relaxed)
    }

    /// Ends everything.
    pub(super) const fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    pub(super) fn follow(&self, store: StoreClient) {
        self.store.send_replace(Some(store));
    }

    /// Counts a socket and gives it its number.
    pub(super) fn enter(&self) -> u64 {
        self.present.fetch_add(1, Ordering::Relaxed);
        self.members.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn exit(&self) {
        self.present.fetch_sub(1, Ordering::Relaxed);
    }

    /// Must be called within a runtime.
    pub(super) fn join(&self, topic: Topic, seat: Seat, outbox: Outbox) {
        let mut watches = self.watches.lock();
        let watch = watches.entry(topic);
        let watch = watch.or_insert_with_key(|topic| self.watch(topic));
        let mut audience = watch.audience.lock();
        let listeners = audience.entry(seat.room).or_default();
        listeners.insert(seat.member, outbox);
    }

    pub(super) fn leave(&self, topic: &Topic, seat: &Seat) {
        let mut watches = self.watches.lock();
        let Some(watch) = watches.get(topic) else {
            return;
        };
        let mut audience = watch.audience.lock();
        if let Entry::Occupied(mut listeners) = audience.entry(seat.room.clone()) {
            listeners.get_mut().remove(&seat.member);
            if listeners.get().is_empty() {
                listeners.remove();
            }
        }
        let is_empty = audience.is_empty();
        drop(audience);
        if is_empty {
            watches.remove(topic);
        }
    }

    fn watch(&self, topic: &Topic) -> Watch {
        let audience = Arc::<Audience>::default();
        let request = WatchRequest {
            entity: topic.entity.clone(),
            caller: Some(topic.caller.clone().into()),
        };
        let watcher = Watcher {
            request,
            audience: audience.clone(),
            pause: PAUSES.0,
        };
        let stop = self.shutdown.child_token();
        let following = watcher.follow(self.store.subscribe());
        tokio::spawn(stop.clone().run_until_cancelled_owned(following));
        Watch {
            audience,
            _following: stop.drop_guard(),
        }
    }
}

/// The task behind a watch.
struct Watcher {
    request: WatchRequest,
    audience: Arc<Audience>,
    pause: Duration,
}

impl Watcher {
    /// Begins again whenever the store ends the stream, and at once when there is another store.
    async fn follow(mut self, mut stores: watch::Receiver<Option<StoreClient>>) {
        loop {
            let store = stores.borrow_and_update().clone();
            let moved = tokio::select! {
                () = self.relay(store) => {
                    let pause = self.pause;
                    self.pause = (pause * 2).min(PAUSES.1);
                    timeout(pause, stores.changed()).await.ok()
                }
                moved = stores.changed() => Some(moved),
            };
            match moved {
                None => {}
                Some(Ok(())) => self.pause = PAUSES.0,
                Some(Err(_closed)) => return,
            }
        }
    }

    async fn relay(&mut self, store: Option<StoreClient>) {
        // Before the first configuration there is nothing to watch.
        let Some(store) = store else {
            return std::future::pending().await;
        };
        let entity = self.request.entity.clone();
        match self.relay_from(&store).await {
            Ok(()) => tracing::debug!(entity, "the store ended a watch; it is begun again"),
            Err(failure) if failure.code() == Code::RateLimited => tracing::warn!(
                entity,
                "realtime events were lost: changes came faster than they could be passed on"
            ),
            Err(failure) => {
                tracing::debug!(?failure, entity, "a watch broke off; it is begun again");
            }
        }
    }

    async fn relay_from(&mut self, store: &StoreClient) -> Result<(), Failure> {
        let mut changes = store.watch(self.request.clone()).await?;
        self.pause = PAUSES.0;
        loop {
            let (texts, end) = gather(&mut changes).await;
            self.publish(&texts);
            if let Some(end) = end {
                return end.map_err(|status| Failure::from_status("store", &status));
            }
            // Whoever listens to much leaves room for others, and finds more to pass on together.
            yield_now().await;
        }
    }

    fn publish(&self, texts: &[String]) {
        if texts.is_empty() {
            return;
        }
        for (room, listeners) in self.listeners() {
            let frames = event::frames(&room, texts);
            for outbox in listeners {
                outbox.send(&frames);
            }
        }
    }

    /// A copy, so that nobody who joins or leaves waits until all of them are written to.
    fn listeners(&self) -> Vec<(Arc<str>, Vec<Outbox>)> {
        let audience = self.audience.lock();
        let rooms = audience.iter();
        rooms
            .map(|(room, listeners)| (room.clone(), listeners.values().cloned().collect()))
            .collect()
    }
}

/// The next change and those that have come meanwhile, so that a listener is written to once; and how the watch ended, if
/// it did.
async fn gather(changes: &mut Streaming<Change>) -> (Vec<String>, Option<Result<(), Status>>) {
    let mut texts = Vec::new();
    let mut bytes = 0;
    let mut next = changes.message().await;
    loop {
        match next {
            Ok(Some(change)) => {
                bytes += change.record_json.len();
                texts.extend(event::text(&change));
            }
            Ok(None) => return (texts, Some(Ok(()))),
            Err(status) => return (texts, Some(Err(status))),
        }
        if bytes >= TOGETHER {
            return (texts, None);
        }
        let Some(more) = changes.message().now_or_never() else {
            return (texts, None);
        };
        next = more;
    }
}
