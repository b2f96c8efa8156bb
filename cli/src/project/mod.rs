//! Reads a Base44 project from disk into checked values. Every mistake is a [`Diagnostic`] with file, line, column, what was expected and
//! a hint; one reading reports all of them. Only a broken configuration stops it: any other file that cannot be used is left out.

mod app_link;
mod automations;
mod bundle;
mod config;
mod diagnose;
mod document;
mod entities;
mod env;
pub(crate) mod env_edit;
mod extension;
mod frame;
mod functions;
pub(crate) mod imports;
mod layout;
mod node;
mod plugins;
mod resources;
mod root;
mod rules;
mod scan;
mod schema;
pub(crate) mod snapshot;
mod stamp;
mod syntax;
pub(crate) mod tsconfig;
mod walk;
pub(crate) mod watch;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub(crate) use bundle::{Bundle, BundleFile, bundle};
pub(crate) use config::Visibility;
pub(crate) use diagnose::{Diagnostic, Severity};
pub(crate) use entities::EntityFile;
pub(crate) use functions::FunctionFile;
pub(crate) use layout::Layout;
pub(crate) use resources::Resources;

/// A project, as far as it can be used.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// Where its parts lie, and its configuration.
    pub(crate) layout: Layout,
    /// The linked app's id; `None` for a project that is not linked.
    pub(crate) app_id: Option<String>,
    /// Plugins' entities first, then the project's by path.
    pub(crate) entities: Vec<EntityFile>,
    /// The project's functions by path, then the plugins'.
    pub(crate) functions: Vec<FunctionFile>,
    /// Variables that the project's files add to the environment of the server.
    pub(crate) env: Vec<(String, String)>,
    /// Everything wrong with it.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// One part of a project, and what is wrong with that part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading<T> {
    /// What could be read.
    pub(crate) value: T,
    /// What could not, and why.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<T> Reading<T> {
    fn of(read: impl FnOnce(&mut Vec<Diagnostic>) -> T) -> Self {
        let mut diagnostics = Vec::new();
        let value = read(&mut diagnostics);
        diagnose::sort(&mut diagnostics);
        Self { value, diagnostics }
    }
}

/// Why there is no project to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ReadError {
    /// The directory to start in cannot be entered.
    #[error("cannot open the directory {}", .dir.display())]
    Start {
        /// As it was given.
        dir: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Neither the directory nor one above it has a project configuration.
    #[error("no Base44 project in {} or a directory above it; expected base44/config.jsonc", .dir.display())]
    NotFound {
        /// Absolute.
        dir: PathBuf,
    },
    /// The configuration of a project that is served is not there any more.
    #[error("{config} is gone")]
    Gone {
        /// Relative to the project.
        config: String,
    },
    /// The project's configuration cannot be used. `diagnostics` has all mistakes of that file.
    #[error("the project's configuration has mistakes")]
    Config {
        /// The project root, absolute.
        root: PathBuf,
        /// At least one error.
        diagnostics: Vec<Diagnostic>,
    },
}

impl ReadError {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Start { .. } => "check the path and its permissions",
            Self::NotFound { .. } => {
                "run this in the folder of a project, or make a project of this one: backlot init"
            }
            Self::Gone { .. } => "put it back",
            Self::Config { .. } => "correct the configuration and try again",
        }
    }
}

/// Reads the project that `start` lies in.
///
/// # Errors
///
/// When there is none, or its configuration cannot be used.
pub(crate) fn read(start: &Path) -> Result<Project, ReadError> {
    read_with(start, ambient)
}

/// [`read`] with another environment in place of the process's own.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_with(
    start: &Path,
    ambient: impl Fn(&str) -> Option<String>,
) -> Result<Project, ReadError> {
    let Reading {
        value: layout,
        mut diagnostics,
    } = read_layout(start)?;
    let out = &mut diagnostics;
    let app_id = app_link::read(&layout.root, &layout.config_dir, out);
    let entities = entities::read(&layout, &mut entities::Files::default(), out);
    let functions = functions::read(&layout, out);
    let env = env::read(&layout.root, ambient, out);
    diagnose::sort(&mut diagnostics);
    Ok(Project {
        layout,
        app_id,
        entities,
        functions,
        env,
        diagnostics,
    })
}

/// Reads the configuration only, plugins' included: what everything else is read from.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_layout(start: &Path) -> Result<Reading<Layout>, ReadError> {
    let dir = enter(start).map_err(|source| ReadError::Start {
        dir: start.to_owned(),
        source,
    })?;
    let found = root::find(&dir).ok_or(ReadError::NotFound { dir })?;
    layout_of(found)
}

/// Reads the configuration of this very project again, and of no other that is found where it was.
///
/// # Errors
///
/// When it is gone, or cannot be used.
pub(crate) fn reread_layout(layout: &Layout) -> Result<Reading<Layout>, ReadError> {
    layout_of(layout.find_again()?)
}

fn layout_of(found: root::Found) -> Result<Reading<Layout>, ReadError> {
    let root::Found {
        root,
        config_path,
        ignored,
    } = found;
    let mut diagnostics = Vec::new();
    for other in ignored {
        let used = document::relative(&root, &config_path);
        let message = format!("this file is not read: {used} stands beside it");
        diagnostics.push(
            Diagnostic::warning(document::relative(&root, &other), message)
                .hint("remove one of the two"),
        );
    }
    let Some(config) = config::read(&root, &config_path, &mut diagnostics) else {
        diagnose::sort(&mut diagnostics);
        return Err(ReadError::Config { root, diagnostics });
    };
    let config_dir = config_path.parent().unwrap_or(&root).to_owned();
    let plugins = plugins::read(&root, &config_dir, &config, &mut diagnostics);
    let value = Layout {
        root,
        config_path,
        config_dir,
        config,
        plugins,
    };
    Ok(Reading { value, diagnostics })
}

/// Reads the entities again.
pub(crate) fn read_entities(layout: &Layout) -> Reading<Vec<EntityFile>> {
    Reading::of(|out| entities::read(layout, &mut entities::Files::default(), out))
}

/// Reads the functions again.
pub(crate) fn read_functions(layout: &Layout) -> Reading<Vec<FunctionFile>> {
    Reading::of(|out| functions::read(layout, out))
}

/// Reads the names of what is deployed with the project but not served locally.
pub(crate) fn read_resources(layout: &Layout) -> Reading<Resources> {
    Reading::of(|out| resources::read(layout, out))
}

/// Why `name` cannot be a function's, as what it would have to be.
pub(crate) fn refuse_function_name(name: &str) -> Option<&'static str> {
    functions::refuse(name)
}

/// Whether `name` can be an entity's.
pub(crate) fn is_entity_name(name: &str) -> bool {
    entities::is_name(name)
}

/// Reads the environment files again.
pub(crate) fn read_env(layout: &Layout) -> Reading<Vec<(String, String)>> {
    Reading::of(|out| env::read(&layout.root, ambient, out))
}

/// Reads one file of variables, wherever it lies.
pub(crate) fn read_env_file(path: &Path) -> Reading<Vec<(String, String)>> {
    let file = path.to_string_lossy();
    Reading::of(|out| {
        let text = document::read_text(&file, path, out);
        text.map_or_else(Vec::new, |text| env::parse(&file, &text, out))
    })
}

/// Reads the link to the deployed app again.
pub(crate) fn read_app_id(layout: &Layout) -> Reading<Option<String>> {
    Reading::of(|out| app_link::read(&layout.root, &layout.config_dir, out))
}

fn ambient(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn enter(start: &Path) -> io::Result<PathBuf> {
    let dir = std::fs::canonicalize(start)?;
    std::fs::read_dir(&dir)?;
    Ok(dir)
}
