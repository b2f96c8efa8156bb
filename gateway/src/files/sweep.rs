//! Folders of runs that had no chance to remove them.

use std::{fs, path::Path};

use nix::{errno::Errno, sys::signal, unistd::Pid};

/// How the folders are called, followed by the process id of the run.
pub(super) const PREFIX: &str = "backlot-media-";

/// Removes the folders whose process is gone. Those of other users stay: the system sees to that.
pub(crate) fn remove_left_behind() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_left_behind) {
            remove(&entry.path());
        }
    }
}

fn remove(folder: &Path) {
    let removed = fs::remove_dir_all(folder);
    tracing::debug!(folder = %folder.display(), ?removed, "uploads of an earlier run");
}

fn is_left_behind(name: &str) -> bool {
    let process = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split('-').next());
    let process = process
        .and_then(|id| id.parse::<i32>().ok())
        .filter(|id| *id > 0);
    process.is_some_and(|id| signal::kill(Pid::from_raw(id), None) == Err(Errno::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::is_left_behind;

    #[test]
    fn folders_of_live_processes_and_other_names_stay() {
        let own = format!("backlot-media-{}-x", std::process::id());
        for name in [
            own.as_str(),
            "backlot-media-",
            "backlot-media-0-x",
            "backlot-media--1-x",
            "other-1-x",
        ] {
            assert!(!is_left_behind(name), "{name}");
        }
        // Above the largest process id that Linux and macOS give.
        assert!(is_left_behind("backlot-media-2000000000-x"));
    }
}
