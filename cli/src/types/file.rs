//! Puts the declarations where compilers find them, and `tsconfig.json` in the know.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{
    places,
    project::{
        Diagnostic, Layout,
        tsconfig::{self, Include},
    },
};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Changed,
    Unchanged,
}

/// Where the declarations of a project are.
pub(crate) fn path(layout: &Layout) -> PathBuf {
    layout.types_dir().join("types.d.ts")
}

/// Writes `text` to `path`, at once and only when something differs, so that no compiler sees half of it or wakes up for
/// nothing.
///
/// # Errors
///
/// When the file or its folder cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<Written> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(Written::Unchanged);
    }
    let folder = path.parent().unwrap_or(path);
    // Never the folders above it, which may be away for a moment and must be able to come back.
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mode = fs::metadata(path).map_or(0o644, |meta| meta.permissions().mode());
    places::replace(path, text.as_bytes(), mode)?;
    Ok(Written::Changed)
}

/// What became of `tsconfig.json`.
#[derive(Debug)]
pub(crate) enum Tsconfig {
    /// There is none.
    Absent,
    Present,
    Added,
    /// Left as it was, and why.
    Unclear(Box<Diagnostic>),
}

/// Adds the declarations to the `tsconfig.json` in the project's root, once.
///
/// # Errors
///
/// When it cannot be read or written.
pub(crate) fn include(layout: &Layout) -> io::Result<Tsconfig> {
    let path = layout.root.join("tsconfig.json");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Tsconfig::Absent),
        Err(error) => return Err(error),
    };
    let body = text.trim_start_matches('\u{feff}');
    let mark = &text[..text.len() - body.len()];
    let glob = format!("{}/*.d.ts", layout.relative(&layout.types_dir()));
    Ok(match tsconfig::include("tsconfig.json", body, &glob) {
        Include::Present => Tsconfig::Present,
        Include::Unclear(problem) => Tsconfig::Unclear(problem),
        Include::Added(edited) => {
            write(&path, &format!("{mark}{edited}"))?;
            Tsconfig::Added
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Written, write};

    #[test]
    fn a_file_is_written_only_when_it_differs_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".types/types.d.ts");
        for (text, expected) in [
            ("a", Written::Changed),
            ("a", Written::Unchanged),
            ("b", Written::Changed),
        ] {
            assert_eq!(write(&path, text).unwrap(), expected);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
