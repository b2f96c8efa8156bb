//! Uploaded files: kept in a folder of this run, found by the names that were given out and by nothing else.

pub(crate) mod kinds;

use std::{collections::HashMap, io, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use proto::{Code, Failure, run_folder::RunFolder};
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};

use crate::extract::Upload;

/// How the folders are called.
const PREFIX: &str = "backlot-media-";

/// Bytes gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// Characters of a file ending that are kept.
const ENDING: usize = 16;

/// Who may fetch a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Public,
    /// Whoever has a signed address.
    Signed,
}

/// A file that can be fetched.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    access: Access,
}

/// The files of this run. The folder is made at the first upload, or when it is gone, and goes with this.
#[derive(Debug, Default)]
pub(crate) struct Files {
    folder: Mutex<Option<Arc<RunFolder>>>,
    index: Mutex<HashMap<String, Stored>>,
}

impl Files {
    /// The file of that name, if it is there and fetched in the right way.
    pub(crate) fn find(&self, name: &str, access: Access) -> Option<Stored> {
        let index = self.index.lock();
        index
            .get(name)
            .filter(|file| file.access == access)
            .cloned()
    }

    /// Writes an upload and returns the name under which it is found. Nothing of it stays when it does not end well.
    ///
    /// # Errors
    ///
    /// What the upload says, or `INTERNAL` when the system refuses to write.
    pub(crate) async fn keep(&self, mut upload: Upload, access: Access) -> Result<String, Failure> {
        let name = name(upload.name())?;
        let folder = self.folder().map_err(|error| broken(&error))?;
        let draft = Draft(Some(folder.path().join(&name)));
        let size = write(&draft, &mut upload).await?;
        let stored = Stored {
            path: draft.finish(),
            size,
            access,
        };
        self.index.lock().insert(name.clone(), stored);
        Ok(name)
    }

    /// Removes everything.
    pub(crate) fn clear(&self) {
        self.index.lock().clear();
        self.folder.lock().take();
    }

    fn folder(&self) -> io::Result<Arc<RunFolder>> {
        let mut folder = self.folder.lock();
        // Systems clear old folders of temporary files away.
        if let Some(folder) = folder.as_ref().filter(|folder| folder.path().is_dir()) {
            return Ok(folder.clone());
        }
        let made = Arc::new(RunFolder::make(PREFIX)?);
        *folder = Some(made.clone());
        Ok(made)
    }
}

/// Removes what runs left that were killed.
pub(crate) fn remove_left_behind() {
    match RunFolder::make(PREFIX) {
        Ok(folder) => folder.sweep(PREFIX),
        Err(error) => tracing::debug!(%error, "cannot look for folders of earlier runs"),
    }
}

/// A file that is removed unless it is finished.
struct Draft(Option<PathBuf>);

impl Draft {
    fn finish(mut self) -> PathBuf {
        self.0.take().expect("a draft is finished once")
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // Its folder goes at the end of the run in any case.
            let _ = std::fs::remove_file(path);
        }
    }
}

async fn write(draft: &Draft, upload: &mut Upload) -> Result<u64, Failure> {
    let path = draft.0.as_ref().expect("the draft is not finished yet");
    let file = File::create_new(path)
        .await
        .map_err(|error| broken(&error))?;
    let mut file = BufWriter::with_capacity(BUFFER, file);
    let mut size = 0;
    while let Some(piece) = upload.piece().await? {
        size += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        file.write_all(&piece)
            .await
            .map_err(|error| broken(&error))?;
    }
    file.flush().await.map_err(|error| broken(&error))?;
    Ok(size)
}

fn broken(error: &io::Error) -> Failure {
    let folder = std::env::temp_dir();
    Failure::new(Code::Internal, "The file could not be stored")
        .with_detail(format!("in {}: {error}", folder.display()))
        .with_hint(
            "see that the folder for temporary files has room, or name another one in TMPDIR",
        )
}

/// A random name in the form of a UUID, with the ending of the file's own.
fn name(given: &str) -> Result<String, Failure> {
    let uuid = proto::uuid::random().map_err(|error| {
        Failure::new(Code::Internal, "The system gives no random numbers")
            .with_detail(error.to_string())
    })?;
    Ok(format!("{uuid}{}", ending(given)))
}

/// `.png` of `a.png`; nothing when it is not plain letters and digits.
fn ending(given: &str) -> String {
    let plain = |ending: &str| {
        let is_short = (1..=ENDING).contains(&ending.len());
        is_short && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match given.rsplit_once('.') {
        Some((_, ending)) if plain(ending) => format!(".{ending}"),
        Some(_) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{ending, name};

    #[test]
    fn only_a_plain_ending_is_kept_of_a_name() {
        let cases = [
            ("a.png", ".png"),
            ("a.tar.gz", ".gz"),
            ("a", ""),
            ("a.", ""),
            ("../../etc/passwd.\r\nx", ""),
            ("a.html/..", ""),
            ("a.01234567890123456", ""),
        ];
        for (given, expected) in cases {
            assert_eq!(ending(given), expected, "{given}");
        }
        assert_ne!(name("a.png").unwrap(), name("a.png").unwrap());
        assert_eq!(name("a.png").unwrap().len(), 40);
    }
}
