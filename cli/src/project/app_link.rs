//! `.app.jsonc`, the link to the deployed app: `{ "id": "<app id>" }`. A project works without it.

use std::path::{Path, PathBuf};

use super::diagnose::Diagnostic;
use super::document::Document;
use super::node::Node;
use super::root::with_stem;
use super::walk::Walk;

/// How many directories deep a link is looked for when it is not where the official tool writes it.
const MAX_DEPTH: usize = 6;

/// The linked app's id. A link file that cannot be used is reported and counts as absent.
pub(super) fn read(root: &Path, config_dir: &Path, out: &mut Vec<Diagnostic>) -> Option<String> {
    let path = find(root, config_dir)?;
    let document = Document::read_object(root, &path, out)?;
    let link = Node::root(&document);
    if link.get("id").is_none() {
        let missing = link
            .error("`id` is missing")
            .expected("the id of a Base44 app");
        out.push(missing.hint(
            "run `base44 link` to write this file anew, or remove it to work without a linked app",
        ));
    }
    link.filled_string("id", out).map(str::to_owned)
}

/// Beside the configuration first, then in the root, then the one nearest to the root.
fn find(root: &Path, config_dir: &Path) -> Option<PathBuf> {
    let usual = [config_dir, root]
        .into_iter()
        .flat_map(|directory| with_stem(directory, ".app"))
        .next();
    usual.or_else(|| {
        let mut unreported = Vec::new();
        let directories = Walk::below(root)
            .max_depth(MAX_DEPTH)
            .directories(root, &mut unreported);
        let mut found: Vec<PathBuf> = directories
            .iter()
            .flat_map(|directory| with_stem(directory, ".app"))
            .collect();
        found.sort_by_key(|path| (path.components().count(), path.clone()));
        found.into_iter().next()
    })
}
