//! Functions: every directory below the functions directory with an `entry.ts` or `entry.js`, or with a `function.jsonc` that names its entry.
//! One that cannot be used is reported and left out; the others are not affected.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::diagnose::Diagnostic;
use super::document::{Document, join_clean, relative};
use super::layout::{Layout, Source};
use super::node::Node;
use super::walk::Walk;
use super::{automations, root};

/// Base44 deploys no more than this.
const MAX_DEPLOYED: usize = 50;

/// One backend function as its files define it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionFile {
    /// Unique in the project, without dots; may contain `/`. A plugin's is `<namespace>__<name>`.
    pub(crate) name: String,
    /// The file to run, absolute.
    pub(crate) entry: PathBuf,
    /// Its directory, absolute.
    pub(crate) dir: PathBuf,
    /// Its `function.jsonc`, absolute, where it has one.
    pub(crate) config: Option<PathBuf>,
    /// The items of `automations`, as they stand in the file; `None` where it has no such key.
    pub(crate) automations: Option<Vec<Value>>,
    /// The namespace of the plugin that it comes from.
    pub(crate) plugin: Option<String>,
}

/// A function and a diagnostic at the place of its name, for the case that the name is taken.
type Found = (FunctionFile, Diagnostic);

/// Reads all functions of the project, then those of its plugins.
pub(super) fn read(layout: &Layout, out: &mut Vec<Diagnostic>) -> Vec<FunctionFile> {
    let plugins = layout.sources().filter(|source| source.namespace.is_some());
    let mut functions: Vec<FunctionFile> = Vec::new();
    let mut known: HashMap<String, String> = HashMap::new();
    for source in std::iter::once(layout.project()).chain(plugins) {
        for (mut function, blame) in discover(layout, &source, out) {
            if let Some(namespace) = source.namespace {
                function.name = format!("{namespace}__{}", function.name);
                function.plugin = Some(namespace.to_owned());
            }
            if let Some(first) = known.get(&function.name) {
                out.push(duplicate(blame, &function.name, first));
            } else {
                known.insert(
                    function.name.clone(),
                    relative(&layout.root, &function.entry),
                );
                functions.push(function);
            }
        }
    }
    if functions.len() > MAX_DEPLOYED {
        let file = relative(&layout.root, &layout.functions_dir());
        let message = format!("the project has {} functions", functions.len());
        let problem =
            Diagnostic::warning(file, message).expected(format!("at most {MAX_DEPLOYED}"));
        out.push(problem.hint("all of them run here, but Base44 will not deploy them"));
    }
    functions
}

fn duplicate(blame: Diagnostic, name: &str, first: &str) -> Diagnostic {
    let message = format!("the function `{name}` is already defined by {first}");
    Diagnostic { message, ..blame }.hint(format!(
        "{first} is used and this one is left out: rename or remove one of the two"
    ))
}

fn discover(layout: &Layout, source: &Source<'_>, out: &mut Vec<Diagnostic>) -> Vec<Found> {
    let top = source.functions_dir();
    if !layout.check_dir(&top, source.config.functions_blame.as_ref(), out) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for directory in Walk::below(&top).directories(&layout.root, out) {
        let place = Place {
            root: &layout.root,
            top: &top,
            directory: &directory,
        };
        let mut configs = root::with_stem(&directory, "function");
        configs.sort();
        if configs.is_empty() {
            found.extend(place.bare(out));
        }
        found.extend(
            configs
                .iter()
                .filter_map(|config| place.configured(config, out)),
        );
    }
    found
}

/// A directory that may hold a function.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    root: &'a Path,
    top: &'a Path,
    directory: &'a Path,
}

impl Place<'_> {
    /// The directory's path below the functions directory, which is the function's name where nothing else names it.
    fn path_name(&self) -> String {
        let below = self
            .directory
            .strip_prefix(self.top)
            .unwrap_or(self.directory);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }

    /// `entry.ts`, else `entry.js`.
    fn default_entry(&self, out: &mut Vec<Diagnostic>) -> Option<PathBuf> {
        let mut entries = entries(self.directory).into_iter();
        let first = entries.next()?;
        for other in entries {
            let used = first
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let message = format!("this file is not used: {used} stands beside it");
            out.push(
                Diagnostic::warning(relative(self.root, &other), message)
                    .hint("remove one of the two"),
            );
        }
        Some(first)
    }

    /// A function without `function.jsonc`.
    fn bare(&self, out: &mut Vec<Diagnostic>) -> Option<Found> {
        let entry = self.default_entry(out)?;
        let file = relative(self.root, &entry);
        let name = self.path_name();
        if name.is_empty() {
            let problem = Diagnostic::error(
                file,
                "an entry file directly in the functions directory is not a function",
            );
            let suffix = entry
                .extension()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            out.push(problem.hint(format!(
                "move it into a directory of its own, for example hello/entry.{suffix}"
            )));
            return None;
        }
        if name.contains('.') {
            let problem = Diagnostic::warning(
                file,
                format!("not a function: its directory `{name}` has a dot in its name"),
            );
            out.push(
                problem.hint("rename the directory, or give it a function.jsonc with a `name`"),
            );
            return None;
        }
        if let Some(problem) = refuse(&name) {
            out.push(
                Diagnostic::error(file, format!("`{name}` cannot be a function's name"))
                    .expected(problem),
            );
            return None;
        }
        let blame = Diagnostic::error(file, "");
        Some((self.function(name, entry), blame))
    }

    fn configured(&self, path: &Path, out: &mut Vec<Diagnostic>) -> Option<Found> {
        let document = Document::read_object(self.root, path, out)?;
        let config = Node::root(&document);
        let name = self.configured_name(&config, out);
        let entry = self.configured_entry(&config, out);
        let automations = automations::read(&config, out);
        let blame = config
            .get("name")
            .map_or_else(|| config.error(""), |name| name.error(""));
        let function = FunctionFile {
            config: Some(path.to_owned()),
            automations,
            ..self.function(name?, entry?)
        };
        Some((function, blame))
    }

    fn configured_name(&self, config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Option<String> {
        let Some(given) = config.get("name") else {
            let name = self.path_name();
            if let Some(expected) = refuse(&name) {
                let problem = config
                    .error(format!("the directory `{name}` cannot name the function"))
                    .expected(expected);
                out.push(problem.hint("add \"name\": \"…\""));
                return None;
            }
            return Some(name);
        };
        let name = config.filled_string("name", out)?;
        if let Some(expected) = refuse(name) {
            out.push(given.unexpected(expected));
            return None;
        }
        Some(name.to_owned())
    }

    fn configured_entry(&self, config: &Node<'_>, out: &mut Vec<Diagnostic>) -> Option<PathBuf> {
        let Some(given) = config.get("entry") else {
            let found = self.default_entry(out);
            if found.is_none() {
                let problem = config
                    .error("the function has no code")
                    .expected("`entry`, or a file entry.ts or entry.js beside this one");
                out.push(problem);
            }
            return found;
        };
        let path = join_clean(self.directory, config.filled_string("entry", out)?);
        if path.is_file() {
            return Some(path);
        }
        let problem = given.error(format!("there is no file {}", relative(self.root, &path)));
        out.push(
            problem.hint(
                "create it, or correct the path: it is relative to the directory of this file",
            ),
        );
        None
    }

    fn function(&self, name: String, entry: PathBuf) -> FunctionFile {
        FunctionFile {
            name,
            entry,
            dir: self.directory.to_owned(),
            config: None,
            automations: None,
            plugin: None,
        }
    }
}

/// `entry.ts` and `entry.js` of a directory, in that order; the suffix is matched without regard to case.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_code = |path: &PathBuf| root::has_suffix(path, "ts") || root::has_suffix(path, "js");
    let mut found: Vec<PathBuf> = listed
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_stem().is_some_and(|stem| stem == "entry") && is_code(path) && path.is_file()
        })
        .collect();
    found.sort_by_key(|path| (!root::has_suffix(path, "ts"), path.clone()));
    found
}

/// What a name would have to be, when it cannot be one.
pub(super) fn refuse(name: &str) -> Option<&'static str> {
    if name.contains('.') {
        return Some("a name without dots");
    }
    let bad = name.split('/').any(|part| part.trim().is_empty())
        || name.contains(|c: char| c.is_control() || c == '\\');
    bad.then_some("a name, or names with single slashes between them")
}
