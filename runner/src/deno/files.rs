//! The files that every function process needs beside the user's: written once to a temporary folder outside the
//! project, so that the project's own `package.json` and `deno.json` do not apply, and removed with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use proto::run_folder::RunFolder;

/// What its name begins with.
pub(super) const PREFIX: &str = "backlot-runner-";

const BOOTSTRAP: &str = include_str!("../js/bootstrap.js");
const RUNTIME: &str = include_str!("../js/runtime.js");
const IMPORT_MAP: &str = r#"{"imports":{"base44:runtime":"./runtime.js"}}"#;

/// The folder. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Files {
    folder: RunFolder,
    /// As processes see it, without symbolic links.
    root: PathBuf,
}

impl Files {
    /// Writes everything.
    ///
    /// # Errors
    ///
    /// When the system's temporary folder cannot be written.
    pub(super) fn write() -> io::Result<Self> {
        let folder = RunFolder::make(PREFIX)?;
        folder.sweep(PREFIX);
        let root = folder.path().canonicalize()?;
        let files = Self { folder, root };
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
