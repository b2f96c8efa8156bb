//! Looks at files again and again, for file systems that report nothing and systems that watch no more: what differs from
//! the last look was saved, made or removed.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use super::noted::Noted;

/// How often to look.
const EVERY: Duration = Duration::from_millis(500);

/// Files that are looked at; folders of resources hold far fewer.
const MOST: usize = 50_000;

/// Links may lead in circles.
const DEPTH: usize = 24;

/// Looks until it is dropped.
#[derive(Debug)]
pub(super) struct Poll {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    inputs: Vec<PathBuf>,
    seen: Look,
}

/// What there was at one moment.
type Look = BTreeMap<PathBuf, Stamp>;

/// Differs whenever a file was written or replaced: inode, length, and both times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(u64, u64, (i64, i64), (i64, i64));

impl Poll {
    /// Notes what changes from now on.
    pub(super) fn start(noted: Arc<Noted>) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let task = tokio::spawn(look_on(Arc::clone(&state), noted));
        Self { state, task }
    }

    /// Looks at `inputs`, which are files and folders, and no longer at others.
    pub(super) fn follow(&self, inputs: &[PathBuf]) {
        let mut state = self.state.lock();
        if state.inputs == inputs {
            return;
        }
        let old = std::mem::replace(&mut state.inputs, inputs.to_owned());
        // Only what is new: a change of the rest is still to be found.
        for input in inputs.iter().filter(|input| !old.contains(input)) {
            look_at(input, &mut state.seen, DEPTH);
        }
        state
            .seen
            .retain(|path, _| inputs.iter().any(|input| path.starts_with(input)));
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look_on(state: Arc<Mutex<State>>, noted: Arc<Noted>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (state, noted) = (Arc::clone(&state), Arc::clone(&noted));
        let looking = spawn_blocking(move || {
            let mut state = state.lock();
            let now = look(&state.inputs);
            let changed = differences(&state.seen, &now);
            state.seen = now;
            if !changed.is_empty() {
                noted.paths(changed);
            }
        });
        if looking.await.is_err() {
            return;
        }
    }
}

fn look(inputs: &[PathBuf]) -> Look {
    let mut seen = Look::new();
    for input in inputs {
        look_at(input, &mut seen, DEPTH);
    }
    seen
}

fn look_at(path: &Path, seen: &mut Look, depth: usize) {
    let Ok(meta) = fs::metadata(path) else { return };
    if seen.len() >= MOST || depth == 0 {
        return;
    }
    if !meta.is_dir() {
        seen.insert(path.to_owned(), stamp(&meta));
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name != "node_modules" && name != ".git" {
            look_at(&entry.path(), seen, depth - 1);
        }
    }
}

fn stamp(meta: &Metadata) -> Stamp {
    Stamp(
        meta.ino(),
        meta.len(),
        (meta.mtime(), meta.mtime_nsec()),
        (meta.ctime(), meta.ctime_nsec()),
    )
}

fn differences(old: &Look, new: &Look) -> Vec<PathBuf> {
    let changed = new
        .iter()
        .filter(|(path, stamp)| old.get(*path) != Some(*stamp));
    let gone = old.iter().filter(|(path, _)| !new.contains_key(*path));
    changed.chain(gone).map(|(path, _)| path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{differences, look};

    #[test]
    fn what_was_written_replaced_made_or_removed_differs_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["same", "written", "replaced", "removed"] {
            fs::write(at(name), "1").unwrap();
        }
        fs::create_dir(at("node_modules")).unwrap();
        symlink(folder.path(), at("circle")).unwrap();
        let inputs = [folder.path().to_owned(), at("absent")];
        let before = look(&inputs);
        assert!(differences(&before, &look(&inputs)).is_empty());

        fs::write(at("written"), "2").unwrap();
        fs::write(at("draft"), "1").unwrap();
        fs::rename(at("draft"), at("replaced")).unwrap();
        fs::remove_file(at("removed")).unwrap();
        fs::create_dir(at("deep")).unwrap();
        fs::write(at("deep/made"), "1").unwrap();
        fs::write(at("node_modules/noise"), "1").unwrap();
        let mut changed = differences(&before, &look(&inputs));
        changed.retain(|path| !path.starts_with(at("circle")));
        changed.sort();
        assert_eq!(
            changed,
            ["deep/made", "removed", "replaced", "written"].map(at)
        );
    }
}
