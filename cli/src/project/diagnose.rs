//! What the reader has to say about a project file: how bad it is, where, what was expected, and what to do.
//! A diagnostic is plain data; `frame.rs` draws it as a code frame.

use std::fmt;
use std::sync::Arc;

/// How bad a mistake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Something was left out, or a rule denies everyone, because of it.
    Error,
    /// Everything loads, but probably not as meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A place in a file, after a byte order mark has been stripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// Column in characters, counted from 1.
    pub(crate) column: usize,
    /// Byte offset of the first marked character.
    pub(crate) offset: usize,
    /// Number of marked bytes; 0 marks the spot between two characters.
    pub(crate) len: usize,
}

impl Place {
    /// The place of the bytes `offset..offset + len` of `text`; an offset outside it, or inside a character, is moved back.
    pub(crate) fn of(text: &str, offset: usize, len: usize) -> Self {
        let offset = text.floor_char_boundary(offset);
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            offset,
            len: text.floor_char_boundary(offset + len) - offset,
        }
    }
}

/// One mistake in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// The file, relative to the project root, with `/` between its parts.
    pub(crate) file: String,
    /// Where in the file; `None` when the mistake is the file itself (unreadable, missing).
    pub(crate) place: Option<Place>,
    /// What is wrong.
    pub(crate) message: String,
    /// What would have been right.
    pub(crate) expected: Option<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// The file's text without its byte order mark, for the code frame.
    pub(crate) source: Option<Arc<str>>,
}

impl Diagnostic {
    /// An error about `file` as a whole.
    pub(crate) fn error(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: printable(file.into()),
            place: None,
            message: printable(message.into()),
            expected: None,
            hint: None,
            source: None,
        }
    }

    /// A warning about `file` as a whole.
    pub(crate) fn warning(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(file, message)
        }
    }

    /// Says what would have been right.
    #[must_use]
    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(printable(expected.into()));
        self
    }

    /// Says what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(printable(hint.into()));
        self
    }

    /// Marks `place` in `source`.
    #[must_use]
    pub(crate) fn at(mut self, source: &Arc<str>, place: Place) -> Self {
        self.source = Some(Arc::clone(source));
        self.place = Some(place);
        self
    }

    /// True when something was left out because of it.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Keys and file names come from the project and could drive the terminal.
fn printable(text: String) -> String {
    if text.contains(char::is_control) {
        text.replace(char::is_control, "\u{fffd}")
    } else {
        text
    }
}

/// Puts the diagnostics of each file in the order of its lines, those about the whole file first; the order of the files stays.
pub(super) fn sort(diagnostics: &mut [Diagnostic]) {
    let offset = |diagnostic: &Diagnostic| diagnostic.place.map(|place| place.offset);
    for same_file in diagnostics.chunk_by_mut(|one, next| one.file == next.file) {
        same_file.sort_by_key(offset);
    }
}

/// The plain form: `file:line:column: severity: message; expected …`, and a second line `hint: …` where there is one.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}: {}", self.severity, self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}
