//! Finds the project that a directory belongs to: upwards, the first directory with `base44/config.{json,jsonc}` or `config.{json,jsonc}`.

use std::fs;
use std::path::{Path, PathBuf};

use super::diagnose::Diagnostic;
use super::document::Document;

/// Where a project's configuration was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) root: PathBuf,
    pub(super) config_path: PathBuf,
    /// Further configuration files beside it, which are not read.
    pub(super) ignored: Vec<PathBuf>,
}

/// Searches from `start`, an absolute path, up to but not including the file system's root.
///
/// A bare `config.json` is a common name, so in a directory that shows no other sign of a Base44 project it counts only when nothing better is found further up.
pub(super) fn find(start: &Path) -> Option<Found> {
    let mut doubtful = None;
    for directory in start
        .ancestors()
        .filter(|directory| directory.parent().is_some())
    {
        match at(directory) {
            Some(found)
                if found.config_path.parent() != Some(directory)
                    || is_project(directory, &found.config_path) =>
            {
                return Some(found);
            }
            other => doubtful = doubtful.or(other),
        }
    }
    doubtful
}

/// The project configuration of `directory` itself.
pub(super) fn at(directory: &Path) -> Option<Found> {
    let inner = with_stem(&directory.join("base44"), "config");
    let (found, root) = match inner.is_empty() {
        false => (inner, directory),
        // Started inside base44/: the project is the directory around it.
        true if directory.file_name().is_some_and(|name| name == "base44") => (
            with_stem(directory, "config"),
            directory.parent().unwrap_or(directory),
        ),
        true => (with_stem(directory, "config"), directory),
    };
    let mut found = found.into_iter();
    Some(Found {
        root: root.to_owned(),
        config_path: found.next()?,
        ignored: found.collect(),
    })
}

fn is_project(directory: &Path, config_path: &Path) -> bool {
    let mut unreported: Vec<Diagnostic> = Vec::new();
    ["entities", "functions"]
        .iter()
        .any(|name| directory.join(name).is_dir())
        || directory.ends_with("base44")
        || !with_stem(directory, ".app").is_empty()
        || Document::read(directory, config_path, &mut unreported)
            .is_some_and(|config| config.value["name"].is_string())
}

/// The files `<stem>.jsonc` and `<stem>.json` of a directory, in that order; the suffix is matched without regard to case.
pub(super) fn with_stem(directory: &Path, stem: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_stem().is_some_and(|name| name == stem) && is_json(path) && path.is_file()
        })
        .collect();
    found.sort_by_key(|path| (!has_suffix(path, "jsonc"), path.clone()));
    found
}

/// True for `.json` and `.jsonc` in any case.
pub(super) fn is_json(path: &Path) -> bool {
    has_suffix(path, "json") || has_suffix(path, "jsonc")
}

/// True when the path ends in `.suffix` in any case.
pub(super) fn has_suffix(path: &Path, suffix: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(suffix))
}
