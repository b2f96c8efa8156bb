//! A project as it was last read, part by part, so that a save reads again only what it can have changed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    Diagnostic, EntityFile, FunctionFile, Layout, Project, ReadError, Reading,
    entities::{self, Files},
    read_app_id, read_env, read_functions, read_layout, reread_layout,
    watch::Batch,
};

/// The parts, each with what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    layout: Reading<Layout>,
    /// What is wrong with the configuration on disk, when the one in force is an earlier one.
    refused: Vec<Diagnostic>,
    app_id: Reading<Option<String>>,
    entities: Reading<Vec<EntityFile>>,
    entity_files: Files,
    functions: Reading<Vec<FunctionFile>>,
    env: Reading<Vec<(String, String)>>,
}

/// Which parts a batch of saves can have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Parts {
    layout: bool,
    app_id: bool,
    entities: bool,
    functions: bool,
    env: bool,
}

impl Snapshot {
    /// Reads the project that `start` lies in.
    ///
    /// # Errors
    ///
    /// When there is none, or its configuration cannot be used.
    pub(crate) fn read(start: &Path) -> Result<Self, ReadError> {
        let layout = read_layout(start)?;
        let mut entity_files = Files::default();
        Ok(Self {
            refused: Vec::new(),
            app_id: read_app_id(&layout.value),
            entities: Self::read_entities(&layout.value, &mut entity_files),
            entity_files,
            functions: read_functions(&layout.value),
            env: read_env(&layout.value),
            layout,
        })
    }

    /// Reads again what a batch of saves can have changed.
    ///
    /// # Errors
    ///
    /// When the configuration is gone: nothing is read then. When the configuration cannot be used any more: the one before stays in force, and everything else is read.
    pub(crate) fn reread(&mut self, batch: &Batch) -> Result<(), ReadError> {
        // Moved away, or another branch: its parts are not deleted one by one, and may all be back in a moment.
        self.layout.value.find_again()?;
        let mut parts = self.parts(batch);
        let mut read = Ok(());
        if parts.layout {
            match reread_layout(&self.layout.value) {
                Ok(layout) => {
                    // Where plugins lie may be new, and with it what paths are called.
                    self.entity_files = Files::default();
                    self.layout = layout;
                    self.refused.clear();
                    parts = Parts::ALL;
                }
                Err(error) => {
                    if let ReadError::Config { diagnostics, .. } = &error {
                        self.refused.clone_from(diagnostics);
                    }
                    read = Err(error);
                }
            }
        }
        let layout = &self.layout.value;
        if parts.app_id {
            let read = read_app_id(layout);
            let is_broken = read.diagnostics.iter().any(Diagnostic::is_error);
            self.app_id = Reading {
                value: if is_broken {
                    self.app_id.value.take()
                } else {
                    read.value
                },
                diagnostics: read.diagnostics,
            };
        }
        if parts.entities {
            for path in &batch.paths {
                self.entity_files.forget(path);
            }
            if batch.lost {
                self.entity_files = Files::default();
            }
            self.entities = Self::read_entities(layout, &mut self.entity_files);
        }
        if parts.functions {
            self.functions = read_functions(layout);
        }
        if parts.env {
            self.env = read_env(layout);
        }
        read
    }

    fn read_entities(layout: &Layout, known: &mut Files) -> Reading<Vec<EntityFile>> {
        Reading::of(|out| entities::read(layout, known, out))
    }

    /// The whole, as far as it can be used.
    pub(crate) fn project(&self) -> Project {
        let diagnostics = [
            &self.refused,
            &self.layout.diagnostics,
            &self.app_id.diagnostics,
            &self.entities.diagnostics,
            &self.functions.diagnostics,
            &self.env.diagnostics,
        ];
        Project {
            layout: self.layout.value.clone(),
            app_id: self.app_id.value.clone(),
            entities: self.entities.value.clone(),
            functions: self.functions.value.clone(),
            env: self.env.value.clone(),
            diagnostics: diagnostics.into_iter().flatten().cloned().collect(),
        }
    }

    fn parts(&self, batch: &Batch) -> Parts {
        if batch.lost {
            return Parts::ALL;
        }
        let mut parts = Parts::default();
        for path in &batch.paths {
            self.mark(path, &mut parts);
        }
        parts
    }

    /// A folder that came or went stands for all that is in it.
    fn mark(&self, path: &Path, parts: &mut Parts) {
        let layout = &self.layout.value;
        let touches = |input: &PathBuf| path.starts_with(input) || input.starts_with(path);
        let entities = layout.entity_dirs();
        let functions = layout.function_dirs();
        let [app_links, env] = [layout.app_link_paths(), layout.env_paths()];
        parts.app_id |= app_links.iter().any(touches);
        parts.env |= env.iter().any(touches);
        parts.entities |= entities.iter().any(touches);
        parts.functions |= functions.iter().any(touches) && !self.is_mere_code(path);
        let resources = layout.resource_dirs();
        let others: BTreeSet<&PathBuf> = [&entities, &functions, &app_links, &env]
            .into_iter()
            .flatten()
            .chain(&resources)
            .collect();
        parts.layout |= layout
            .inputs()
            .iter()
            .any(|input| touches(input) && !others.contains(input) && !layout.is_shared_dir(input));
    }

    /// The code of a function that stays the same function.
    fn is_mere_code(&self, path: &Path) -> bool {
        let is_entry = |function: &FunctionFile| function.entry == path;
        self.functions.value.iter().any(is_entry) && path.is_file()
    }
}

impl Parts {
    const ALL: Self = Self {
        layout: true,
        app_id: true,
        entities: true,
        functions: true,
        env: true,
    };
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Parts, Snapshot};
    use crate::project::watch::Batch;

    const NONE: Parts = Parts {
        layout: false,
        app_id: false,
        entities: false,
        functions: false,
        env: false,
    };

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn fixture() -> (tempfile::TempDir, Snapshot) {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("base44/config.jsonc", r#"{"name":"x"}"#),
            ("base44/entities/task.jsonc", r#"{"name":"Task"}"#),
            ("base44/functions/hello/entry.ts", ""),
            ("base44/shared/util.ts", ""),
        ] {
            write(folder.path(), file, text);
        }
        let snapshot = Snapshot::read(folder.path()).unwrap();
        (folder, snapshot)
    }

    fn batch(snapshot: &Snapshot, file: &str) -> Batch {
        Batch {
            paths: [snapshot.layout.value.root.join(file)].into(),
            ..Batch::default()
        }
    }

    #[test]
    fn a_save_concerns_only_the_part_that_it_lies_in() {
        let (_folder, snapshot) = fixture();
        let entities = Parts {
            entities: true,
            ..NONE
        };
        let functions = Parts {
            functions: true,
            ..NONE
        };
        for (file, expected) in [
            ("base44/entities/task.jsonc", entities),
            ("base44/entities", entities),
            ("base44/functions/hello/entry.ts", NONE),
            ("base44/functions/hello/function.jsonc", functions),
            ("base44/functions/hello", functions),
            ("base44/shared/util.ts", NONE),
            (".env", Parts { env: true, ..NONE }),
            (
                "base44/.app.jsonc",
                Parts {
                    app_id: true,
                    ..NONE
                },
            ),
            (
                "base44/config.jsonc",
                Parts {
                    layout: true,
                    ..NONE
                },
            ),
            (
                "base44",
                Parts {
                    env: false,
                    ..Parts::ALL
                },
            ),
            ("src/app.ts", NONE),
        ] {
            assert_eq!(snapshot.parts(&batch(&snapshot, file)), expected, "{file}");
        }
    }

    #[test]
    fn a_project_that_is_away_is_as_it_was_and_no_other_takes_its_place() {
        let parent = tempfile::tempdir().unwrap();
        write(parent.path(), "base44/config.jsonc", r#"{"name":"parent"}"#);
        write(parent.path(), "config.json", r#"{"name":"something else"}"#);
        let root = parent.path().join("child");
        write(&root, "config.json", r#"{"name":"something else"}"#);
        write(&root, "base44/config.jsonc", r#"{"name":"child"}"#);
        write(&root, "base44/entities/task.jsonc", r#"{"name":"Task"}"#);
        let mut snapshot = Snapshot::read(&root).unwrap();
        let away = |name: &str| fs::rename(root.join(name), parent.path().join("away"));
        let back = |name: &str| fs::rename(parent.path().join("away"), root.join(name));
        for name in ["base44", "base44/config.jsonc"] {
            away(name).unwrap();
            let refused = snapshot.reread(&batch(&snapshot, name)).unwrap_err();
            assert_eq!(refused.to_string(), "base44/config.jsonc is gone");
            assert_eq!(snapshot.project().layout.config.name, "child");
            assert_eq!(snapshot.project().entities.len(), 1);
            back(name).unwrap();
            snapshot.reread(&batch(&snapshot, name)).unwrap();
            assert_eq!(snapshot.project().layout.config.name, "child");
        }
    }

    #[test]
    fn a_broken_link_to_the_app_leaves_the_one_before_in_force() {
        let (folder, mut snapshot) = fixture();
        let link = "base44/.app.jsonc";
        for (text, id) in [
            (r#"{"id":"a"}"#, Some("a")),
            (r#"{"id":"a""#, Some("a")),
            (r#"{"id":"b"}"#, Some("b")),
            ("{}", Some("b")),
        ] {
            write(folder.path(), link, text);
            snapshot.reread(&batch(&snapshot, link)).unwrap();
            assert_eq!(snapshot.project().app_id.as_deref(), id, "{text}");
        }
        fs::remove_file(folder.path().join(link)).unwrap();
        snapshot.reread(&batch(&snapshot, link)).unwrap();
        assert_eq!(snapshot.project().app_id, None);
    }

    #[test]
    fn a_broken_configuration_leaves_the_one_before_in_force_and_the_rest_readable() {
        let (folder, mut snapshot) = fixture();
        let config = "base44/config.jsonc";
        write(folder.path(), config, "{");
        assert!(snapshot.reread(&batch(&snapshot, config)).is_err());
        write(
            folder.path(),
            "base44/entities/note.jsonc",
            r#"{"name":"Note"}"#,
        );
        let saved = batch(&snapshot, "base44/entities/note.jsonc");
        snapshot.reread(&saved).unwrap();
        let project = snapshot.project();
        assert_eq!(project.entities.len(), 2);
        assert!(project.diagnostics.iter().any(|said| said.file == config));

        write(folder.path(), config, r#"{"name":"y"}"#);
        snapshot.reread(&batch(&snapshot, config)).unwrap();
        let project = snapshot.project();
        assert_eq!(project.layout.config.name, "y");
        assert!(project.diagnostics.is_empty());
    }
}
