//! What is deployed of a function: the code in its folder, all shared code, and whatever else of the project it imports.
//!
//! The official tool sends the first two (released 0.1.18); without the third such a function would not start.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::diagnose::{Diagnostic, Place};
use super::document::{join_clean, relative};
use super::functions::FunctionFile;
use super::layout::Layout;
use super::walk::{self, Walk};

/// What the platform takes as code, matched with regard to case as the official tool does.
const DEPLOYED: [&str; 4] = ["js", "ts", "json", "jsonc"];

/// The largest file that is sent, in bytes.
const MAX_BYTES: u64 = 8 << 20;

/// The files of one function, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// The file to run, as `files` names it.
    pub(crate) entry: String,
    /// The function's own first, then the shared ones, then what it imports besides; each by path.
    pub(crate) files: Vec<BundleFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BundleFile {
    /// Relative to the function's folder, with `/`; `../../shared/x.ts` for a shared file.
    pub(crate) path: String,
    /// Its text, byte for byte.
    pub(crate) content: String,
}

/// Collects the files of `function`. Files that cannot be sent, and imports that leave the folder of the project's
/// configuration, are reported as errors in `out`; then the bundle is of no use.
pub(crate) fn bundle(
    layout: &Layout,
    function: &FunctionFile,
    out: &mut Vec<Diagnostic>,
) -> Bundle {
    let (base, functions_dir) = home(layout, function);
    let shared = join_clean(&functions_dir, "../shared");
    let mut open: Vec<PathBuf> = Vec::new();
    for folder in [&function.dir, &shared] {
        if folder.is_dir() {
            open.extend(code_below(&layout.root, folder, out));
        }
    }
    let mut collection = Collection {
        layout,
        function,
        homes: [&base, &functions_dir, &shared],
        known: HashSet::new(),
        files: Vec::new(),
    };
    // An entry outside the folder or of another suffix is code all the same.
    open.push(function.entry.clone());
    let mut next = 0;
    while let Some(path) = open.get(next).cloned() {
        next += 1;
        open.extend(collection.add(&path, out));
    }
    Bundle {
        entry: relative(&function.dir, &function.entry),
        files: collection.files,
    }
}

/// The folder that imports must not leave, and the functions folder, of the project or of the plugin it comes from.
fn home(layout: &Layout, function: &FunctionFile) -> (PathBuf, PathBuf) {
    let mut sources = layout.sources();
    let of = sources.find(|source| source.namespace == function.plugin.as_deref());
    let of = of.unwrap_or_else(|| layout.project());
    (of.config_dir.to_owned(), of.functions_dir())
}

fn code_below(root: &Path, folder: &Path, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let directories = Walk::below(folder).directories(root, out);
    let mut files = Vec::new();
    for directory in directories {
        files.extend(
            walk::list(root, &directory, out)
                .into_iter()
                .filter(|path| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let suffix = path.extension().unwrap_or_default().to_string_lossy();
                    !name.starts_with('.') && DEPLOYED.contains(&suffix.as_ref()) && path.is_file()
                }),
        );
    }
    files.sort();
    files
}

struct Collection<'a> {
    layout: &'a Layout,
    function: &'a FunctionFile,
    /// What imports must not leave: the configuration's folder, and the two others, which may lie outside it.
    homes: [&'a Path; 3],
    known: HashSet<PathBuf>,
    files: Vec<BundleFile>,
}

impl Collection<'_> {
    /// Adds a file, once, and returns what it imports.
    fn add(&mut self, path: &Path, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
        if !self.known.insert(path.to_owned()) {
            return Vec::new();
        }
        let file = relative(&self.layout.root, path);
        let content = match read(path) {
            Ok(content) => content,
            Err(reason) => {
                out.push(Diagnostic::error(file, reason));
                return Vec::new();
            }
        };
        let imports = self.imports(path, &content, out);
        self.files.push(BundleFile {
            path: relative(&self.function.dir, path),
            content,
        });
        imports
    }

    /// The files of the project that a file imports; those outside it are reported.
    fn imports(&self, path: &Path, content: &str, out: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
        if path
            .extension()
            .is_some_and(|suffix| ["json", "jsonc"].iter().any(|data| suffix == *data))
        {
            return Vec::new();
        }
        let folder = path.parent().unwrap_or(path);
        let mut inside = Vec::new();
        for (name, target) in runner::graph::imported_files(content, folder) {
            if self.homes.iter().any(|home| target.starts_with(home)) {
                inside.extend(Some(target).filter(|target| target.is_file()));
            } else {
                out.push(self.leaves(path, content, &name));
            }
        }
        inside
    }

    fn leaves(&self, path: &Path, content: &str, name: &str) -> Diagnostic {
        let base = relative(&self.layout.root, self.homes[0]);
        let file = relative(&self.layout.root, path);
        let mut problem = Diagnostic::error(file, format!("the import {name:?} leaves {base}/"));
        problem.place = content
            .find(name)
            .map(|offset| Place::of(content, offset, name.len()));
        problem.hint(format!(
            "only code in {base}/ is deployed: move the file to {}",
            relative(&self.layout.root, &self.layout.shared_dir())
        ))
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
    if size > MAX_BYTES {
        return Err(format!(
            "the file has {size} bytes; at most {MAX_BYTES} are sent"
        ));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read the file: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())
}
