//! A new project: its configuration, which knows the frontend that is there already, and what version control is to pass
//! over.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::NewFile;

/// What belongs to one machine or can be made again.
const IGNORED: &str = ".app.jsonc\n.types/\n";

/// The same in the project's root: secrets and packages.
const IGNORED_AROUND: &str = ".env.local\nnode_modules/\n";

/// What is known of a frontend from its `package.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frontend {
    name: Option<String>,
    has_dev: bool,
    has_build: bool,
    is_vite: bool,
}

impl Frontend {
    /// Reads the `package.json` of `folder`; none, or one that cannot be read, is no frontend.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join("package.json")).ok()?;
        let package: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        let has = |group: &str, name: &str| package[group][name].is_string();
        Some(Self {
            name: package["name"].as_str().map(str::to_owned),
            has_dev: has("scripts", "dev"),
            has_build: has("scripts", "build"),
            is_vite: has("devDependencies", "vite") || has("dependencies", "vite"),
        })
    }

    /// Whether `backlot dev` will run it.
    pub(crate) const fn is_served(&self) -> bool {
        self.has_dev
    }
}

/// The name of an app in `folder`, which nobody named.
pub(crate) fn name(folder: &Path, frontend: Option<&Frontend>) -> String {
    let of_package = frontend.and_then(|frontend| frontend.name.clone());
    let of_folder = || Some(folder.file_name()?.to_string_lossy().into_owned());
    of_package
        .or_else(of_folder)
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| "My app".to_owned())
}

/// The files of a project called `name` in `folder`.
pub(crate) fn files(folder: &Path, name: &str, frontend: Option<&Frontend>) -> Vec<NewFile> {
    let base44 = folder.join("base44");
    let mut files = vec![NewFile {
        path: base44.join("config.jsonc"),
        text: config(name, frontend),
    }];
    let ignores = [(base44, IGNORED), (folder.to_owned(), IGNORED_AROUND)];
    for (folder, text) in ignores {
        let path = folder.join(".gitignore");
        if !path.exists() {
            files.push(NewFile {
                path,
                text: text.to_owned(),
            });
        }
    }
    files
}

fn config(name: &str, frontend: Option<&Frontend>) -> String {
    let mut text = format!(
        "// The project, as Base44 knows it. Comments and trailing commas are welcome.\n{{\n  \"name\": {}",
        json!(name)
    );
    if let Some(frontend) = frontend.filter(|frontend| frontend.has_dev) {
        let mut site = vec![("installCommand", "npm install")];
        site.extend(
            frontend
                .has_build
                .then_some(("buildCommand", "npm run build")),
        );
        site.push(("serveCommand", "npm run dev"));
        site.extend(frontend.is_vite.then_some(("outputDirectory", "dist")));
        let lines: Vec<String> = site
            .iter()
            .map(|(key, value)| format!("    {}: {}", json!(key), json!(value)))
            .collect();
        text.push_str(&format!(
            ",\n\n  // `serveCommand` is what `backlot dev` runs beside the backend.\n  \"site\": {{\n{}\n  }}",
            lines.join(",\n")
        ));
    }
    text.push_str("\n}\n");
    text
}
