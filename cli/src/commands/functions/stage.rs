//! Writes many files, all or none: each is first written beside its place, and what it replaces is kept until all
//! are in place.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    /// Absolute.
    pub(super) path: PathBuf,
    pub(super) content: String,
}

/// What has been done so far, undone when dropped before the end.
struct Progress {
    stage: TempDir,
    /// Files that are in place, with where the file is kept that was there before.
    placed: Vec<(PathBuf, Option<PathBuf>)>,
    /// Folders that were made, outer ones first.
    folders: Vec<PathBuf>,
}

/// Writes all of `writes`, or nothing. `beside` is a folder of the same file system, for what is on its way.
///
/// # Errors
///
/// With the path that could not be written; then everything is as it was.
pub(super) fn write_all(beside: &Path, writes: &[Write]) -> io::Result<()> {
    let stage = tempfile::Builder::new()
        .prefix(".backlot-")
        .tempdir_in(beside)?;
    for (index, write) in writes.iter().enumerate() {
        let draft = stage.path().join(format!("new-{index}"));
        fs::write(&draft, &write.content).map_err(|error| at(&draft, &error))?;
    }
    let mut progress = Progress {
        stage,
        placed: Vec::new(),
        folders: Vec::new(),
    };
    for (index, write) in writes.iter().enumerate() {
        progress
            .place(index, &write.path)
            .map_err(|error| at(&write.path, &error))?;
    }
    // From here on there is nothing to undo.
    progress.placed.clear();
    progress.folders.clear();
    Ok(())
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Progress {
    fn place(&mut self, index: usize, path: &Path) -> io::Result<()> {
        self.make_folder(path.parent().unwrap_or(path))?;
        let draft = self.stage.path().join(format!("new-{index}"));
        let old = self.stage.path().join(format!("old-{index}"));
        let kept = match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_file() => {
                fs::set_permissions(&draft, meta.permissions())?;
                fs::rename(path, &old)?;
                Some(old)
            }
            Ok(_) => return Err(io::Error::other("there is something that is no file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        self.placed.push((path.to_owned(), kept));
        fs::rename(&draft, path)
    }

    fn make_folder(&mut self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.make_folder(above)?;
        }
        fs::create_dir(folder)?;
        self.folders.push(folder.to_owned());
        Ok(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // What cannot be undone stays; there is nobody to tell.
        for (path, kept) in self.placed.drain(..).rev() {
            let _ = match kept {
                Some(kept) => fs::rename(kept, path),
                None => fs::remove_file(path),
            };
        }
        for folder in self.folders.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Write, write_all};

    /// Every file below, with its content.
    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let below = files(&path);
                found.push((format!("{name}/"), String::new()));
                found.extend(
                    below
                        .into_iter()
                        .map(|(file, text)| (format!("{name}/{file}"), text)),
                );
            } else {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
        found.sort();
        found
    }

    fn write(folder: &Path, path: &str) -> Write {
        Write {
            path: folder.join(path),
            content: "new".to_owned(),
        }
    }

    #[test]
    fn all_files_are_written_and_nothing_is_left_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        let writes = ["a", "b/c/d"].map(|path| write(folder.path(), path));
        write_all(folder.path(), &writes).unwrap();
        let expected = [("a", "new"), ("b/", ""), ("b/c/", ""), ("b/c/d", "new")];
        assert_eq!(
            files(folder.path()),
            expected.map(|(path, text)| (path.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn when_one_cannot_be_written_all_are_as_before() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        fs::create_dir_all(folder.path().join("z/full")).unwrap();
        let before = files(folder.path());
        let writes = ["a", "b/c", "z"].map(|path| write(folder.path(), path));
        let error = write_all(folder.path(), &writes).unwrap_err().to_string();
        assert!(error.contains("/z: "), "{error}");
        assert_eq!(files(folder.path()), before);
    }
}
