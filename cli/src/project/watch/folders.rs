//! Which folders the system has to watch for a project.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use notify::RecursiveMode;

use super::{
    links::{Links, real},
    system::Folders,
};
use crate::project::{Layout, walk::Walk};

/// How many folders the system has to watch for a project, but for the few outside of its own.
pub(crate) fn count(layout: &Layout) -> usize {
    let mut ignored = Vec::new();
    let below = |(folder, mode): (PathBuf, RecursiveMode)| match mode {
        RecursiveMode::NonRecursive => 1,
        RecursiveMode::Recursive => Walk::below(&folder)
            .directories(&layout.root, &mut ignored)
            .len(),
    };
    wanted(
        layout,
        &layout.inputs(),
        &BTreeSet::new(),
        &mut Links::default(),
    )
    .into_iter()
    .map(below)
    .sum()
}

/// Existing folders, by the names that have no links in them, which `links` learns. None twice: the system knows one name
/// of each, and who stopped watching it under one would do so under all.
///
/// A single file is watched through its folder, since editors replace files, and what is missing through the nearest
/// folder above it that is there.
pub(super) fn wanted(
    layout: &Layout,
    inputs: &[PathBuf],
    imports: &BTreeSet<PathBuf>,
    links: &mut Links,
) -> Folders {
    // Nearly all of them lie in the folders that are watched anyway.
    let is_read = |file: &PathBuf| inputs.iter().any(|input| file.starts_with(input));
    let elsewhere = imports.iter().filter(|file| !is_read(file));
    let around = elsewhere.filter_map(|file| nearest(file.parent()?));
    let around = around.map(|folder| (folder, RecursiveMode::NonRecursive));
    let watched = inputs.iter().filter_map(|input| {
        let folder = nearest(input)?;
        // The project's own folder holds `node_modules`.
        let is_whole = folder == input && !layout.root.starts_with(folder);
        Some((folder, recursive(is_whole)))
    });
    let mut folders = Folders::new();
    for (folder, mode) in around.chain(watched) {
        let real = real(folder);
        links.add(folder, &real);
        insert(&mut folders, real, mode);
    }
    for (folder, mode) in links.folders() {
        insert(&mut folders, folder.to_owned(), mode);
    }
    let whole: Vec<PathBuf> = folders
        .iter()
        .filter(|(_, mode)| **mode == RecursiveMode::Recursive)
        .map(|(folder, _)| folder.clone())
        .collect();
    folders.retain(|folder, _| {
        let mut above = whole.iter();
        !above.any(|whole| folder != whole && folder.starts_with(whole))
    });
    folders
}

fn insert(folders: &mut Folders, folder: PathBuf, mode: RecursiveMode) {
    let known = folders.entry(folder).or_insert(mode);
    if mode == RecursiveMode::Recursive {
        *known = mode;
    }
}

const fn recursive(is_whole: bool) -> RecursiveMode {
    match is_whole {
        true => RecursiveMode::Recursive,
        false => RecursiveMode::NonRecursive,
    }
}

/// The folder itself, or the first above it that is there.
pub(super) fn nearest(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.is_dir())
}
