//! A temporary project, in a temporary user's home: nothing of the developer's own login, cache or state is seen or touched.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Files of a project, and the folders of a user of its own. Removed when dropped.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    root: PathBuf,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    /// A project that is nothing but its name.
    #[must_use]
    pub fn new() -> Self {
        Self::empty().config(&json!({ "name": "Under test" }))
    }

    /// No project at all, only its folder.
    #[must_use]
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("backlot-it-")
            .tempdir()
            .expect("the system has temporary folders");
        for name in ["home", "state", "cache", "run", "tmp", "project"] {
            fs::create_dir(folder.path().join(name)).expect("a new folder can be filled");
        }
        // The real path, as the server names it.
        let root = fs::canonicalize(folder.path().join("project")).expect("it was just made");
        Self { folder, root }
    }

    /// A copy of a folder, without what was built or installed in it.
    #[must_use]
    pub fn copy_of(source: &Path) -> Self {
        let project = Self::empty();
        copy(source, &project.root);
        project
    }

    /// Another folder's project with the folders of a user of its own; that folder stays where it is.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        let project = Self::empty();
        Self {
            root: fs::canonicalize(root).expect("the project exists"),
            ..project
        }
    }

    /// `base44/config.jsonc`.
    #[must_use]
    pub fn config(self, config: &Value) -> Self {
        self.file("base44/config.jsonc", &config.to_string())
    }

    /// The command that serves the frontend.
    #[must_use]
    pub fn frontend(self, command: &str) -> Self {
        self.config(&json!({ "name": "Under test", "site": { "serveCommand": command } }))
    }

    /// An entity with these properties.
    #[must_use]
    pub fn entity(self, name: &str, properties: &Value) -> Self {
        let schema = json!({ "name": name, "type": "object", "properties": properties });
        self.file(
            &format!("base44/entities/{name}.jsonc"),
            &schema.to_string(),
        )
    }

    /// The entity that most tests use: a task with `title`, `done` and `priority`.
    #[must_use]
    pub fn with_tasks(self) -> Self {
        self.entity(
            "Task",
            &json!({
                "title": { "type": "string" },
                "done": { "type": "boolean", "default": false },
                "priority": { "type": "number" },
            }),
        )
    }

    /// A function; `name` may be nested.
    #[must_use]
    pub fn function(self, name: &str, source: &str) -> Self {
        self.file(&format!("base44/functions/{name}/entry.ts"), source)
    }

    /// Any file of the project.
    #[must_use]
    pub fn file(self, path: &str, text: &str) -> Self {
        self.save(path, text);
        self
    }

    /// Writes a file of the project, now.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn save(&self, path: &str, text: &str) {
        write(&self.root.join(path), text);
    }

    /// The link to a deployed app.
    #[must_use]
    pub fn linked(self, app_id: &str) -> Self {
        self.file("base44/.app.jsonc", &json!({ "id": app_id }).to_string())
    }

    /// Somebody logged in on the command line, as the official tool stores it, until 2100.
    #[must_use]
    pub fn login(self, email: &str, name: &str) -> Self {
        self.login_until(4_102_444_800_000, email, name)
    }

    /// The same, with an access token that ends at this time, in milliseconds since 1970.
    #[must_use]
    pub fn login_until(self, end: u64, email: &str, name: &str) -> Self {
        let login = json!({
            "accessToken": "a", "refreshToken": "r", "expiresAt": end, "email": email, "name": name,
        });
        write(&self.login_file(), &login.to_string());
        self
    }

    /// Where the official tool stores a login.
    #[must_use]
    pub fn login_file(&self) -> PathBuf {
        self.user("home").join(".base44/auth/auth.json")
    }

    /// The project's root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// One of the user's folders: `home`, `state`, `cache`, `run` (runtime) or `tmp`.
    #[must_use]
    pub fn user(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names in one of the user's folders, such as `tmp` or `run/backlot`; none where it does not exist.
    #[must_use]
    pub fn entries_of_user(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.user(folder)) else {
            return Vec::new();
        };
        entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("files are in folders");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .unwrap_or_else(|error| {
            panic!("cannot write {}: {error}", path.display());
        });
}

fn copy(source: &Path, target: &Path) {
    for entry in fs::read_dir(source)
        .unwrap_or_else(|error| panic!("{}: {error}", source.display()))
        .flatten()
    {
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        if entry.file_name() == "node_modules" || entry.file_name() == "dist" {
            continue;
        }
        if from.is_dir() {
            fs::create_dir_all(&to).expect("the target can be written");
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("the target can be written");
        }
    }
}
