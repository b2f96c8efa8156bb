//! Lists the directories of a tree in the order of their paths. Hidden directories and `node_modules` are passed over, and a symbolic
//! link is followed unless it leads back to a directory that is being walked.

use std::fs;
use std::path::{Path, PathBuf};

use super::diagnose::Diagnostic;
use super::document::relative;

/// More directories than any project has functions; links that cross each other could otherwise multiply without end.
const MAX_DIRECTORIES: usize = 20_000;

/// A walk to be made.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    top: &'a Path,
    max_depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn below(top: &'a Path) -> Self {
        Self { top, max_depth: 32 }
    }

    pub(super) fn max_depth(self, max_depth: usize) -> Self {
        Self { max_depth, ..self }
    }

    /// The tree's directories, `top` first. What cannot be read is reported relative to `root` and left out.
    pub(super) fn directories(&self, root: &Path, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![(self.top.to_owned(), Vec::new())];
        while let Some((directory, mut above)) = open.pop() {
            if found.len() == MAX_DIRECTORIES {
                let file = relative(root, self.top);
                out.push(Diagnostic::error(
                    file,
                    format!("more than {MAX_DIRECTORIES} directories; the rest was not read"),
                ));
                break;
            }
            let Ok(real) = fs::canonicalize(&directory) else {
                continue;
            };
            if above.contains(&real) {
                continue;
            }
            above.push(real);
            if above.len() <= self.max_depth {
                let children = subdirectories(root, &directory, out);
                open.extend(
                    children
                        .into_iter()
                        .rev()
                        .map(|child| (child, above.clone())),
                );
            }
            found.push(directory);
        }
        found
    }
}

fn subdirectories(root: &Path, directory: &Path, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let mut children = list(root, directory, out);
    children.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && name != "node_modules" && path.is_dir()
    });
    children
}

/// The paths in `directory`, sorted. A directory that cannot be listed is reported and counts as empty.
pub(super) fn list(root: &Path, directory: &Path, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let listed = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match listed {
        Ok(entries) => {
            let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
            paths.sort();
            paths
        }
        Err(error) => {
            let problem = Diagnostic::error(
                relative(root, directory),
                format!("cannot list the directory: {error}"),
            );
            out.push(problem.hint("check its permissions"));
            Vec::new()
        }
    }
}
