//! Symbolic links among a project's files: the system tells of what they lead to, under its own name.

use std::{
    collections::BTreeSet,
    fs, iter,
    path::{Path, PathBuf},
};

use notify::RecursiveMode;

use super::folders::nearest;
use crate::project::{document::join_clean, walk::Walk};

/// Names in the project of what lies elsewhere.
#[derive(Debug, Default)]
pub(super) struct Links(BTreeSet<Link>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    at: PathBuf,
    target: PathBuf,
}

impl Links {
    /// Those among `inputs`, which are files and folders of a project at `root`, and below them.
    pub(super) fn among<'a>(root: &Path, inputs: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        let all: BTreeSet<PathBuf> = inputs
            .into_iter()
            .flat_map(|input| iter::once(input.clone()).chain(below(root, input)))
            .filter(|path| path.is_symlink())
            .collect();
        let links = all.into_iter().map(|at| Link {
            target: target(&at),
            at,
        });
        // One to a folder around the project leads to everything.
        Self(
            links
                .filter(|link| !root.starts_with(&link.target))
                .collect(),
        )
    }

    /// Notes that the folder called `at` is `target`.
    pub(super) fn add(&mut self, at: &Path, target: &Path) {
        if at != target {
            self.0.insert(Link {
                at: at.to_owned(),
                target: target.to_owned(),
            });
        }
    }

    /// What has to be watched to notice what is saved behind them, or comes to be there.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&Path, RecursiveMode)> {
        self.0.iter().filter_map(|Link { target, .. }| {
            if target.is_dir() {
                Some((target.as_path(), RecursiveMode::Recursive))
            } else {
                Some((nearest(target.parent()?)?, RecursiveMode::NonRecursive))
            }
        })
    }

    /// What `path` is called in the project.
    pub(super) fn names(&self, path: &Path) -> impl Iterator<Item = PathBuf> {
        self.0.iter().filter_map(move |link| {
            match path.strip_prefix(&link.target) {
                Ok(rest) if rest.as_os_str().is_empty() => Some(link.at.clone()),
                Ok(rest) => Some(link.at.join(rest)),
                // A folder that came or went stands for all that is in it.
                Err(_) => link.target.starts_with(path).then(|| link.at.clone()),
            }
        })
    }
}

/// Where a link leads, or would if something were there.
fn target(at: &Path) -> PathBuf {
    fs::canonicalize(at).unwrap_or_else(|_| {
        let said = fs::read_link(at).unwrap_or_default();
        real(&join_clean(at.parent().unwrap_or(at), said))
    })
}

/// `path` without links in it, as far as it is there.
pub(super) fn real(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|part| part.exists());
    let resolved = there.and_then(|there| {
        let rest = path.strip_prefix(there).ok()?;
        let there = fs::canonicalize(there).ok()?;
        Some(match rest.as_os_str().is_empty() {
            true => there,
            false => there.join(rest),
        })
    });
    resolved.unwrap_or_else(|| path.to_owned())
}

/// Everything in the folders below `input`.
fn below(root: &Path, input: &Path) -> Vec<PathBuf> {
    let mut unreported = Vec::new();
    let folders = match input.is_dir() {
        true => Walk::below(input).directories(root, &mut unreported),
        false => Vec::new(),
    };
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        os::unix::fs::symlink,
        path::PathBuf,
    };

    use notify::RecursiveMode;

    use super::Links;

    #[test]
    fn what_links_lead_to_is_watched_and_goes_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let root = top.join("app");
        for name in ["app/functions/a", "packages/x/deep", "schemas"] {
            fs::create_dir_all(top.join(name)).unwrap();
        }
        fs::write(top.join("schemas/task.jsonc"), "{}").unwrap();
        for (target, at) in [
            ("packages/x", "app/functions/x"),
            ("schemas/task.jsonc", "app/task.jsonc"),
            ("later/y/z.ts", "app/functions/dangling.ts"),
            ("app", "app/functions/a/everything"),
        ] {
            symlink(top.join(target), top.join(at)).unwrap();
        }
        let inputs = [root.join("functions"), root.join("task.jsonc")];
        let links = Links::among(&root, &inputs);
        // The link to everything leads to the second one again.
        let watched: BTreeMap<_, _> = links.folders().collect();
        let expected = [
            (&*top, RecursiveMode::NonRecursive),
            (&*top.join("packages/x"), RecursiveMode::Recursive),
            (&*top.join("schemas"), RecursiveMode::NonRecursive),
        ];
        assert_eq!(watched, expected.into());
        for (path, names) in [
            ("packages/x", vec!["app/functions/x"]),
            ("packages/x/deep/y.ts", vec!["app/functions/x/deep/y.ts"]),
            ("schemas/task.jsonc", vec!["app/task.jsonc"]),
            ("schemas/other.jsonc", Vec::new()),
            ("schemas", vec!["app/task.jsonc"]),
            ("packages/xy", Vec::new()),
            ("later", vec!["app/functions/dangling.ts"]),
        ] {
            let called: BTreeSet<PathBuf> = links.names(&top.join(path)).collect();
            for name in [
                "app/functions/x",
                "app/functions/x/deep/y.ts",
                "app/functions/dangling.ts",
                "app/task.jsonc",
            ] {
                let is_called = called.contains(&top.join(name));
                assert_eq!(is_called, names.contains(&name), "{path}: {name}");
            }
        }
    }
}
