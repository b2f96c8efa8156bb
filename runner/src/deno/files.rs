//! The files that every function process needs beside the user's: written once to a temporary folder outside the
//! project, so that the project's own `package.json` and `deno.json` do not apply, and removed with it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

/// What its name begins with.
pub(super) const PREFIX: &str = "backlot-runner-";

/// The file that a running runner holds locked; whoever gets the lock sees that its owner was killed.
const LOCK: &str = "lock";

/// A folder younger than this may not be locked yet.
const SETTLED: Duration = Duration::from_secs(60);

const BOOTSTRAP: &str = include_str!("../js/bootstrap.js");
const RUNTIME: &str = include_str!("../js/runtime.js");
const IMPORT_MAP: &str = r#"{"imports":{"base44:runtime":"./runtime.js"}}"#;

/// The folder. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Files {
    folder: TempDir,
    /// As processes see it, without symbolic links.
    root: PathBuf,
    _lock: File,
}

impl Files {
    /// Writes everything.
    ///
    /// # Errors
    ///
    /// When the system's temporary folder cannot be written.
    pub(super) fn write() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let root = folder.path().canonicalize()?;
        let lock = File::create(root.join(LOCK))?;
        lock.lock()?;
        sweep(&root, &lock);
        let files = Self {
            folder,
            root,
            _lock: lock,
        };
        fs::create_dir(files.scratch())?;
        fs::create_dir(files.code())?;
        fs::write(files.bootstrap(), BOOTSTRAP)?;
        fs::write(files.code().join("runtime.js"), RUNTIME)?;
        fs::write(files.import_map(), IMPORT_MAP)?;
        Ok(files)
    }

    /// The folder of our own code.
    pub(super) fn code(&self) -> PathBuf {
        self.root.join("code")
    }

    /// The main module.
    pub(super) fn bootstrap(&self) -> PathBuf {
        self.code().join("bootstrap.js")
    }

    /// What makes `base44:runtime` resolve.
    pub(super) fn import_map(&self) -> PathBuf {
        self.code().join("import_map.json")
    }

    /// Where functions may write.
    pub(super) fn scratch(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// The whole folder, for a check that it is gone.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders beside `own` of runners that were killed. What cannot be removed is somebody else's.
fn sweep(own: &Path, lock: &File) {
    let Some(siblings) = own.parent().and_then(|parent| fs::read_dir(parent).ok()) else {
        return;
    };
    for sibling in siblings.flatten() {
        let ours = sibling.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && sibling.path() != own && is_abandoned(&sibling.path(), lock).unwrap_or(false) {
            let _ = fs::remove_dir_all(sibling.path());
        }
    }
}

fn is_abandoned(folder: &Path, newest: &File) -> io::Result<bool> {
    let lock = File::open(folder.join(LOCK))?;
    let made = lock.metadata()?.modified()?;
    let age = newest.metadata()?.modified()?.duration_since(made);
    Ok(age.is_ok_and(|age| age > SETTLED) && lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        time::Duration,
    };

    use super::{LOCK, PREFIX, SETTLED, sweep};

    #[test]
    fn only_old_folders_that_nobody_holds_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let own = parent.path().join(format!("{PREFIX}own"));
        fs::create_dir(&own).unwrap();
        let newest = File::create(own.join(LOCK)).unwrap();
        let now = newest.metadata().unwrap().modified().unwrap();
        let mut held = Vec::new();
        for (name, age, locked) in [
            ("old", 2 * SETTLED, false),
            ("held", 2 * SETTLED, true),
            ("young", Duration::from_secs(1), false),
        ] {
            let folder = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&folder).unwrap();
            let lock = File::create(folder.join(LOCK)).unwrap();
            lock.set_modified(now - age).unwrap();
            if locked {
                lock.lock().unwrap();
                held.push(lock);
            }
        }
        sweep(&own, &newest);
        let left = |name: &str| parent.path().join(format!("{PREFIX}{name}")).exists();
        assert!(!left("old"));
        assert!(left("held") && left("young") && left("own"));
    }
}
