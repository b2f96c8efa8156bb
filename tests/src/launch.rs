//! How `backlot dev` and its sub-commands are started: with which arguments, as which user, on which port.

use std::{
    ffi::{OsStr, OsString},
    hash::{BuildHasher as _, RandomState},
    io::{ErrorKind, Seek as _, Write as _},
    iter,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::process::Command;

use crate::{
    command::{Finished, command, finish},
    process::MARK,
    project::Project,
    server::Server,
    tools::{self, Clients, caches},
    wait::PATIENCE,
};

/// How long a script may take; Deno may have to download what it imports.
const SCRIPT_LIMIT: Duration = Duration::from_secs(240);

/// The ports that servers of tests are given.
const FIRST_PORT: u16 = 10_000;
const OWN_PORTS: u64 = 20_000;

/// How often a free one of them is looked for.
const DRAWS: usize = 1000;

/// How often another free port is tried when somebody took the one that was free.
const PORTS: usize = 3;

/// How to start a server.
#[derive(Debug)]
pub struct Launch<'a> {
    binary: PathBuf,
    project: &'a Project,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    port: Port,
}

#[derive(Clone, Copy, Debug)]
enum Port {
    /// One that the system says is free.
    Free,
    /// Whatever the command itself chooses.
    Unasked,
    Exactly(u16),
}

impl<'a> Launch<'a> {
    /// The command `binary`, for a project, as that project's own user.
    #[must_use]
    pub fn new(binary: impl Into<PathBuf>, project: &'a Project) -> Self {
        Self {
            binary: binary.into(),
            project,
            arguments: Vec::new(),
            environment: Vec::new(),
            port: Port::Free,
        }
    }

    /// More arguments of `backlot dev`.
    #[must_use]
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(Into::into));
        self
    }

    /// A variable of the server's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With the Deno of the clients on `PATH`, and downloads kept between runs.
    #[must_use]
    pub fn clients(self, clients: &Clients) -> Self {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(clients.deno()).chain(std::env::split_paths(&inherited));
        let path = std::env::join_paths(folders).expect("folders of PATH have no colons");
        caches()
            .into_iter()
            .fold(self.env("PATH", path), |launch, (name, folder)| {
                launch.env(name, folder)
            })
    }

    /// No `--port`.
    #[must_use]
    pub const fn default_port(mut self) -> Self {
        self.port = Port::Unasked;
        self
    }

    /// `--port` with this number.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Port::Exactly(port);
        self
    }

    /// Starts `backlot dev` and waits until it says that requests are answered.
    ///
    /// # Panics
    ///
    /// With the output, when it ends instead or does not say so in time.
    pub async fn start(&self) -> Server {
        for _ in 1..PORTS {
            match self.try_start().await {
                Ok(server) => return server,
                Err(output) if output.contains("already in use") => {}
                Err(output) => panic!("{output}"),
            }
        }
        self.try_start()
            .await
            .unwrap_or_else(|output| panic!("{output}"))
    }

    async fn try_start(&self) -> Result<Server, String> {
        let mut server = self.spawn();
        server.ready().await?;
        Ok(server)
    }

    /// Starts `backlot dev` without waiting for anything.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(&self) -> Server {
        let mut command = self.command();
        command.arg("dev").arg(self.project.root());
        match self.port {
            Port::Free => drop(command.args(["--port", &free_port().to_string()])),
            Port::Exactly(port) => drop(command.args(["--port", &port.to_string()])),
            Port::Unasked => {}
        }
        command.args(&self.arguments);
        let mark = self.mark();
        command.env(MARK, &mark);
        Server::new(command, mark)
    }

    /// Runs `backlot dev` to its end: for starts that fail.
    pub async fn fail(&self) -> Finished {
        let mut server = self.spawn();
        let code = server.ended().await;
        server.output().finished(code)
    }

    /// Runs another command, such as `status`, to its end. Nothing but `arguments` is passed.
    pub async fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = self.command();
        command.args(arguments);
        finish(command, PATIENCE).await
    }

    /// Runs another command in the project's root to its end, with `input` on its standard input.
    ///
    /// # Panics
    ///
    /// When there is no room for a temporary file.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        let mut file = tempfile::tempfile().expect("the system has temporary folders");
        file.write_all(input.as_bytes())
            .and_then(|()| file.rewind())
            .expect("a new file can be written");
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::from(file));
        finish(command, SCRIPT_LIMIT).await
    }

    /// Runs another command in the project's root, in a terminal at which `answer` is typed; nothing where there is
    /// no terminal to be had. What it printed to either output is in `stdout`.
    #[cfg(target_os = "linux")]
    pub async fn run_in_terminal(&self, answer: &str, arguments: &str) -> Option<Finished> {
        let Some(script) = tools::on_path("script") else {
            tools::skip("there is no `script` to make a terminal with");
            return None;
        };
        let line = format!(
            "echo {answer} | {} -qec '{} {arguments}' /dev/null",
            script.display(),
            self.binary.display()
        );
        let shell = Launch {
            binary: "/bin/sh".into(),
            environment: self.environment.clone(),
            arguments: Vec::new(),
            ..*self
        };
        Some(shell.run(&["-c", &line]).await)
    }

    /// Starts another command that goes on, such as `store`.
    #[must_use]
    pub fn spawn_other(&self, arguments: &[&str]) -> Server {
        let mut command = self.command();
        command.args(arguments);
        let mark = self.mark();
        command.env(MARK, &mark);
        Server::new(command, mark)
    }

    /// `backlot status --json`.
    ///
    /// # Panics
    ///
    /// When it fails or prints something else.
    pub async fn status(&self) -> Value {
        let root = self.project.root().to_string_lossy().into_owned();
        let status = self
            .run(&["status", &root, "--json"])
            .await
            .success("backlot status");
        serde_json::from_str(&status.stdout).unwrap_or_else(|error| panic!("{error}: {status}"))
    }

    /// Unique, because the project's folder is, and no other server's.
    fn mark(&self) -> String {
        format!("{}-{}", self.project.user("mark").display(), free_port())
    }

    /// The developer's own settings do not reach the server; the project's user's do.
    fn command(&self) -> Command {
        let mut command = command(&self.binary);
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| is_setting(name)) {
            command.env_remove(name);
        }
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
        ] {
            command.env(name, self.project.user(folder));
        }
        command
            .current_dir(self.project.root())
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn is_setting(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["BACKLOT_", "BASE44_", "VITE_", "DENO_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// A port that was free a moment ago, on both loopback addresses, and is hardly anybody's a moment later: it is none of
/// those that Linux and macOS give to whoever asks for any.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    let drawn = iter::repeat_with(|| RandomState::new().hash_one(()) % OWN_PORTS);
    let mut ports = drawn.map(|port| FIRST_PORT + u16::try_from(port).expect("there are fewer"));
    ports
        .by_ref()
        .take(DRAWS)
        .find(|port| is_free(*port))
        .expect("few ports are taken")
}

fn is_free(port: u16) -> bool {
    let loopback = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    loopback.into_iter().all(|address| {
        let bound = TcpListener::bind((address, port));
        // A machine without IPv6 has nobody there.
        bound.map_or_else(|error| error.kind() != ErrorKind::AddrInUse, |_| true)
    })
}
