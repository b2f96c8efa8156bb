//! One JSON5 file as a value that can say where its mistakes are. Byte order marks, comments, trailing commas and single quotes are accepted.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::diagnose::{Diagnostic, Place};
use super::scan::{self, Step};
use super::syntax;

/// Nobody writes a project file of this size by hand, and reading one would stall the start.
const MAX_BYTES: u64 = 8 << 20;

/// A file that parsed.
#[derive(Debug)]
pub(super) struct Document {
    /// Absolute.
    pub(super) path: PathBuf,
    /// Relative to the project root, for people.
    pub(super) file: String,
    pub(super) text: Arc<str>,
    pub(super) value: Value,
}

impl Document {
    /// Reads and parses `path`. `None` when that is not possible, which is then reported.
    pub(super) fn read(root: &Path, path: &Path, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let file = relative(root, path);
        let text = read_text(&file, path, out)?;
        let text: Arc<str> = text.into();
        let value = match syntax::parse(&file, &text) {
            Ok(value) => value,
            Err(diagnostic) => {
                out.push(*diagnostic);
                return None;
            }
        };
        let document = Self {
            path: path.to_owned(),
            file,
            text,
            value,
        };
        document.warn_repeated_keys(out);
        Some(document)
    }

    /// The same, for files whose outermost value has to be an object.
    pub(super) fn read_object(root: &Path, path: &Path, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let document = Self::read(root, path, out)?;
        if document.value.is_object() {
            return Some(document);
        }
        out.push(super::node::Node::root(&document).unexpected("an object: `{ … }`"));
        None
    }

    fn warn_repeated_keys(&self, out: &mut Vec<Diagnostic>) {
        out.extend(
            scan::repeated_keys(&self.text)
                .into_iter()
                .map(|(key, range)| {
                    Diagnostic::warning(
                        &self.file,
                        format!("`{key}` is given twice in the same object"),
                    )
                    .hint("only the last one counts: remove or rename the other")
                    .at(&self.text, Place::of(&self.text, range.start, range.len()))
                }),
        );
    }

    pub(super) fn error_at_value(&self, steps: &[Step<'_>], message: String) -> Diagnostic {
        let range = scan::locate(&self.text, steps).map(|at| at.value);
        self.error_in(range, message)
    }

    pub(super) fn error_at_key(&self, steps: &[Step<'_>], message: String) -> Diagnostic {
        let range = scan::locate(&self.text, steps).map(|at| at.key.unwrap_or(at.value));
        self.error_in(range, message)
    }

    fn error_in(&self, range: Option<std::ops::Range<usize>>, message: String) -> Diagnostic {
        let range = range.unwrap_or(0..0);
        // Only the first line of a long value is marked: the frame is to show where it starts, not all of it.
        let first_line = self.text[range.clone()]
            .find(['\r', '\n'])
            .unwrap_or_else(|| range.len());
        Diagnostic::error(&self.file, message)
            .at(&self.text, Place::of(&self.text, range.start, first_line))
    }
}

/// The text of `path` without its byte order mark. `None` when it cannot be read, which is then reported under the name `file`.
pub(super) fn read_text(file: &str, path: &Path, out: &mut Vec<Diagnostic>) -> Option<String> {
    let problem = match fs::metadata(path) {
        Err(error) => Diagnostic::error(file, format!("cannot read the file: {error}")),
        Ok(meta) if !meta.is_file() => {
            Diagnostic::error(file, "this is not a regular file").expected("a text file")
        }
        Ok(meta) if meta.len() > MAX_BYTES => {
            Diagnostic::error(file, format!("the file has {} bytes", meta.len()))
                .expected(format!("at most {MAX_BYTES}"))
        }
        Ok(_) => match fs::read(path) {
            Err(error) => Diagnostic::error(file, format!("cannot read the file: {error}")),
            Ok(bytes) => match decode(bytes) {
                Ok(text) => return Some(text),
                Err(place) => undecodable(file, place),
            },
        },
    };
    out.push(problem);
    None
}

fn undecodable(file: &str, line: usize) -> Diagnostic {
    Diagnostic::error(file, format!("line {line} is not UTF-8 text"))
        .expected("UTF-8")
        .hint("save the file with the encoding UTF-8 in your editor")
}

/// The text, or the number of the line that is not UTF-8.
fn decode(bytes: Vec<u8>) -> Result<String, usize> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        valid.iter().filter(|byte| **byte == b'\n').count() + 1
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// `path` as seen from `root`, with `/` between its parts and `..` where it lies outside.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    let shared = root
        .components()
        .zip(path.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = root.components().skip(shared).map(|_| "..".to_owned());
    let down = path
        .components()
        .skip(shared)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// `base` joined with `path`, with `.` and `..` taken out without asking the file system.
pub(super) fn join_clean(base: &Path, path: impl AsRef<Path>) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(part),
        }
    }
    clean
}
