//! The temporary folder of one run of a service. It is locked as long as its owner lives, so that a later run sees which
//! folders nobody owns any more: whoever is killed cannot remove their own.

use std::{
    env,
    fs::{self, File},
    io,
    os::unix::process::parent_id,
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A folder younger than this may not be locked yet.
const SETTLED: Duration = Duration::from_secs(60);

/// What the names of all such folders begin with.
const PREFIX: &str = "backlot-";

/// How often to look whether a child that was killed is gone.
const LOOK: Duration = Duration::from_millis(10);

/// The folder. Dropping it removes it with everything in it.
#[derive(Debug)]
pub struct RunFolder {
    folder: TempDir,
    lock: File,
}

impl RunFolder {
    /// Makes a folder whose name begins with `prefix`, which begins with `backlot-`, in the system's folder for temporary
    /// files.
    ///
    /// # Errors
    ///
    /// When that cannot be written.
    pub fn make(prefix: &str) -> io::Result<Self> {
        let prefix = format!("{prefix}{}-", parent_id());
        Self::lock(tempfile::Builder::new().prefix(&prefix).tempdir()?)
    }

    fn lock(folder: TempDir) -> io::Result<Self> {
        let lock = File::open(folder.path())?;
        lock.lock()?;
        Ok(Self { folder, lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes the folders beside this one whose names begin with `prefix` and whose owners are gone. What cannot be
    /// removed is somebody else's.
    pub fn sweep(&self, prefix: &str) {
        let Some(beside) = self.path().parent() else {
            return;
        };
        for sibling in named(beside, |name| name.starts_with(prefix)) {
            if self.is_abandoned(&sibling).unwrap_or(false) {
                let removed = fs::remove_dir_all(&sibling);
                tracing::debug!(folder = %sibling.display(), ?removed, "left by an earlier run");
            }
        }
    }

    fn is_abandoned(&self, folder: &Path) -> io::Result<bool> {
        let lock = File::open(folder)?;
        let made = lock.metadata()?.modified()?;
        let age = self.lock.metadata()?.modified()?.duration_since(made);
        Ok(age.is_ok_and(|age| age > SETTLED) && lock.try_lock().is_ok())
    }
}

/// Removes what this process's children have left: those that are killed cannot. Waits so long for one that is still
/// dying.
pub fn remove_those_of_children(patience: Duration) {
    remove_those_of(process::id(), &env::temp_dir(), patience);
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is the condition that is waited for: the system tells nobody when a lock is free"
)]
fn remove_those_of(parent: u32, temporary: &Path, patience: Duration) {
    let deadline = Instant::now() + patience;
    let mark = format!("-{parent}-");
    let is_theirs = |name: &str| name.starts_with(PREFIX) && name.contains(&mark);
    for folder in named(temporary, is_theirs) {
        while !is_free(&folder).unwrap_or(true) && Instant::now() < deadline {
            thread::sleep(LOOK);
        }
        if is_free(&folder).unwrap_or(false) {
            let removed = fs::remove_dir_all(&folder);
            tracing::debug!(folder = %folder.display(), ?removed, "left by a child");
        }
    }
}

/// What is in `folder` under such a name.
fn named(folder: &Path, is_meant: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| is_meant(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect()
}

/// Whether nobody who lives owns the folder.
fn is_free(folder: &Path) -> io::Result<bool> {
    Ok(File::open(folder)?.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        time::Duration,
    };

    use super::remove_those_of;
    use super::{RunFolder, SETTLED};

    #[test]
    fn only_old_folders_that_nobody_holds_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let own = tempfile::Builder::new()
            .prefix("a-")
            .tempdir_in(parent.path());
        let own = RunFolder::lock(own.unwrap()).unwrap();
        let now = own.lock.metadata().unwrap().modified().unwrap();
        let mut held = Vec::new();
        for (name, age, locked) in [
            ("a-old", 2 * SETTLED, false),
            ("a-held", 2 * SETTLED, true),
            ("a-young", Duration::from_secs(1), false),
            ("b-old", 2 * SETTLED, false),
        ] {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).unwrap();
            let lock = File::open(&folder).unwrap();
            lock.set_modified(now - age).unwrap();
            if locked {
                lock.lock().unwrap();
                held.push(lock);
            }
        }
        own.sweep("a-");
        let left = |name: &str| parent.path().join(name).exists();
        assert!(!left("a-old"));
        assert!(left("a-held") && left("a-young") && left("b-old"));
        assert!(own.path().exists());
    }

    #[test]
    fn what_dead_children_left_is_removed_and_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        let free = ["backlot-runner-7-a", "backlot-media-7-b"];
        let others = ["backlot-runner-77-a", "backlot-runner-8-7", "other-7-a"];
        for name in free.iter().chain(&others).chain(&["backlot-runner-7-held"]) {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("file"), "").unwrap();
        }
        let held = File::open(at("backlot-runner-7-held")).unwrap();
        held.lock().unwrap();
        remove_those_of(7, temporary.path(), Duration::ZERO);
        assert!(free.iter().all(|name| !at(name).exists()));
        assert!(others.iter().all(|name| at(name).exists()));
        assert!(at("backlot-runner-7-held").exists());
    }
}
