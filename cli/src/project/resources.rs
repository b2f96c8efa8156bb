//! Agents, connectors and actors: deployed with a project but not served locally, so that only their names matter here.

use std::path::{Path, PathBuf};

use super::diagnose::Diagnostic;
use super::document::Document;
use super::layout::Layout;
use super::node::Node;
use super::{root, walk};

/// The names of each kind, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    /// `name` of the files in the directory of agents.
    pub(crate) agents: Vec<String>,
    /// `type` of the files in the directory of connectors.
    pub(crate) connectors: Vec<String>,
    /// Directories with an `entry.ts` or `entry.js` in the directory of actors.
    pub(crate) actors: Vec<String>,
}

/// Reads the names. A file that cannot be used is reported and left out.
pub(super) fn read(layout: &Layout, out: &mut Vec<Diagnostic>) -> Resources {
    let [agents, connectors, actors] = layout.resource_dirs();
    Resources {
        agents: sorted(values(&layout.root, &agents, "name", out)),
        connectors: sorted(values(&layout.root, &connectors, "type", out)),
        actors: sorted(with_entry(&layout.root, &actors, out)),
    }
}

/// What `key` is in each file of a directory.
fn values(root: &Path, directory: &Path, key: &str, out: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut values = Vec::new();
    for path in files(root, directory, out) {
        let Some(document) = Document::read_object(root, &path, out) else {
            continue;
        };
        let node = Node::root(&document);
        if node.get(key).is_none() {
            out.push(node.error(format!("`{key}` is missing")));
        }
        values.extend(node.filled_string(key, out).map(str::to_owned));
    }
    values
}

fn files(root: &Path, directory: &Path, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    if !directory.is_dir() {
        return Vec::new();
    }
    let mut paths = walk::list(root, directory, out);
    paths.retain(|path| root::is_json(path) && path.is_file());
    paths
}

fn with_entry(root: &Path, directory: &Path, out: &mut Vec<Diagnostic>) -> Vec<String> {
    if !directory.is_dir() {
        return Vec::new();
    }
    let has_entry = |path: &PathBuf| {
        ["entry.ts", "entry.js"]
            .iter()
            .any(|entry| path.join(entry).is_file())
    };
    let folders = walk::list(root, directory, out)
        .into_iter()
        .filter(has_entry);
    let name = |path: PathBuf| Some(path.file_name()?.to_str()?.to_owned());
    folders
        .filter_map(name)
        .filter(|name| !name.contains('.'))
        .collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::project::{read_layout, read_resources};

    #[test]
    fn names_are_found_where_the_configuration_says() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            (
                "base44/config.jsonc",
                r#"{"name":"x","agentsDir":"helpers"}"#,
            ),
            (
                "base44/helpers/b.jsonc",
                r#"{"name":"b", /* what it is for */}"#,
            ),
            ("base44/helpers/a.json", r#"{"name":"a"}"#),
            ("base44/helpers/nameless.json", "{}"),
            ("base44/helpers/note.txt", "no agent"),
            (
                "base44/connectors/slack.jsonc",
                r#"{"type":"slack","scopes":[]}"#,
            ),
            ("base44/connectors/again.jsonc", r#"{"type":"slack"}"#),
            ("base44/actors/Room/entry.ts", ""),
            ("base44/actors/lib/helper.ts", ""),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let layout = read_layout(folder.path()).unwrap().value;
        let read = read_resources(&layout);
        assert_eq!(read.value.agents, ["a", "b"]);
        assert_eq!(read.value.connectors, ["slack"]);
        assert_eq!(read.value.actors, ["Room"]);
        let reported: Vec<_> = read
            .diagnostics
            .iter()
            .map(|found| found.file.as_str())
            .collect();
        assert_eq!(reported, ["base44/helpers/nameless.json"]);
    }
}
