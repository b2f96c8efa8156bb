//! Finds the Deno that runs functions, or has npm install the pinned version into the user's cache.

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{io::AsyncReadExt as _, time::timeout};

use crate::{
    places::{self, Places},
    supervisor::child::{Child, Output, Start},
};

/// The version that is installed where none is found; the newest that our tests have seen.
pub(crate) const VERSION: &str = "2.9.6";

/// How long npm may take to download some forty megabytes.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);

/// What the end of the name of an installation's folder begins with, until it is done.
const DRAFT: &str = "draft-";

/// The file in such a folder that is locked as long as somebody works on it.
const LOCK: &str = "backlot.lock";

/// What to tell somebody who has no Deno.
pub(crate) const HOW_TO: &str = "install Deno (https://docs.deno.com/runtime/getting_started/installation), or npm so that Backlot can";

/// The Deno to use, in order: the one asked for, the one on `PATH`, the managed copy.
pub(crate) fn find(places: &Places, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    on_path("deno", path).or_else(|| managed(places))
}

/// The first executable file of that name in the folders of `path`.
pub(crate) fn on_path(name: &str, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    env::split_paths(path?)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// True for a file that somebody may execute.
pub(crate) fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn managed(places: &Places) -> Option<PathBuf> {
    executable_in(&places.deno(VERSION))
}

/// npm puts the executable into the package of this platform.
fn executable_in(folder: &Path) -> Option<PathBuf> {
    let platforms = fs::read_dir(folder.join("node_modules/@deno")).ok()?;
    platforms
        .flatten()
        .map(|platform| platform.path().join("deno"))
        .find(|file| is_executable(file))
}

/// Installs the pinned version; an interrupted or concurrent installation leaves nothing half-made in place.
///
/// # Errors
///
/// One sentence why it did not work.
pub(crate) async fn install(places: &Places, npm: &Path) -> Result<PathBuf, String> {
    let target = places.deno(VERSION);
    sweep(&target);
    let draft = target.with_extension(format!("{DRAFT}{}", std::process::id()));
    let installed = install_into(&draft, npm)
        .await
        .and_then(|()| put_in_place(&draft, &target));
    if draft.exists() {
        let _ = fs::remove_dir_all(&draft);
    }
    installed?;
    executable_in(&target)
        .ok_or_else(|| "the package holds no executable for this platform".to_owned())
}

/// Removes what installations left beside `target` that were killed: nobody holds their lock any more.
fn sweep(target: &Path) {
    let Some(siblings) = target.parent().and_then(|parent| fs::read_dir(parent).ok()) else {
        return;
    };
    for sibling in siblings.flatten() {
        let name = sibling.file_name();
        let is_draft = name.to_string_lossy().contains(&format!(".{DRAFT}"));
        let lock = sibling.path().join(LOCK);
        // One without a lock is being made at this moment.
        let is_abandoned = fs::File::open(lock).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_draft && is_abandoned {
            let _ = fs::remove_dir_all(sibling.path());
        }
    }
}

async fn install_into(draft: &Path, npm: &Path) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot make {}: {error}", draft.display());
    places::make_private_folder(draft).map_err(cannot)?;
    let lock = fs::File::create(draft.join(LOCK)).map_err(cannot)?;
    lock.lock().map_err(cannot)?;
    let flags = "--prefix . --ignore-scripts --no-audit --no-fund --loglevel=error";
    let guarded = format!("exec \"$BACKLOT_NPM\" install {flags} deno@{VERSION}");
    let start = Start {
        // npm knows of no lifeline and would go on for a minute when we are killed.
        program: env::current_exe()
            .map_err(|error| format!("cannot find this program: {error}"))?,
        arguments: vec!["guard".into(), "--".into(), guarded.into()],
        environment: vec![("BACKLOT_NPM".into(), npm.into())],
        folder: Some(draft.to_owned()),
    };
    let (child, output) =
        Child::start(&start).map_err(|error| format!("cannot start npm: {error}"))?;
    let said = tokio::spawn(last_words(output));
    let Ok(status) = timeout(INSTALL_LIMIT, child.ended()).await else {
        return Err(format!(
            "npm did not finish within {} s",
            INSTALL_LIMIT.as_secs()
        ));
    };
    if status.success() {
        return Ok(());
    }
    Err(format!("npm failed: {}", said.await.unwrap_or_default()))
}

/// The first line of npm's complaint; both streams are read, so that a full pipe does not stop it.
async fn last_words(mut output: Output) -> String {
    let (mut ignored, mut said) = (Vec::new(), Vec::new());
    let _ = tokio::join!(
        output.stdout.read_to_end(&mut ignored),
        output.stderr.read_to_end(&mut said)
    );
    let said = String::from_utf8_lossy(&said);
    said.lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn put_in_place(draft: &Path, target: &Path) -> Result<(), String> {
    match fs::rename(draft, target) {
        Ok(()) => Ok(()),
        // Somebody else was faster; theirs is as good.
        Err(_taken) if executable_in(target).is_some() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => replace(draft, target),
        Err(error) => Err(format!("cannot write {}: {error}", target.display())),
    }
}

/// A copy without an executable is left from an interrupted installation by hand.
fn replace(draft: &Path, target: &Path) -> Result<(), String> {
    fs::remove_dir_all(target)
        .and_then(|()| fs::rename(draft, target))
        .map_err(|error| format!("cannot replace {}: {error}", target.display()))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::{LOCK, on_path, sweep};

    fn executable(file: &Path, mode: u32) {
        fs::write(file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_installations_that_nobody_works_on_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["2.draft-1", "2.draft-2", "2.draft-3", "2", "1.draft-9"] {
            fs::create_dir(at(name)).unwrap();
            if name != "2.draft-3" {
                fs::write(at(name).join(LOCK), "").unwrap();
            }
        }
        let held = fs::File::open(at("2.draft-2").join(LOCK)).unwrap();
        held.lock().unwrap();
        sweep(&at("2"));
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["2", "2.draft-2", "2.draft-3"]);
    }

    #[test]
    fn the_first_executable_on_the_path_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        for folder in [&a, &b] {
            fs::create_dir(folder).unwrap();
        }
        executable(&a.join("deno"), 0o644);
        executable(&b.join("deno"), 0o755);
        let path = std::env::join_paths([&a, &b]).unwrap();
        assert_eq!(on_path("deno", Some(&path)), Some(b.join("deno")));
        assert_eq!(on_path("deno", None), None);
    }
}
