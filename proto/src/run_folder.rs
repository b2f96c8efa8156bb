//! The temporary folder of one run of a service. It is locked as long as its owner lives, so that a later run sees which
//! folders nobody owns any more: whoever is killed cannot remove their own.

use std::{
    fs::{self, File},
    io,
    path::Path,
    time::Duration,
};

use tempfile::TempDir;

/// A folder younger than this may not be locked yet.
const SETTLED: Duration = Duration::from_secs(60);

/// The folder. Dropping it removes it with everything in it.
#[derive(Debug)]
pub struct RunFolder {
    folder: TempDir,
    lock: File,
}

impl RunFolder {
    /// Makes a folder whose name begins with `prefix` in the system's folder for temporary files.
    ///
    /// # Errors
    ///
    /// When that cannot be written.
    pub fn make(prefix: &str) -> io::Result<Self> {
        Self::lock(tempfile::Builder::new().prefix(prefix).tempdir()?)
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
        let beside = self.path().parent();
        let Some(siblings) = beside.and_then(|beside| fs::read_dir(beside).ok()) else {
            return;
        };
        for sibling in siblings.flatten() {
            let ours = sibling.file_name().to_string_lossy().starts_with(prefix);
            if ours && self.is_abandoned(&sibling.path()).unwrap_or(false) {
                let removed = fs::remove_dir_all(sibling.path());
                tracing::debug!(folder = %sibling.path().display(), ?removed, "left by an earlier run");
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

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        time::Duration,
    };

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
}
