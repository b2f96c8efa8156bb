//! The database as a shared thing: one lock, the clock, and the feed of changes.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use tokio::{sync::broadcast, task};

use crate::core::{
    caller::Caller,
    change::Commit,
    database::{Database, Selection, Taken},
    fault::Fault,
    filter::Filter,
    stamp::Timestamp,
};

/// Commits that a watcher may be behind before it is told to start again.
const FEED: usize = 1024;

/// Records up to which a read is done where it was asked for; more are looked through on a thread that may block.
const INLINE: usize = 2_000;

/// Where the time comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The time of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = jiff::Timestamp::now().as_millisecond();
        Timestamp::from_millis(millis.try_into().unwrap_or_default())
    }
}

/// What all calls share.
#[derive(Debug)]
pub(crate) struct State {
    database: RwLock<Database>,
    clock: Box<dyn Clock>,
    feed: broadcast::Sender<Commit>,
    watches: AtomicU64,
}

impl State {
    pub(crate) fn new(database: Database, clock: Box<dyn Clock>) -> Self {
        Self {
            database: RwLock::new(database),
            clock,
            feed: broadcast::Sender::new(FEED),
            watches: AtomicU64::new(0),
        }
    }

    /// Asks something of the database.
    pub(crate) fn read<T>(&self, ask: impl FnOnce(&Database) -> T) -> T {
        ask(&self.database.read())
    }

    /// Changes the database and tells the watchers, in the order of the changes.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Database) -> T) -> T {
        let mut database = self.database.write();
        database.set_time(self.clock.now());
        let outcome = change(&mut database);
        let commit = database.take_changes();
        if !commit.is_empty() {
            // Fails when nobody watches, which is fine.
            let _ = self.feed.send(commit.into());
        }
        outcome
    }

    /// What a caller may read of an entity and matches; builds the index that the filter wants first.
    pub(crate) fn select(
        &self,
        entity: &str,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<Selection, Fault> {
        match self.read(|database| database.select(entity, caller, filter))? {
            Taken::Selection(selection) => Ok(selection),
            Taken::WantsIndex(_) => {
                self.write(|database| database.select_now(entity, caller, filter))
            }
        }
    }

    /// Changes from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Commit> {
        self.feed.subscribe()
    }

    /// Counts a watch for as long as the result lives.
    pub(crate) fn count_watch(self: &Arc<Self>) -> WatchCount {
        self.watches.fetch_add(1, Ordering::Relaxed);
        WatchCount(Arc::clone(self))
    }

    /// Watches that are open.
    pub(crate) fn watches(&self) -> u64 {
        self.watches.load(Ordering::Relaxed)
    }
}

/// An open watch.
#[derive(Debug)]
pub(crate) struct WatchCount(Arc<State>);

impl Drop for WatchCount {
    fn drop(&mut self) {
        self.0.watches.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs work that looks at about `cost` records: at once when that is little, else where it holds up nobody.
pub(crate) async fn run<T: Send + 'static>(
    cost: usize,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match cost <= INLINE {
        true => work(),
        false => elsewhere(work).await,
    }
}

/// Runs work that may take long on a thread that may block.
pub(crate) async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => Err(Fault::Internal("The store is about to end")),
        },
    }
}
