//! What was seen and not yet worked off: a set of paths, however many events there were, and when the first and the last
//! of them came.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// A batch ends when nothing has happened for this long: editors remove, write and rename within a few milliseconds.
const QUIET: Duration = Duration::from_millis(30);

/// A batch ends after this long in any case, so that a build that never rests does not hold up everything.
const LONGEST: Duration = Duration::from_millis(500);

/// Paths that are told apart; with more, anything may have changed.
const MOST: usize = 4096;

/// Shared between whoever sees changes and whoever works them off.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pending: Mutex<Option<Pending>>,
    wake: Notify,
}

/// Changes that belong together.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) paths: BTreeSet<PathBuf>,
    /// Some were not seen, or could not be noted.
    pub(super) lost: bool,
    /// The system has no means left to watch with.
    pub(super) exhausted: bool,
    first: Instant,
    last: Instant,
}

impl Pending {
    fn new(now: Instant) -> Self {
        Self {
            paths: BTreeSet::new(),
            lost: false,
            exhausted: false,
            first: now,
            last: now,
        }
    }

    fn add(&mut self, path: PathBuf) {
        if self.paths.len() < MOST {
            self.paths.insert(path);
        } else {
            self.lost |= !self.paths.contains(&path);
        }
    }

    /// When it is whole.
    fn due(&self) -> Instant {
        (self.last + QUIET).min(self.first + LONGEST)
    }
}

impl Noted {
    /// These have changed.
    pub(super) fn paths(&self, paths: impl IntoIterator<Item = PathBuf>) {
        self.note(|pending| paths.into_iter().for_each(|path| pending.add(path)));
    }

    /// Anything may have changed.
    pub(super) fn lost(&self) {
        self.note(|pending| pending.lost = true);
    }

    /// Changes can no longer be seen this way.
    pub(super) fn exhausted(&self) {
        self.note(|pending| {
            pending.lost = true;
            pending.exhausted = true;
        });
    }

    fn note(&self, change: impl FnOnce(&mut Pending)) {
        let now = Instant::now();
        let mut pending = self.pending.lock();
        let pending = pending.get_or_insert_with(|| Pending::new(now));
        pending.last = now;
        change(pending);
        self.wake.notify_one();
    }

    /// Waits for the next batch. May be given up and called again: nothing is taken before it is whole.
    pub(super) async fn next(&self) -> Pending {
        loop {
            let due = {
                let mut pending = self.pending.lock();
                let due = pending.as_ref().map(Pending::due);
                if due.is_some_and(|due| due <= Instant::now())
                    && let Some(whole) = pending.take()
                {
                    return whole;
                }
                due
            };
            match due {
                Some(due) => sleep_until(due).await,
                None => self.wake.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use tokio::time::{Instant, timeout};

    use super::{LONGEST, MOST, Noted, Pending, QUIET};

    fn path(name: impl std::fmt::Display) -> PathBuf {
        PathBuf::from(format!("/p/{name}"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_taken_once_and_whole_also_when_waiting_was_given_up() {
        let noted = Noted::default();
        noted.paths([path("a"), path("b")]);
        assert!(timeout(QUIET / 3, noted.next()).await.is_err());
        noted.paths([path("a")]);
        let batch = noted.next().await;
        assert_eq!(batch.paths.len(), 2);
        assert!(!batch.lost);
        assert!(timeout(QUIET * 2, noted.next()).await.is_err());
    }

    #[test]
    fn a_batch_ends_with_quiet_or_after_a_time() {
        let begin = Instant::now();
        for (last, due) in [
            (Duration::ZERO, QUIET),
            (QUIET * 3, QUIET * 4),
            (LONGEST - QUIET, LONGEST),
            (LONGEST - QUIET / 2, LONGEST),
            (LONGEST, LONGEST),
        ] {
            let mut pending = Pending::new(begin);
            pending.last = begin + last;
            assert_eq!(pending.due(), begin + due, "{last:?}");
        }
    }

    #[test]
    fn more_paths_than_can_be_told_apart_are_said_to_be_lost() {
        let mut pending = Pending::new(Instant::now());
        for _twice in 0..2 {
            (0..MOST).for_each(|index| pending.add(path(index)));
        }
        assert!(!pending.lost);
        pending.add(path("one more"));
        assert!(pending.lost && pending.paths.len() == MOST);
    }
}
