//! Files of a new project, function or entity: what they are called and what they say. Writing them overwrites nothing.

pub(crate) mod entity;
pub(crate) mod function;
pub(crate) mod project;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::output::{CommandError, ErrorCode};

/// A file to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewFile {
    /// Absolute.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Makes all of the files, or none when one is there already or cannot be made.
///
/// # Errors
///
/// With the file's name, as `name` writes it.
pub(crate) fn make(files: &[NewFile], name: impl Fn(&Path) -> String) -> Result<(), CommandError> {
    let taken = |path: &Path| {
        CommandError::input(format!("{} exists already", name(path)))
            .with_hint("nothing was written; rename or remove that file, or choose another name")
    };
    if let Some(file) = files
        .iter()
        .find(|file| file.path.symlink_metadata().is_ok())
    {
        return Err(taken(&file.path));
    }
    for (index, file) in files.iter().enumerate() {
        let Err(error) = create(file, |made| made.write_all(file.text.as_bytes())) else {
            continue;
        };
        for made in &files[..index] {
            let _ = fs::remove_file(&made.path);
        }
        if error.kind() == io::ErrorKind::AlreadyExists {
            return Err(taken(&file.path));
        }
        let message = format!("cannot write {}: {error}", name(&file.path));
        return Err(CommandError::new(ErrorCode::Internal, message)
            .with_hint("check the permissions of the folder"));
    }
    Ok(())
}

/// Makes a file with what `write` writes; none when that fails.
fn create(file: &NewFile, write: impl FnOnce(&mut fs::File) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut made = fs::File::create_new(&file.path)?;
    write(&mut made).inspect_err(|_error| drop(fs::remove_file(&file.path)))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{self, Write as _},
    };

    use super::{NewFile, create, make};

    #[test]
    fn a_file_that_cannot_be_written_whole_is_not_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let file = NewFile {
            path: folder.path().join("a"),
            text: "new".to_owned(),
        };
        let written = create(&file, |made| {
            made.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn all_files_are_made_or_none_and_none_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| NewFile {
            path: folder.path().join(name),
            text: "new".to_owned(),
        };
        fs::write(folder.path().join("b"), "old").unwrap();
        let refused = make(&[file("a"), file("b")], |path| path.display().to_string());
        assert!(refused.unwrap_err().message.ends_with("/b exists already"));
        // `b` is a file and no folder.
        make(&[file("a"), file("b/c")], |_| String::new()).unwrap_err();
        assert!(!folder.path().join("a").exists());

        make(&[file("a"), file("deep/er")], |_| String::new()).unwrap();
        assert_eq!(
            fs::read_to_string(folder.path().join("deep/er")).unwrap(),
            "new"
        );
        assert_eq!(fs::read_to_string(folder.path().join("b")).unwrap(), "old");
    }
}
