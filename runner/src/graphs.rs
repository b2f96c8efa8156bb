//! The graphs of all functions. They are read beside the driver, because reading many files takes a while on a slow disk,
//! and everything else waits for the driver.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use tokio::task::JoinSet;

use crate::{
    graph::Graph,
    pool::{Definition, Generation, Settings},
};

/// What is known of each function's files.
#[derive(Debug, Default)]
pub(crate) struct Graphs {
    known: HashMap<String, Known>,
    reading: JoinSet<(String, Generation, Graph)>,
}

#[derive(Debug)]
struct Known {
    /// The last start, whose graph this is or will be.
    generation: Generation,
    graph: Option<Graph>,
}

impl Graphs {
    /// Begins to read what `function` consists of, as it is started as `generation`. `others` are the entries of all
    /// other functions.
    pub(crate) fn read(
        &mut self,
        function: &Definition,
        generation: Generation,
        settings: Arc<Settings>,
        others: Vec<PathBuf>,
    ) {
        let (name, entry) = (function.name.clone(), function.entry.clone());
        let before = self.known.remove(&name);
        let known = Known {
            generation,
            graph: before.and_then(|known| known.graph),
        };
        self.known.insert(name.clone(), known);
        self.reading.spawn_blocking(move || {
            let graph = Graph::scan(&entry, &settings.roots(), &others);
            (name, generation, graph)
        });
    }

    /// Waits until one more has been read; `None` when none is being read. May be cancelled and called again.
    pub(crate) async fn arrive(&mut self) -> Option<()> {
        match self.reading.join_next().await? {
            Ok((name, generation, graph)) => {
                // It may be gone meanwhile, or started anew.
                if let Some(known) = self.known.get_mut(&name)
                    && known.generation == generation
                {
                    known.graph = Some(graph);
                }
            }
            Err(error) => tracing::error!(%error, "the imports of a function were not read"),
        }
        Some(())
    }

    /// Whether all have been read.
    pub(crate) fn are_complete(&self) -> bool {
        self.reading.is_empty()
    }

    /// Whether a change of one of `paths` may change what the function does.
    pub(crate) fn touch(&self, function: &str, paths: &[PathBuf]) -> bool {
        let graph = self
            .known
            .get(function)
            .and_then(|known| known.graph.as_ref());
        graph.is_some_and(|graph| paths.iter().any(|path| graph.contains(path)))
    }

    /// Forgets a function that is gone.
    pub(crate) fn forget(&mut self, function: &str) {
        self.known.remove(function);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, sync::Arc};

    use super::Graphs;
    use crate::pool::{Definition, Generation, Settings};

    #[tokio::test]
    async fn the_files_of_the_last_start_count_and_those_of_a_function_that_is_gone_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let settings = Arc::new(Settings {
            root: root.to_owned(),
            ..Settings::default()
        });
        let mut graphs = Graphs::default();
        let mut read = |name: &str, generation, code: &str| {
            let function = Definition {
                name: name.to_owned(),
                entry: root.join(format!("f/{name}/entry.ts")),
                source: String::new(),
            };
            fs::create_dir_all(function.entry.parent().unwrap()).unwrap();
            fs::write(&function.entry, code).unwrap();
            graphs.read(&function, Generation(generation), settings.clone(), vec![]);
        };
        read("a", 1, "import '../../one.ts'");
        read("a", 2, "import '../../two.ts'");
        read("b", 3, "import '../../two.ts'");
        graphs.forget("b");
        while graphs.arrive().await.is_some() {}
        assert!(graphs.are_complete());
        let saved: [PathBuf; 1] = [root.join("two.ts")];
        assert!(graphs.touch("a", &saved));
        assert!(!graphs.touch("b", &saved));
    }
}
