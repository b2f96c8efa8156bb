//! What the functions of a project import, wherever it lies, kept from save to save.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use runner::graph::Graph;

use super::Project;

/// The files of each function, by its entry.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    graphs: HashMap<PathBuf, Graph>,
    roots: Vec<PathBuf>,
}

/// What functions a project has, and where their code may lie.
#[derive(Debug)]
pub(crate) struct Code {
    entries: Vec<PathBuf>,
    roots: Vec<PathBuf>,
}

impl Code {
    pub(crate) fn of(project: &Project) -> Self {
        let mut roots = project.layout.code_folders();
        roots.push(project.layout.root.clone());
        let functions = project.functions.iter();
        Self {
            entries: functions.map(|function| function.entry.clone()).collect(),
            roots,
        }
    }
}

impl Imports {
    /// Reads again what is new or consists of one of the `saved` files.
    #[must_use]
    pub(crate) fn read(mut self, code: Code, saved: &BTreeSet<PathBuf>) -> Self {
        if self.roots != code.roots {
            self.graphs.clear();
        }
        let graphs = code.entries.into_iter().map(|entry| {
            let known = self.graphs.remove(&entry);
            let known = known.filter(|graph| !saved.iter().any(|path| graph.contains(path)));
            let graph = known.unwrap_or_else(|| Graph::scan(&entry, &code.roots, []));
            (entry, graph)
        });
        Self {
            graphs: graphs.collect(),
            roots: code.roots.clone(),
        }
    }

    /// All files.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        let graphs = self.graphs.values();
        graphs.flat_map(Graph::files).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::{Code, Imports};

    #[test]
    fn only_functions_that_consist_of_what_was_saved_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let a = write("f/a/entry.ts", "import '../../lib/a.ts'");
        let b = write("f/b/entry.ts", "import '../../lib/b.ts'");
        let code = || Code {
            entries: vec![a.clone(), b.clone()],
            roots: vec![root.clone()],
        };
        let has = |imports: &Imports, name: &str| imports.files().contains(&root.join(name));
        let imports = Imports::default().read(code(), &BTreeSet::new());
        assert!(has(&imports, "lib/a.ts") && has(&imports, "lib/b.ts"));

        let saved = write("lib/a.ts", "import './deep.ts'");
        write("f/b/entry.ts", "import '../../lib/unseen.ts'");
        let imports = imports.read(code(), &[saved].into());
        assert!(has(&imports, "lib/deep.ts") && has(&imports, "lib/b.ts"));
        assert!(!has(&imports, "lib/unseen.ts"));

        let imports = imports.read(code(), &[b.clone()].into());
        assert!(has(&imports, "lib/unseen.ts") && !has(&imports, "lib/b.ts"));
    }
}
