//! Says which files of a project were saved: one batch for what belongs together, however many events an editor makes of it.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::Layout;

/// A batch ends when nothing has happened for this long: editors remove, write and rename within a few milliseconds.
const QUIET: Duration = Duration::from_millis(30);

/// A batch ends after this long in any case, so that a build that never rests does not hold up everything.
const LONGEST: Duration = Duration::from_millis(500);

/// Events that wait while a batch is being worked on. What does not fit is made up for by [`Batch::lost`].
const WAITING: usize = 4096;

/// Watches the files that a project was read from.
#[derive(Debug)]
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    events: mpsc::Receiver<PathBuf>,
    watched: HashSet<PathBuf>,
}

/// Files that were saved, made or removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Absolute.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// There were more than could be noted: anything may have changed.
    pub(crate) lost: bool,
}

impl Watch {
    /// A watcher that watches nothing yet.
    ///
    /// # Errors
    ///
    /// When the system has no means to watch, or no more of them.
    pub(crate) fn new() -> notify::Result<Self> {
        let (noted, events) = mpsc::channel(WAITING);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if !is_a_change(event.kind) {
                return;
            }
            for path in event.paths {
                let _ = noted.try_send(path);
            }
        })?;
        Ok(Self {
            watcher,
            events,
            watched: HashSet::new(),
        })
    }

    /// Watches what `layout` is read from, and the folders above it in which missing parts would appear. Call it again
    /// after each batch: folders come and go.
    ///
    /// # Errors
    ///
    /// The first folder that cannot be watched; the others are.
    pub(crate) fn follow(&mut self, layout: &Layout) -> notify::Result<()> {
        let mut first_error = Ok(());
        let wanted = wanted(layout);
        for gone in self.watched.difference(&wanted) {
            let _ = self.watcher.unwatch(gone);
        }
        for path in &wanted {
            let mode = mode(layout, path);
            // Again for those that are watched already: a folder that was replaced has to be watched anew.
            if let Err(error) = self.watcher.watch(path, mode) {
                first_error = first_error.and(Err(error));
            }
        }
        self.watched = wanted;
        first_error
    }

    /// Waits for the next batch. May be given up and called again.
    pub(crate) async fn changed(&mut self) -> Batch {
        let mut batch = Batch::default();
        let Some(first) = self.events.recv().await else {
            return std::future::pending().await;
        };
        batch.paths.insert(first);
        let end = Instant::now() + LONGEST;
        loop {
            let quiet = (Instant::now() + QUIET).min(end);
            match timeout_at(quiet, self.events.recv()).await {
                Ok(Some(path)) => drop(batch.paths.insert(path)),
                Ok(None) | Err(_) => break,
            }
        }
        batch.lost = batch.paths.len() >= WAITING;
        batch
    }
}

/// Reading a file is an event too, and reloading reads all of them.
const fn is_a_change(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)
    )
}

/// Existing folders; a single file is watched through its folder, since editors replace files.
fn wanted(layout: &Layout) -> HashSet<PathBuf> {
    let inputs = layout.inputs();
    let folders = inputs.iter().filter_map(|input| {
        let folder = if input.is_dir() {
            Some(input.as_path())
        } else {
            input.parent()
        };
        folder.filter(|folder| folder.is_dir()).map(Path::to_owned)
    });
    folders.collect()
}

/// Only folders of resources are watched with all that is below them; the project's own holds `node_modules`.
fn mode(layout: &Layout, folder: &Path) -> RecursiveMode {
    let holds_the_project =
        layout.root.starts_with(folder) || layout.config_dir.starts_with(folder);
    if holds_the_project {
        RecursiveMode::NonRecursive
    } else {
        RecursiveMode::Recursive
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use tokio::time::timeout;

    use super::{Batch, Watch};
    use crate::project::{Layout, read_layout};

    struct Fixture {
        _folder: tempfile::TempDir,
        layout: Layout,
        watch: Watch,
    }

    fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("base44/entities")).unwrap();
        fs::write(folder.path().join("base44/config.jsonc"), r#"{"name":"x"}"#).unwrap();
        let layout = read_layout(folder.path()).unwrap().value;
        let mut watch = Watch::new().unwrap();
        watch.follow(&layout).unwrap();
        Fixture {
            _folder: folder,
            layout,
            watch,
        }
    }

    async fn next(watch: &mut Watch) -> Batch {
        timeout(Duration::from_secs(5), watch.changed())
            .await
            .expect("a batch")
    }

    #[tokio::test]
    async fn saving_by_rename_is_one_batch() {
        let mut fixture = fixture();
        let entities = fixture.layout.entities_dir();
        fs::write(entities.join("task.tmp"), "{}").unwrap();
        fs::rename(entities.join("task.tmp"), entities.join("task.jsonc")).unwrap();
        let batch = next(&mut fixture.watch).await;
        assert!(
            batch.paths.contains(&entities.join("task.jsonc")),
            "{batch:?}"
        );
        assert!(!batch.lost);
    }

    #[tokio::test]
    async fn a_folder_that_appears_is_watched_from_then_on() {
        let mut fixture = fixture();
        let functions = fixture.layout.functions_dir();
        fs::create_dir_all(functions.join("hello")).unwrap();
        let batch = next(&mut fixture.watch).await;
        assert!(batch.paths.contains(&functions), "{batch:?}");
        fixture.watch.follow(&fixture.layout).unwrap();
        let entry = functions.join("hello/entry.ts");
        fs::write(&entry, "").unwrap();
        assert!(next(&mut fixture.watch).await.paths.contains(&entry));
    }

    #[tokio::test]
    async fn reading_is_not_a_change() {
        let mut fixture = fixture();
        read_layout(&fixture.layout.root).unwrap();
        let entry = fixture.layout.entities_dir().join("task.jsonc");
        fs::write(&entry, "{}").unwrap();
        let batch = next(&mut fixture.watch).await;
        assert!(
            !batch.paths.contains(&fixture.layout.config_path),
            "{batch:?}"
        );
    }
}
