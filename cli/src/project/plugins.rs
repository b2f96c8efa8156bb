//! Plugins: other Base44 projects whose entities and functions this one takes in, from a path or from an npm package.

use std::path::{Path, PathBuf};

use super::config::{self, Config, PluginSource};
use super::diagnose::Diagnostic;
use super::document::{join_clean, relative};
use super::layout::Source;
use super::root;

/// A plugin that could be loaded.
#[derive(Debug, Clone)]
pub(crate) struct Plugin {
    /// Prefixes the plugin's functions, as `<namespace>__<name>`; unique in the project.
    pub(crate) namespace: String,
    /// As the project's configuration names it.
    pub(crate) source: String,
    /// Its own root, absolute.
    pub(crate) root: PathBuf,
    /// Its configuration file, absolute.
    pub(crate) config_path: PathBuf,
    /// The directory of that file.
    pub(crate) config_dir: PathBuf,
    /// What it says.
    pub(crate) config: Config,
}

impl Plugin {
    pub(super) fn source(&self) -> Source<'_> {
        Source {
            namespace: Some(&self.namespace),
            config_dir: &self.config_dir,
            config: &self.config,
        }
    }
}

/// Loads the configuration's plugins. One that cannot be used is reported and left out.
pub(super) fn read(
    root: &Path,
    config_dir: &Path,
    config: &Config,
    out: &mut Vec<Diagnostic>,
) -> Vec<Plugin> {
    let mut plugins: Vec<Plugin> = Vec::new();
    for source in &config.plugins {
        let Some(plugin) = load(root, config_dir, source, out) else {
            continue;
        };
        match plugins
            .iter()
            .find(|known| known.namespace == plugin.namespace)
        {
            None => plugins.push(plugin),
            Some(known) => {
                let message = format!(
                    "the plugins {:?} and {:?} have the same namespace `{}`",
                    known.source, plugin.source, plugin.namespace
                );
                out.push(blame(source, message).hint("the first one is used; remove the other"));
            }
        }
    }
    plugins
}

fn load(
    root: &Path,
    config_dir: &Path,
    source: &PluginSource,
    out: &mut Vec<Diagnostic>,
) -> Option<Plugin> {
    let directory = locate(config_dir, source, out)?;
    let Some(found) = root::at(&directory) else {
        let message = format!("{} holds no Base44 project", relative(root, &directory));
        out.push(blame(source, message).expected("base44/config.jsonc or config.jsonc in it"));
        return None;
    };
    let config = config::read(root, &found.config_path, out)?;
    let file = relative(root, &found.config_path);
    if !config.plugins.is_empty() {
        let message = "a plugin cannot have plugins of its own";
        out.push(
            Diagnostic::error(file, message)
                .hint(format!("the plugin {:?} is left out", source.source)),
        );
        return None;
    }
    let Some(namespace) = config.plugin_namespace.clone() else {
        let message = format!(
            "the project loads this one as a plugin, {:?}, but it is none",
            source.source
        );
        out.push(
            Diagnostic::error(file, message)
                .expected("`plugin.namespace`")
                .hint("add \"plugin\": { \"namespace\": \"…\" }"),
        );
        return None;
    };
    Some(Plugin {
        namespace,
        source: source.source.clone(),
        config_dir: found.config_path.parent().unwrap_or(&found.root).to_owned(),
        config_path: found.config_path,
        root: found.root,
        config,
    })
}

fn is_path(name: &str) -> bool {
    name.starts_with('.') || Path::new(name).is_absolute()
}

/// Where a plugin that is not there would most likely appear.
pub(super) fn expected_at(root: &Path, config_dir: &Path, name: &str) -> PathBuf {
    if is_path(name) {
        join_clean(config_dir, name)
    } else {
        join_clean(&root.join("node_modules"), name)
    }
}

/// The plugin's directory: a path, or a package in the nearest `node_modules` that has it.
fn locate(config_dir: &Path, source: &PluginSource, out: &mut Vec<Diagnostic>) -> Option<PathBuf> {
    let name = source.source.as_str();
    let (found, hint) = if is_path(name) {
        let directory = join_clean(config_dir, name);
        (
            directory.is_dir().then_some(directory),
            "the path is relative to the directory of this file",
        )
    } else {
        let mut packages = config_dir
            .ancestors()
            .map(|above| join_clean(&above.join("node_modules"), name));
        (
            packages.find(|package| package.join("package.json").is_file()),
            "install the package, for example with `npm install`",
        )
    };
    if found.is_none() {
        out.push(blame(source, format!("the plugin {name:?} was not found")).hint(hint));
    }
    found
}

fn blame(source: &PluginSource, message: String) -> Diagnostic {
    Diagnostic {
        message,
        ..source.blame.clone()
    }
}
