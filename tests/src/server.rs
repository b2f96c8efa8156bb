//! `backlot dev` as a child process: started, read, asked, stopped, and never left behind.

use std::{
    ffi::{OsStr, OsString},
    iter,
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use nix::sys::signal::Signal;
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    command::{self, Finished, command, finish},
    process::{self, MARK, Process},
    project::Project,
    tools::{Clients, caches},
    wait::{eventually, that},
};

/// How long a start may take. It takes a tenth of a second; other tests and compilers run beside this one.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long an orderly end may take: each of three services has five seconds.
const END_LIMIT: Duration = Duration::from_secs(20);

/// How long one request may take, the first call of a function included.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// How often another free port is tried when somebody took the one that was free.
const PORTS: usize = 3;

/// What announces readiness to scripts.
const READY: &str = "Dev server is available at ";

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
        caches().into_iter().fold(self.env("PATH", path), |launch, (name, folder)| launch.env(name, folder))
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
        self.try_start().await.unwrap_or_else(|output| panic!("{output}"))
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
        finish(command, START_LIMIT).await
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
        let status = self.run(&["status", &root, "--json"]).await.success("backlot status");
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
        command.env("NO_COLOR", "1").envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn is_setting(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["BACKLOT_", "BASE44_", "VITE_", "DENO_"].iter().any(|prefix| name.starts_with(prefix))
}

/// A port that was free a moment ago, on both loopback addresses.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the system has free ports");
    listener.local_addr().expect("it is bound").port()
}

/// Everything that was printed so far.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Lines of standard output.
    pub stdout: Vec<String>,
    /// Lines of standard error.
    pub stderr: Vec<String>,
}

impl Output {
    /// True when a line of either stream contains `text`.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        self.stdout.iter().chain(&self.stderr).any(|line| line.contains(text))
    }

    /// Both streams, one after the other.
    #[must_use]
    pub fn text(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout.join("\n"), self.stderr.join("\n"))
    }

    fn finished(&self, code: i32) -> Finished {
        Finished {
            code,
            stdout: self.stdout.join("\n"),
            stderr: self.stderr.join("\n"),
        }
    }
}

/// A running `backlot dev`, or another command of ours. Dropping it kills it; that it leaves nothing then is its own
/// promise, and tested.
#[derive(Debug)]
pub struct Server {
    child: Child,
    mark: String,
    output: Arc<Mutex<Output>>,
    /// `http://localhost:4400`; empty until it is ready.
    url: String,
    client: reqwest::Client,
}

impl Server {
    fn new(mut command: Command, mark: String) -> Self {
        // The services must not end because a test's terminal got the Ctrl-C that was meant for all.
        let mut child = command.stdin(Stdio::null()).process_group(0).spawn().expect("the binary was just built");
        let output = Arc::new(Mutex::new(Output::default()));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        tokio::spawn(collect(stdout.expect("piped"), Arc::clone(&output), |output| &mut output.stdout));
        tokio::spawn(collect(stderr.expect("piped"), Arc::clone(&output), |output| &mut output.stderr));
        let client = reqwest::Client::builder().no_proxy().timeout(REQUEST_LIMIT);
        let client = client.redirect(reqwest::redirect::Policy::none()).build().expect("plain options");
        Self {
            child,
            mark,
            output,
            url: String::new(),
            client,
        }
    }

    /// Waits until requests are answered.
    async fn ready(&mut self) -> Result<(), String> {
        let found = eventually("the server says that it is ready", START_LIMIT, async || {
            let ended = self.child.try_wait().expect("it is our child");
            let output = self.output();
            match (output.stdout.iter().find_map(|line| ready_url(line)), ended) {
                (Some(url), _) => Ok(Ok(url)),
                (None, Some(status)) => Ok(Err(format!("it ended with {status}\n{}", output.text()))),
                (None, None) => Err(output.text()),
            }
        });
        self.url = found.await?;
        Ok(())
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port of [`Server::url`].
    ///
    /// # Panics
    ///
    /// Before it is ready.
    #[must_use]
    pub fn port(&self) -> u16 {
        let port = self.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.expect("the address ends in a port")
    }

    /// Process id of the command itself.
    ///
    /// # Panics
    ///
    /// When it has ended.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id().expect("it runs").cast_signed()
    }

    /// Everything that was printed so far.
    #[must_use]
    pub fn output(&self) -> Output {
        self.output.lock().clone()
    }

    /// Waits until a line contains `text`.
    pub async fn says(&self, text: &str) {
        eventually(&format!("the terminal says `{text}`"), REQUEST_LIMIT, async || {
            let output = self.output();
            that(output.says(text), output.text())
        })
        .await;
    }

    /// Waits for the line of a frontend that tells its address, and returns the address.
    pub async fn frontend(&self) -> String {
        eventually("the frontend says where it is", Duration::from_secs(180), async || {
            let output = self.output();
            let mut lines = output.stderr.iter().chain(&output.stdout);
            let found = lines.find_map(|line| Some(line.split_once("Local:")?.1.trim().trim_end_matches('/').to_owned()));
            found.ok_or_else(|| output.text())
        })
        .await
    }

    /// Sends a signal to the command itself.
    pub fn signal(&self, signal: Signal) {
        process::send(self.pid(), signal);
    }

    /// Waits for the end of the command; its exit status.
    ///
    /// # Panics
    ///
    /// With the output, when it does not end in time.
    pub async fn ended(&mut self) -> i32 {
        match timeout(END_LIMIT, self.child.wait()).await {
            Ok(status) => command::code(status.expect("it is our child")),
            Err(_elapsed) => panic!("it did not end\n{}", self.output().text()),
        }
    }

    /// Ctrl-C, and the exit status that follows.
    pub async fn interrupt(&mut self) -> i32 {
        self.signal(Signal::SIGINT);
        self.ended().await
    }

    /// Every process of this launch that runs, its own included.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        process::marked(&self.mark)
    }

    /// Waits until no process of this launch is left.
    pub async fn nothing_left(&self, limit: Duration) {
        eventually("every process is gone", limit, async || {
            let left = self.processes();
            that(left.is_empty(), format!("{left:?}\n{}", self.output().text()))
        })
        .await;
    }

    /// A request to this server; `path` starts with a slash.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// The answer to a request without a body.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// The answer to a request with a JSON body.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(method, path).json(body)).await
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// Sends a request and reads the answer to its end.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn to(request: reqwest::RequestBuilder) -> Self {
        Self::try_to(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// The same, for requests that may find nobody.
    ///
    /// # Errors
    ///
    /// When there is no answer, or not a whole one.
    pub async fn try_to(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is something else.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as JSON, of an answer that must have this status.
    ///
    /// # Panics
    ///
    /// When it has another.
    #[must_use]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}

/// Reads one stream to its end, bytes that are no text included.
async fn collect(stream: impl AsyncRead + Unpin, output: Arc<Mutex<Output>>, lines_of: fn(&mut Output) -> &mut Vec<String>) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        lines_of(&mut output.lock()).push(line);
    }
}

/// The address in either form of the readiness line.
fn ready_url(line: &str) -> Option<String> {
    if let Some(url) = line.strip_prefix(READY) {
        return Some(url.to_owned());
    }
    let event: Value = serde_json::from_str(line).ok()?;
    (event["event"] == "ready").then(|| event["url"].as_str().map(str::to_owned))?
}
