//! Symbolic links among a project's files: what they lead to is saved elsewhere, under another name.

use std::{
    collections::BTreeSet,
    fs, iter,
    path::{Path, PathBuf},
};

use notify::RecursiveMode;

use crate::project::walk::Walk;

/// Links, with what they lead to.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Link>);

#[derive(Debug)]
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
        let links = all.into_iter().filter_map(|at| {
            let target = fs::canonicalize(&at).ok()?;
            // One to a folder around the project leads to everything.
            (!root.starts_with(&target)).then_some(Link { at, target })
        });
        Self(links.collect())
    }

    /// What has to be watched to notice what is saved behind them.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&Path, RecursiveMode)> {
        self.0.iter().filter_map(|Link { target, .. }| {
            if target.is_dir() {
                Some((target.as_path(), RecursiveMode::Recursive))
            } else {
                Some((target.parent()?, RecursiveMode::NonRecursive))
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
            ("nowhere", "app/functions/dangling"),
            ("app", "app/functions/a/everything"),
        ] {
            symlink(top.join(target), top.join(at)).unwrap();
        }
        let inputs = [root.join("functions"), root.join("task.jsonc")];
        let links = Links::among(&root, &inputs);
        // The link to everything leads to the second one again.
        let watched: BTreeMap<_, _> = links.folders().collect();
        let expected = [
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
        ] {
            let called: BTreeSet<PathBuf> = links.names(&top.join(path)).collect();
            for name in [
                "app/functions/x",
                "app/functions/x/deep/y.ts",
                "app/task.jsonc",
            ] {
                let is_called = called.contains(&top.join(name));
                assert_eq!(is_called, names.contains(&name), "{path}: {name}");
            }
        }
    }
}
