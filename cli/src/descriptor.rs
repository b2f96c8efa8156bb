//! The file that says where the running server of a project is, for `backlot status` and tools.
//!
//! Beside it is one that the server holds locked as long as it lives, so that a file which survived its process is told
//! from one whose process runs, even when the pid has been given to somebody else since.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::places;

/// A server that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Descriptor {
    pub(crate) url: String,
    pub(crate) port: u16,
    /// Of the command that started everything.
    pub(crate) pid: u32,
    pub(crate) app_id: String,
    /// ISO 8601, UTC.
    pub(crate) started_at: String,
    pub(crate) services: BTreeMap<String, Service>,
    /// The bearer that the gRPC services ask for.
    pub(crate) token: String,
}

/// One of the three services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Service {
    /// `127.0.0.1:41234`
    pub(crate) grpc: String,
    /// Absent for a service that somebody else started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
}

/// The running server's hold on its descriptor. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct Published {
    path: PathBuf,
    _lock: File,
}

impl Published {
    /// Takes the descriptor of a project. There is none to read until [`Published::write`].
    ///
    /// Answers `None` when another server of the same project holds it.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Self>> {
        places::make_private_folder(path.parent().unwrap_or(path))?;
        let mut options = places::private_file();
        let taken = lock_current(&lock(path), options.create(true).truncate(false))?;
        Ok(taken.map(|lock| Self {
            path: path.to_owned(),
            _lock: lock,
        }))
    }

    /// Replaces what the descriptor says, at once: whoever reads meanwhile reads the old one or the new one.
    pub(crate) fn write(&mut self, descriptor: &Descriptor) -> io::Result<()> {
        places::replace_private(&self.path, &serde_json::to_vec(descriptor)?)
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // Removed while the lock is still held, so that nobody else's new file is hit.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(lock(&self.path));
    }
}

/// The file that a running server holds locked.
fn lock(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// Locks the file at `path`; `None` while somebody else has it. Whoever ends removes the file, so what has been locked may
/// be no longer the one that others will find: then that one is tried.
fn lock_current(path: &Path, options: &OpenOptions) -> io::Result<Option<File>> {
    loop {
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path)? => return Ok(Some(file)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether `path` still names this open file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The server of a project that runs now. What a server left behind that is gone is removed.
pub(crate) fn running(path: &Path) -> io::Result<Option<Descriptor>> {
    let mut options = places::private_file();
    // What has no lock is removed under one as well, so that a server that is just starting does not lose its own.
    options.create(path.exists()).truncate(false);
    match lock_current(&lock(path), &options) {
        Ok(Some(_held)) => {
            remove(path)?;
            return remove(&lock(path)).map(|()| None);
        }
        Ok(None) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        // It is starting, or ending.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The server that runs now on `port`, of whatever project; `folder` is where descriptors are.
pub(crate) fn running_on(folder: &Path, port: u16) -> io::Result<Option<Descriptor>> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in listed {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && let Some(found) = running(&path)?
            && found.port == port
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Removes a file that may be gone.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs,
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::{Descriptor, Published, is_at, places, running, running_on};

    fn descriptor() -> Descriptor {
        Descriptor {
            url: "http://localhost:4400".to_owned(),
            port: 4400,
            pid: 1,
            app_id: "local".to_owned(),
            started_at: "2026-01-02T03:04:05.678Z".to_owned(),
            services: BTreeMap::new(),
            token: "secret".to_owned(),
        }
    }

    #[test]
    fn a_running_server_is_found_and_an_ended_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/p.json");
        assert_eq!(running(&path).unwrap(), None);

        let mut published = Published::take(&path).unwrap().unwrap();
        assert_eq!(running(&path).unwrap(), None, "starting");
        published.write(&descriptor()).unwrap();
        let folder_of_all = path.parent().unwrap();
        assert_eq!(running_on(folder_of_all, 4400).unwrap(), Some(descriptor()));
        assert_eq!(running_on(folder_of_all, 4401).unwrap(), None);
        assert_eq!(running_on(folder.path(), 4400).unwrap(), None);
        assert_eq!(running(&path).unwrap(), Some(descriptor()));

        drop(published);
        assert_eq!(running(&path).unwrap(), None);
        let left = fs::read_dir(folder.path().join("run")).unwrap();
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn what_a_killed_server_left_is_ignored_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        fs::write(&path, serde_json::to_string(&descriptor()).unwrap()).unwrap();
        assert_eq!(running(&path).unwrap(), None);
        assert!(!path.exists());
    }

    #[test]
    fn a_second_server_of_the_project_does_not_take_the_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        let first = Published::take(&path).unwrap();
        assert!(first.is_some());
        assert!(Published::take(&path).unwrap().is_none());
    }

    #[test]
    fn a_lock_on_a_file_that_was_replaced_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.lock");
        let open = || {
            places::private_file()
                .create(true)
                .truncate(false)
                .open(&path)
        };
        let first = open().unwrap();
        assert!(is_at(&first, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&first, &path).unwrap());
        let second = open().unwrap();
        assert!(!is_at(&first, &path).unwrap() && is_at(&second, &path).unwrap());
    }

    #[test]
    fn servers_that_come_and_go_never_hold_the_descriptor_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        let holders = AtomicUsize::new(0);
        let come_and_go = || {
            for _ in 0..200 {
                if let Some(published) = Published::take(&path).unwrap() {
                    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
                    holders.fetch_sub(1, Ordering::SeqCst);
                    drop(published);
                }
                let _ = running(&path).unwrap();
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(come_and_go))));
    }
}
