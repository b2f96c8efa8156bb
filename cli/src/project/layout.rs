//! Where the parts of a project lie, once its configuration and those of its plugins have been read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ReadError;
use super::config::Config;
use super::diagnose::Diagnostic;
use super::document::{join_clean, relative};
use super::plugins::{self, Plugin};
use super::root::{self, Found};

/// A project's configuration and directories. Its parts can be read again from it one by one.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The project root, absolute: where `.env` lies and the frontend is started.
    pub(crate) root: PathBuf,
    /// The configuration file, absolute.
    pub(crate) config_path: PathBuf,
    /// The directory of the configuration file: the base of all directories it names.
    pub(crate) config_dir: PathBuf,
    /// What the configuration says.
    pub(crate) config: Config,
    /// The plugins that could be loaded, in the order of the configuration.
    pub(crate) plugins: Vec<Plugin>,
}

/// One place that entities and functions come from: the project or a plugin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// `None` for the project itself.
    pub(super) namespace: Option<&'a str>,
    pub(super) config_dir: &'a Path,
    pub(super) config: &'a Config,
}

impl Source<'_> {
    pub(super) fn entities_dir(&self) -> PathBuf {
        join_clean(self.config_dir, &self.config.entities_dir)
    }

    pub(super) fn functions_dir(&self) -> PathBuf {
        join_clean(self.config_dir, &self.config.functions_dir)
    }

    fn shared_dir(&self) -> PathBuf {
        join_clean(&self.functions_dir(), "../shared")
    }
}

impl Layout {
    /// The project's own directory of entity schemas.
    pub(crate) fn entities_dir(&self) -> PathBuf {
        self.project().entities_dir()
    }

    /// The project's own directory of functions.
    pub(crate) fn functions_dir(&self) -> PathBuf {
        self.project().functions_dir()
    }

    /// The directory of code that all functions share, beside the functions directory.
    pub(crate) fn shared_dir(&self) -> PathBuf {
        self.project().shared_dir()
    }

    /// The directory of generated types, where the official tool has it.
    pub(crate) fn types_dir(&self) -> PathBuf {
        self.config_dir.join(".types")
    }

    /// The configuration of this very project, and of no other that is found where it was.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub(super) fn find_again(&self) -> Result<Found, ReadError> {
        let found = root::at(&self.root)
            .filter(|found| found.config_path.parent() == Some(&self.config_dir));
        found.ok_or_else(|| ReadError::Gone {
            config: self.relative(&self.config_path),
        })
    }

    /// `path` as seen from the project's root, with `/` between its parts.
    pub(crate) fn relative(&self, path: &Path) -> String {
        relative(&self.root, path)
    }

    /// Everything whose change can change what was read: directories with all they contain, and single files, whether they exist or not.
    pub(crate) fn inputs(&self) -> Vec<PathBuf> {
        let mut inputs = vec![self.config_path.clone()];
        inputs.extend(self.env_paths());
        inputs.extend(self.app_link_paths());
        inputs.extend(self.plugins.iter().map(|plugin| plugin.config_path.clone()));
        inputs.extend(self.missing_plugins());
        inputs.extend(self.entity_dirs());
        inputs.extend(self.resource_dirs());
        inputs.extend(self.code_dirs());
        inputs
    }

    /// The files that add to the environment.
    pub(super) fn env_paths(&self) -> Vec<PathBuf> {
        vec![self.root.join(".env.local"), self.root.join(".env")]
    }

    /// The files that may link the project to an app.
    pub(super) fn app_link_paths(&self) -> Vec<PathBuf> {
        vec![
            self.config_dir.join(".app.jsonc"),
            self.config_dir.join(".app.json"),
        ]
    }

    /// Directories of entity schemas, the plugins' included.
    pub(crate) fn entity_dirs(&self) -> Vec<PathBuf> {
        self.sources().map(|source| source.entities_dir()).collect()
    }

    /// Directories of the project's agents, connectors and actors, in this order. Plugins have none.
    pub(super) fn resource_dirs(&self) -> [PathBuf; 3] {
        let config = &self.config;
        [
            &config.agents_dir,
            &config.connectors_dir,
            &config.actors_dir,
        ]
        .map(|directory| join_clean(&self.config_dir, directory))
    }

    /// Directories of functions, the plugins' included.
    pub(crate) fn function_dirs(&self) -> Vec<PathBuf> {
        self.sources()
            .map(|source| source.functions_dir())
            .collect()
    }

    /// These, and the code that each of them shares.
    fn code_dirs(&self) -> impl Iterator<Item = PathBuf> {
        self.sources()
            .flat_map(|source| [source.functions_dir(), source.shared_dir()])
    }

    /// Directories outside the project that functions come from: plugins, and those that the configuration places there.
    ///
    /// With their real names beside the others, for which code may ask as well. What the project lies in is not one of
    /// them, whatever the configuration says: it is not for functions to read.
    pub(crate) fn code_folders(&self) -> Vec<PathBuf> {
        let plugins = self.plugins.iter().map(|plugin| plugin.root.clone());
        let named: Vec<PathBuf> = plugins.chain(self.code_dirs()).collect();
        let real = named.iter().filter_map(|folder| folder.canonicalize().ok());
        let mut folders: BTreeSet<PathBuf> = real.collect();
        folders.extend(named);
        folders.retain(|folder| !folder.starts_with(&self.root) && !self.root.starts_with(folder));
        folders.into_iter().collect()
    }

    /// True for directories of code that functions share: saved there, it makes no function and ends none.
    pub(super) fn is_shared_dir(&self, directory: &Path) -> bool {
        self.sources()
            .any(|source| source.shared_dir() == directory)
    }

    /// What would have to be there for the plugins that could not be loaded.
    fn missing_plugins(&self) -> impl Iterator<Item = PathBuf> {
        let is_missing = |name: &str| !self.plugins.iter().any(|plugin| plugin.source == name);
        let sources = self
            .config
            .plugins
            .iter()
            .map(|plugin| plugin.source.as_str());
        sources
            .filter(move |name| is_missing(name))
            .flat_map(|name| {
                let folder = plugins::expected_at(&self.root, &self.config_dir, name);
                [
                    "base44/config.jsonc",
                    "base44/config.json",
                    "config.jsonc",
                    "config.json",
                ]
                .map(|file| folder.join(file))
            })
    }

    /// The plugins, then the project.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.plugins
            .iter()
            .map(Plugin::source)
            .chain([self.project()])
    }

    pub(super) fn project(&self) -> Source<'_> {
        Source {
            namespace: None,
            config_dir: &self.config_dir,
            config: &self.config,
        }
    }

    /// True when `directory` can be read. A missing one is only reported where the configuration names it, at `blame`.
    pub(super) fn check_dir(
        &self,
        directory: &Path,
        blame: Option<&Diagnostic>,
        out: &mut Vec<Diagnostic>,
    ) -> bool {
        if directory.is_dir() {
            return true;
        }
        let name = relative(&self.root, directory);
        if directory.exists() {
            out.push(Diagnostic::error(name, "this is a file").expected("a directory"));
        } else if let Some(blame) = blame {
            let message = format!("there is no directory {name}");
            let hint =
                "create it, or correct the path: it is relative to the directory of this file";
            out.push(
                Diagnostic {
                    message,
                    ..blame.clone()
                }
                .hint(hint),
            );
        }
        false
    }
}
