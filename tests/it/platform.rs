//! The commands that speak to the Base44 platform, against a stand-in that checks every request.

mod deploying;
mod failures;
mod logs;
mod naming;
mod official;
mod pulling;
mod secrets;
mod session;

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use tests::{
    command::Finished,
    launch::Launch,
    platform::{APP, Platform, Request},
    project::Project,
};

/// A project whose user is logged in to a platform.
struct Desk {
    platform: Platform,
    project: Project,
}

impl Desk {
    async fn new(project: Project) -> Self {
        Self {
            platform: Platform::start().await,
            project: project.login("ada@example.com", "Ada"),
        }
    }

    /// The command as this user, for this platform and app.
    fn backlot(&self) -> Launch<'_> {
        super::backlot(&self.project)
            .env("BASE44_API_URL", self.platform.url())
            .env("CI", "true")
    }

    /// Runs a command about the app, in the project.
    async fn run(&self, arguments: &[&str]) -> Finished {
        let root = self.project.root().to_string_lossy().into_owned();
        let app = ["--app-id", APP, "--dir", &root];
        self.backlot().run(&[arguments, &app].concat()).await
    }

    /// The same with `--json`, and the document it prints.
    async fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let finished = self.run(&[arguments, &["--json"]].concat()).await;
        let document = serde_json::from_str(&finished.stdout);
        let document = document.unwrap_or_else(|error| panic!("{error}: {finished}"));
        (finished.code, document)
    }

    /// Runs a command about the app in a terminal, at which `answer` is typed; nothing where there is no terminal to
    /// be had.
    #[cfg(target_os = "linux")]
    async fn typed(&self, answer: &str, arguments: &str) -> Option<Finished> {
        let root = self.project.root().display();
        let arguments = format!("{arguments} --app-id {APP} --dir {root}");
        let launch = self.backlot().run_in_terminal(answer, &arguments).await;
        Some(launch?.success(&arguments))
    }

    fn login(&self) -> Value {
        let text = fs::read(self.project.login_file()).expect("somebody is logged in");
        serde_json::from_slice(&text).expect("the login file is JSON")
    }
}

/// What every request carries.
fn assert_signed(requests: &[Request], token: &str) {
    for request in requests {
        let bearer = format!("Bearer {token}");
        assert_eq!(
            request.header("authorization"),
            Some(bearer.as_str()),
            "{request:?}"
        );
        assert_eq!(request.header("api_key"), None, "{request:?}");
        assert_from_us(request);
    }
}

fn assert_from_us(request: &Request) {
    assert_eq!(
        request.header("user-agent"),
        Some("Base44 CLI"),
        "{request:?}"
    );
    let id = request
        .header("x-request-id")
        .expect("every request has an id");
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
}

/// Every file below a folder, byte for byte.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).expect("a file can be read"));
        }
    }
    found
}
