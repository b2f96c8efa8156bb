//! What scenarios are played against: Backlot, the official dev server, or whatever answers at an address.

use std::path::PathBuf;

use crate::{
    command::command,
    launch::{Launch, free_port},
    project::Project,
    server::Server,
    tools::on_path,
};

/// Who is logged in on the command line in [`project`].
const DEVELOPER: &str = "ada@example.com";

/// Where nobody answers: the port of the discard service.
const NOBODY: &str = "http://127.0.0.1:9";

/// The app that the scenarios' project is linked to.
pub(super) const APP: &str = "0123456789abcdef01234567";

/// A server to play against.
#[derive(Debug)]
pub struct Target {
    url: String,
    developer: String,
    /// Absent for a server that somebody else started.
    server: Option<Server>,
    codes: usize,
}

impl Target {
    /// Backlot with the scenarios' project. Nobody answers where it looks for the platform.
    pub async fn backlot(launch: Launch<'_>) -> Self {
        Self::started(launch.args(&["--upstream", NOBODY]).start().await)
    }

    /// A server that runs, with that project in it, and this developer logged in.
    #[must_use]
    pub fn at(url: &str, developer: String) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            developer,
            server: None,
            codes: 0,
        }
    }

    fn started(server: Server) -> Self {
        Self {
            url: server.url().to_owned(),
            developer: DEVELOPER.to_owned(),
            server: Some(server),
            codes: 0,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn developer(&self) -> &str {
        &self.developer
    }

    /// The next verification code that is printed; none where the terminal is somebody else's.
    pub(super) async fn next_code(&mut self) -> Option<String> {
        let server = self.server.as_ref()?;
        let nth = self.codes;
        self.codes += 1;
        Some(server.code(nth).await)
    }

    /// Ends a server that was started here.
    pub async fn end(self) {
        if let Some(server) = self.server {
            server.finish_off().await;
        }
    }
}

/// The project that scenarios are played in, with somebody logged in.
#[must_use]
pub fn project() -> Project {
    Project::copy_of(&super::folder().join("project")).login(DEVELOPER, "Ada")
}

/// The official dev server, unpacked.
#[derive(Clone, Debug)]
pub struct Official {
    /// The folder that holds `bin/run.js`.
    package: PathBuf,
    deno: PathBuf,
}

impl Official {
    /// The package in that folder, with the folder of a `deno` executable.
    #[must_use]
    pub const fn new(package: PathBuf, deno: PathBuf) -> Self {
        Self { package, deno }
    }

    /// Starts it with the scenarios' project. Nobody answers where it looks for the platform.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start(&self, project: &Project) -> Target {
        let mut command = command(on_path("node").expect("the official server needs Node"));
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.deno.clone()).chain(std::env::split_paths(&inherited));
        let port = free_port();
        command
            .arg(self.package.join("bin/run.js"))
            .args(["dev", "--port", &port.to_string()])
            .current_dir(project.root())
            .env("HOME", project.user("home"))
            .env("TMPDIR", project.user("tmp"))
            .env(
                "PATH",
                std::env::join_paths(folders).expect("folders of PATH have no colons"),
            )
            .env("CI", "true")
            .env("NO_COLOR", "1")
            .env("BASE44_API_URL", NOBODY)
            .env("BASE44_DISABLE_TELEMETRY", "1")
            .env("B44_DEV_FUNCTIONS_RUNTIME", "deno");
        let mut server = Server::new(command, format!("official-{port}"));
        server.ready().await.unwrap_or_else(|text| panic!("{text}"));
        Target::started(server)
    }
}
