//! Which folders the system has to watch for a project.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use notify::RecursiveMode;

use super::{links::Links, system::Folders};
use crate::project::{Layout, walk::Walk};

/// How many folders the system has to watch for a project.
pub(crate) fn count(layout: &Layout) -> usize {
    let mut ignored = Vec::new();
    let below = |(folder, mode): (PathBuf, RecursiveMode)| match mode {
        RecursiveMode::NonRecursive => 1,
        RecursiveMode::Recursive => Walk::below(&folder)
            .directories(&layout.root, &mut ignored)
            .len(),
    };
    let (imports, links) = (BTreeSet::new(), Links::default());
    wanted(layout, &layout.inputs(), &imports, &links)
        .into_iter()
        .map(below)
        .sum()
}

/// Existing folders. A single file is watched through its folder, since editors replace files, and what is missing through
/// the nearest folder above it that is there.
pub(super) fn wanted(
    layout: &Layout,
    inputs: &[PathBuf],
    imports: &BTreeSet<PathBuf>,
    links: &Links,
) -> Folders {
    let around = imports.iter().filter_map(|file| nearest(file.parent()?));
    let around = around.map(|folder| (folder, RecursiveMode::NonRecursive));
    let watched = inputs.iter().filter_map(|input| {
        let folder = nearest(input)?;
        // The project's own folder holds `node_modules`.
        let is_whole = folder == input && !layout.root.starts_with(folder);
        Some((folder, recursive(is_whole)))
    });
    let is_in_input = |folder: &Path| inputs.iter().any(|input| folder.starts_with(input));
    let behind = links.folders().filter(|(folder, _)| !is_in_input(folder));
    let mut folders = Folders::new();
    for (folder, mode) in around.chain(watched).chain(behind) {
        let known = folders.entry(folder.to_owned()).or_insert(mode);
        if mode == RecursiveMode::Recursive {
            *known = mode;
        }
    }
    folders
}

const fn recursive(is_whole: bool) -> RecursiveMode {
    match is_whole {
        true => RecursiveMode::Recursive,
        false => RecursiveMode::NonRecursive,
    }
}

/// The folder itself, or the first above it that is there.
fn nearest(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.is_dir())
}
