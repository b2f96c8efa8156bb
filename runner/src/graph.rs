//! Which files a function consists of, so that a save touches exactly the functions that use the saved file.
//!
//! Errs on the side of too many: every relative path that stands as a string in the code counts, as do all files in the
//! function's own folder.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs,
    path::{Component, Path, PathBuf},
};

use crate::scan;

/// Files that are followed; a function with more of its own code is a mistake, such as an import of a build folder.
const FILES: usize = 2000;

/// Bytes of a file that are read; longer ones are bundles and import nothing of the project.
const FILE_LIMIT: u64 = 2 * 1024 * 1024;

/// Bytes that are read in all.
const ALL_FILES: u64 = 64 * 1024 * 1024;

/// The files of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    files: HashSet<PathBuf>,
    folder: PathBuf,
    /// Folders of other functions inside the folder.
    foreign: Vec<PathBuf>,
    /// Where, when something is imported whose name only running the code can tell, or more than is followed.
    anything_below: Vec<PathBuf>,
}

impl Graph {
    /// Reads the imports of `entry` and of everything below `roots` that it imports. `others` are the entries of other
    /// functions, whose folders may lie inside this one's. A file that cannot be read is part of the graph all the same,
    /// so that its creation is noticed.
    #[must_use]
    pub fn scan<'a>(
        entry: &Path,
        roots: &[PathBuf],
        others: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Self {
        let folder = entry.parent().unwrap_or(entry).to_owned();
        let foreign = others
            .into_iter()
            .filter_map(|other| other.parent())
            .filter(|other| *other != folder && other.starts_with(&folder))
            .map(Path::to_owned)
            .collect();
        let mut graph = Self {
            files: HashSet::new(),
            folder,
            foreign,
            anything_below: Vec::new(),
        };
        graph.follow(entry, roots);
        graph
    }

    /// The entry and all that is imported, but for the rest of the function's own folder.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter()
    }

    /// Whether a change of `path` may change what the function does. A folder that came or went stands for its files.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        self.files.contains(path)
            || self.files.iter().any(|file| file.starts_with(path))
            || (is_own(path) && path.starts_with(&self.folder) && !self.is_foreign(path))
            || self
                .anything_below
                .iter()
                .any(|root| is_code(path) && path.starts_with(root))
    }

    fn is_foreign(&self, path: &Path) -> bool {
        self.foreign.iter().any(|folder| path.starts_with(folder))
    }

    fn follow(&mut self, entry: &Path, roots: &[PathBuf]) {
        let mut open = vec![entry.to_owned()];
        let mut left = ALL_FILES;
        while let Some(file) = open.pop() {
            if self.files.len() >= FILES || left == 0 {
                self.anything_below = roots.to_vec();
                return;
            }
            if !self.files.insert(file.clone()) || !is_code(&file) {
                continue;
            }
            let Some(text) = read(&file) else { continue };
            left = left.saturating_sub(u64::try_from(text.len()).unwrap_or(u64::MAX));
            let found = scan::scan(&text);
            if found.computed_import {
                self.anything_below = roots.to_vec();
            }
            let folder = file.parent().unwrap_or(&file);
            let paths = found
                .strings
                .iter()
                .filter_map(|text| resolve(text, folder));
            open.extend(paths.filter(|path| roots.iter().any(|root| path.starts_with(root))));
        }
    }
}

/// The files that the code `text` of a file in `folder` imports by path, with what it calls them; packages, URLs and
/// names that only running the code can tell are left out.
#[must_use]
pub fn imported_files(text: &str, folder: &Path) -> Vec<(String, PathBuf)> {
    let imports = scan::scan(text).imports.into_iter();
    let resolved = imports.filter_map(|name| resolve(&name, folder).map(|path| (name, path)));
    resolved.collect()
}

fn read(file: &Path) -> Option<String> {
    let meta = fs::metadata(file).ok()?;
    if !meta.is_file() || meta.len() > FILE_LIMIT {
        return None;
    }
    let bytes = fs::read(file).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file that a string in the code of a file in `folder` names.
fn resolve(text: &str, folder: &Path) -> Option<PathBuf> {
    let path = text.strip_prefix("file://").unwrap_or(text);
    let path = path.split(['?', '#']).next()?;
    let starts = ["./", "../", "/"];
    if path.len() < 3 || !starts.iter().any(|start| path.starts_with(start)) {
        return None;
    }
    Some(normal(&folder.join(unescape(path))))
}

/// Resolves `.` and `..` by name alone, as a module loader does.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => parts.push(part),
        }
    }
    parts
}

/// `%20` and the like, as they occur in module specifiers.
fn unescape(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_code(path: &Path) -> bool {
    const CODE: [&str; 9] = ["ts", "js", "mts", "mjs", "cts", "cjs", "tsx", "jsx", "json"];
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| CODE.contains(&extension))
}

/// Whether a file in a function's folder is the user's and not an editor's scratch file.
fn is_own(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        return false;
    };
    name.contains('.')
        && !name.starts_with(['.', '#'])
        && ![".swp", ".swx", ".tmp", ".bak", "~"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, slice::from_ref};

    use super::Graph;

    fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = folder.path().to_owned();
        (folder, root)
    }

    #[test]
    fn a_function_consists_of_its_folder_and_of_all_that_it_imports() {
        let (_kept, root) = project(&[
            ("f/a/entry.ts", "import x from '../../shared/x.ts';"),
            ("f/a/b/entry.ts", "import '../../../shared/z.ts'"),
            (
                "shared/x.ts",
                "export * from \"./deep/y.ts?v=1\"; import './not%20yet.ts'",
            ),
            (
                "shared/deep/y.ts",
                "import '../x.ts'; import 'npm:left-pad'",
            ),
            ("shared/z.ts", ""),
        ]);
        let others = [root.join("f/a/b/entry.ts")];
        let graph = Graph::scan(&root.join("f/a/entry.ts"), from_ref(&root), &others);
        for (path, expected) in [
            ("f/a/entry.ts", true),
            ("f/a/page.html", true),
            ("f/a/.entry.ts.swp", false),
            ("f/a/4913", false),
            ("f/a/b/entry.ts", false),
            ("shared/x.ts", true),
            ("shared/deep/y.ts", true),
            ("shared/not yet.ts", true),
            ("shared/z.ts", false),
        ] {
            assert_eq!(graph.contains(&root.join(path)), expected, "{path}");
        }
    }

    #[test]
    fn an_import_by_computed_name_may_be_of_any_code() {
        let (_kept, root) = project(&[("f/a/entry.ts", "await import(`../${name}.ts`)")]);
        let graph = Graph::scan(&root.join("f/a/entry.ts"), from_ref(&root), &[]);
        assert!(graph.contains(&root.join("shared/x.ts")));
        assert!(!graph.contains(&root.join("README.md")));
    }

    #[test]
    fn more_than_is_followed_may_be_of_any_code() {
        let imports = |from: usize| {
            let name = |n| format!("import '../../shared/{n}.ts';");
            (from..super::FILES).map(name).collect::<String>()
        };
        for (from, expected) in [(0, true), (1, false)] {
            let (_kept, root) = project(&[("f/a/entry.ts", &imports(from))]);
            let graph = Graph::scan(&root.join("f/a/entry.ts"), from_ref(&root), &[]);
            assert_eq!(graph.contains(&root.join("other.ts")), expected, "{from}");
        }
    }

    #[test]
    fn files_outside_the_project_are_not_followed() {
        let (_kept, root) = project(&[("p/entry.ts", "import '/etc/hosts'; import '../x.ts'")]);
        let graph = Graph::scan(&root.join("p/entry.ts"), &[root.join("p")], &[]);
        assert!(!graph.contains("/etc/hosts".as_ref()));
        assert!(!graph.contains(&root.join("x.ts")));
        let both = [root.join("p"), root.clone()];
        let graph = Graph::scan(&root.join("p/entry.ts"), &both, &[]);
        assert!(!graph.contains("/etc/hosts".as_ref()));
        assert!(graph.contains(&root.join("x.ts")));
    }
}
