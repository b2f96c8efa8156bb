//! The system's own notification of changes, and where it cannot be relied on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::errno::Errno;
use notify::{
    Config, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
};

use super::noted::Noted;

/// Kinds of file systems whose files change on another machine or outside this one's kernel.
const FOREIGN: [&str; 10] = [
    "9p", "afs", "ceph", "cifs", "drvfs", "nfs", "nfs4", "smb3", "vboxsf", "virtiofs",
];

/// The system's limit of one user has been reached; Linux has it under this name.
pub(super) const EXHAUSTED: &str =
    "the system watches no more folders for you (fs.inotify.max_user_watches)";

/// Folders, and whether all below them is meant as well.
pub(super) type Folders = BTreeMap<PathBuf, RecursiveMode>;

/// Watches through the system.
#[derive(Debug)]
pub(super) struct SystemWatch {
    watcher: RecommendedWatcher,
    watched: BTreeMap<PathBuf, Watched>,
}

/// Tells a folder from one that took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watched {
    mode: RecursiveMode,
    identity: Option<(u64, u64)>,
}

impl SystemWatch {
    /// Notes changes of what is followed.
    ///
    /// # Errors
    ///
    /// When the system has no means to watch, or no more of them.
    pub(super) fn start(noted: Arc<Noted>) -> notify::Result<Self> {
        // Where links lead is watched under its own name, and only once.
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(move |event| take(event, &noted), config)?;
        Ok(Self {
            watcher,
            watched: BTreeMap::new(),
        })
    }

    /// Stops watching folders that are among `changed`, or lie below: what is there now, even of the same name, would not
    /// be seen. `all` is for when nobody knows what has changed.
    pub(super) fn forget(&mut self, changed: &BTreeSet<PathBuf>, all: bool) {
        let watched = self.watched.keys();
        let replaced: Vec<PathBuf> = watched
            .filter(|folder| all || folder.ancestors().any(|part| changed.contains(part)))
            .cloned()
            .collect();
        for folder in replaced {
            let _ = self.watcher.unwatch(&folder);
            self.watched.remove(&folder);
        }
    }

    /// Watches these folders and no others.
    ///
    /// # Errors
    ///
    /// The first folder that cannot be watched; the others are. One that is gone by now is no error.
    pub(super) fn follow(&mut self, folders: &Folders) -> notify::Result<()> {
        let mut first_error = Ok(());
        let gone: Vec<PathBuf> = self
            .watched
            .keys()
            .filter(|path| !folders.contains_key(*path))
            .cloned()
            .collect();
        for path in gone {
            let _ = self.watcher.unwatch(&path);
            self.watched.remove(&path);
        }
        for (path, mode) in folders {
            let watched = Watched {
                mode: *mode,
                identity: identity(path),
            };
            if self.watched.get(path) == Some(&watched) {
                continue;
            }
            // What took a folder's place is watched anew, and the old watch must not stand in the way.
            if self.watched.remove(path).is_some() {
                let _ = self.watcher.unwatch(path);
            }
            match self.watcher.watch(path, *mode) {
                Ok(()) => drop(self.watched.insert(path.clone(), watched)),
                Err(error) if is_gone(&error) => {}
                Err(error) => first_error = first_error.and(Err(error)),
            }
        }
        first_error
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

fn is_gone(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == io::ErrorKind::NotFound,
        ErrorKind::Generic(_)
        | ErrorKind::WatchNotFound
        | ErrorKind::InvalidConfig(_)
        | ErrorKind::MaxFilesWatch => false,
    }
}

/// True when the system watches no more folders.
pub(super) fn is_exhausted(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::MaxFilesWatch => true,
        ErrorKind::Io(error) => {
            error.kind() == io::ErrorKind::StorageFull
                || error.kind() == io::ErrorKind::QuotaExceeded
        }
        ErrorKind::Generic(_)
        | ErrorKind::PathNotFound
        | ErrorKind::WatchNotFound
        | ErrorKind::InvalidConfig(_) => false,
    }
}

/// Why `error` keeps changes from being reported, and where the system has the limit if there is one.
pub(super) fn reason(error: &notify::Error) -> String {
    if is_exhausted(error) {
        return EXHAUSTED.to_owned();
    }
    let number = match &error.kind {
        ErrorKind::Io(error) => error.raw_os_error(),
        ErrorKind::Generic(_)
        | ErrorKind::PathNotFound
        | ErrorKind::WatchNotFound
        | ErrorKind::InvalidConfig(_)
        | ErrorKind::MaxFilesWatch => None,
    };
    if number.is_some_and(|number| Errno::from_raw(number) == Errno::EMFILE) {
        return "too many programs of yours watch files (fs.inotify.max_user_instances)".to_owned();
    }
    error.to_string()
}

fn take(event: notify::Result<Event>, noted: &Noted) {
    match event {
        Ok(event) if event.need_rescan() => noted.lost(),
        Ok(event) if is_a_change(event.kind) => noted.paths(event.paths),
        Ok(_read) => {}
        Err(error) if is_exhausted(&error) => noted.exhausted(),
        Err(_unreadable) => noted.lost(),
    }
}

/// Reading a file is an event too, and reloading reads them.
const fn is_a_change(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)
    )
}

/// The kind of the file system that holds `path`, when its changes are not reported reliably. Known on Linux only.
pub(super) fn foreign_file_system(path: &Path) -> Option<String> {
    foreign_in(&fs::read_to_string("/proc/self/mounts").ok()?, path)
}

/// `mounts` has a line for each mount: device, place, kind, and more.
fn foreign_in(mounts: &str, path: &Path) -> Option<String> {
    let mount = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let place = words.next()?.replace("\\040", " ");
        Some((place, words.next()?.to_owned()))
    };
    let (_, kind) = mounts
        .lines()
        .filter_map(mount)
        .filter(|(place, _)| path.starts_with(place))
        // The last of those that lie over each other is the one that is seen.
        .max_by_key(|(place, _)| place.len())?;
    let is_foreign = FOREIGN.contains(&kind.as_str()) || kind.starts_with("fuse");
    is_foreign.then_some(kind)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::foreign_in;

    #[test]
    fn the_innermost_mount_tells_the_kind_of_file_system() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\n\
            host:/srv /srv nfs4 rw 0 0\n\
            tmpfs /srv/fast tmpfs rw 0 0\n\
            ada@host:/ /home/ada/my\\040host fuse.sshfs rw 0 0\n";
        for (path, kind) in [
            ("/home/ada/shop", None),
            ("/srv/shop", Some("nfs4")),
            ("/srvx", None),
            ("/srv/fast/shop", None),
            ("/home/ada/my host/shop", Some("fuse.sshfs")),
        ] {
            assert_eq!(
                foreign_in(mounts, Path::new(path)).as_deref(),
                kind,
                "{path}"
            );
        }
    }
}
