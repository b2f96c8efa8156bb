//! Where Backlot keeps things outside the project: the user's state, cache and runtime folders.
//!
//! The rules are the XDG base directory specification's; macOS has no runtime folder, so the state folder serves there.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// The folders of one user.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    state: PathBuf,
    cache: PathBuf,
    runtime: PathBuf,
    home: PathBuf,
}

impl Places {
    /// Reads the environment of this process.
    pub(crate) fn of_this_user() -> Self {
        // Without HOME it is where the system's list of users has it.
        Self::from_lookup(|name| env::var_os(name).map(PathBuf::from), env::home_dir())
    }

    /// Relative paths in the variables are ignored, as the specification asks.
    fn from_lookup(lookup: impl Fn(&str) -> Option<PathBuf>, of_system: Option<PathBuf>) -> Self {
        let absolute = |name| lookup(name).filter(|path| path.is_absolute());
        let of_system = of_system.filter(|path| path.is_absolute());
        let home = absolute("HOME").or(of_system);
        let home = home.unwrap_or_else(env::temp_dir);
        let base = |name, fallback: &str| absolute(name).unwrap_or_else(|| home.join(fallback));
        let state = base("XDG_STATE_HOME", ".local/state").join("backlot");
        let runtime = absolute("XDG_RUNTIME_DIR")
            .filter(|path| path.is_dir())
            .map_or_else(|| state.join("run"), |path| path.join("backlot"));
        Self {
            cache: base("XDG_CACHE_HOME", ".cache").join("backlot"),
            state,
            runtime,
            home,
        }
    }

    /// The login file that the official command line writes.
    pub(crate) fn login_file(&self) -> PathBuf {
        self.home.join(".base44/auth/auth.json")
    }

    /// Where a managed Deno of that version lives.
    pub(crate) fn deno(&self, version: &str) -> PathBuf {
        self.cache.join(format!("deno-{version}"))
    }

    /// The file that says where the running server of `project` is.
    pub(crate) fn descriptor(&self, project: &Path) -> PathBuf {
        self.runtime.join(format!("{}.json", key(project)))
    }

    /// The same of one more server of `project`, for when the first is gone.
    pub(crate) fn further_descriptor(&self, project: &Path, pid: u32) -> PathBuf {
        self.runtime.join(format!("{}-{pid}.json", key(project)))
    }

    /// Those of the servers of `project` that there may be beside the first.
    pub(crate) fn further_descriptors(&self, project: &Path) -> Vec<PathBuf> {
        let further = format!("{}-", key(project));
        let entries = fs::read_dir(&self.runtime).into_iter().flatten().flatten();
        let is_one = |name: &OsStr| {
            name.to_str()
                .is_some_and(|name| name.starts_with(&further) && name.ends_with(".json"))
        };
        let others = entries.filter(|entry| is_one(&entry.file_name()));
        others.map(|entry| entry.path()).collect()
    }

    /// The folder of all such files.
    pub(crate) fn descriptors(&self) -> &Path {
        &self.runtime
    }

    /// The key with which sessions of `project` are signed.
    pub(crate) fn signing_key(&self, project: &Path) -> PathBuf {
        self.state.join(key(project)).join("signing-key")
    }

    /// The functions of `project` that were called last time.
    pub(crate) fn recent_functions(&self, project: &Path) -> PathBuf {
        let folder = self.state.join(key(project));
        folder.join("recent-functions.json")
    }
}

/// A short name for a path that two paths do not share.
fn key(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    proto::hex::of(&digest[..8])
}

/// Makes the folder and those above it, for this user alone.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Opens options for a file that only this user may read.
pub(crate) fn private_file() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).mode(PRIVATE);
    options
}

/// The mode of a file that only this user may read.
pub(crate) const PRIVATE: u32 = 0o600;

/// Replaces a file whose folder is there: whoever reads meanwhile, or after the machine has gone down, reads the old
/// content or the new one. A link stays a link, and its file is replaced.
///
/// # Errors
///
/// When it cannot be written; then it is as it was, and nothing is left beside it.
pub(crate) fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut draft = tempfile::Builder::new()
        .prefix(".draft-")
        .tempfile_in(path.parent().unwrap_or(path))
        // Without the name of the draft, which tells nobody anything.
        .map_err(|error| io::Error::from(error.kind()))?;
    draft.as_file_mut().write_all(content)?;
    draft
        .as_file()
        .set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Replaces a private file as [`replace`] does, and makes its folder.
pub(crate) fn replace_private(path: &Path, content: &[u8]) -> io::Result<()> {
    make_private_folder(path.parent().unwrap_or(path))?;
    replace(path, content, PRIVATE)
}

/// The secret bytes in `path`, made at first use.
///
/// A key of the wrong length is replaced: it was cut short by a full disk, and every session signed with it is void.
pub(crate) fn secret(path: &Path) -> io::Result<[u8; 32]> {
    if let Ok(bytes) = fs::read(path)
        && let Ok(secret) = bytes.try_into()
    {
        return Ok(secret);
    }
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    replace_private(path, &secret)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        path::{Path, PathBuf},
    };

    use super::{Places, replace, secret};

    #[test]
    fn relative_variables_are_ignored() {
        let variable = |name: &str| match name {
            "HOME" => Some(PathBuf::from("/home/ada")),
            "XDG_STATE_HOME" => Some(PathBuf::from("state")),
            "XDG_CACHE_HOME" => Some(PathBuf::from("/caches")),
            _ => None,
        };
        let places = Places::from_lookup(variable, Some("/home/of-system".into()));
        assert!(
            places
                .signing_key(Path::new("/p"))
                .starts_with("/home/ada/.local/state/backlot")
        );
        assert_eq!(
            places.deno("2.0.0"),
            Path::new("/caches/backlot/deno-2.0.0")
        );
    }

    #[test]
    fn without_home_it_is_the_users_folder_that_the_system_knows_and_none_that_others_share() {
        for (variable, of_system, expected) in [
            (None, Some("/root"), Some("/root")),
            (Some(""), Some("/root"), Some("/root")),
            (Some("/home/ada"), Some("/root"), Some("/home/ada")),
            (None, Some(""), None),
        ] {
            let places = Places::from_lookup(
                |name| variable.filter(|_| name == "HOME").map(PathBuf::from),
                of_system.map(PathBuf::from),
            );
            let home = expected.map_or_else(std::env::temp_dir, PathBuf::from);
            assert!(places.login_file().starts_with(home), "{places:?}");
        }
    }

    #[test]
    fn projects_have_files_of_their_own() {
        let places = Places::from_lookup(|_| None, None);
        assert_ne!(
            places.descriptor(Path::new("/a")),
            places.descriptor(Path::new("/b"))
        );
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_behind_its_link_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, b"new", 0o100_640).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);

        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        replace(&taken, b"new", 0o600).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        let error = replace(&folder.path().join("no/file"), b"", 0o600).unwrap_err();
        assert!(!error.to_string().contains("draft"), "{error}");
    }

    #[test]
    fn a_secret_is_made_once_and_is_the_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/signing-key");
        let made = secret(&path).unwrap();
        assert_eq!(secret(&path).unwrap(), made);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_secret_that_was_cut_short_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-key");
        fs::write(&path, "short").unwrap();
        let made = secret(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), made);
    }
}
