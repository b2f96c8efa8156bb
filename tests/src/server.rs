//! `backlot dev` as a child process: read, asked, stopped, and never left behind.

use std::{process::Stdio, sync::Arc, time::Duration};

use nix::sys::signal::Signal;
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    command,
    http::{self, Answer},
    output::{Output, collect, ready_url},
    process::{self, Process},
    wait::{PATIENCE, eventually, that},
};

/// How long somebody else's program may take to end by itself.
const LAST_MOMENTS: Duration = Duration::from_secs(3);

/// How long what is left of a server that has ended may take to be gone. Two seconds are what it takes by itself.
const GONE_LIMIT: Duration = Duration::from_secs(30);

/// How long a frontend may take, its installation included.
const FRONTEND_LIMIT: Duration = Duration::from_secs(600);

/// A running `backlot dev`, or another command of ours. Dropping it kills it; that it leaves nothing then is its own
/// promise, and tested.
#[derive(Debug)]
pub struct Server {
    child: Child,
    mark: String,
    output: Arc<Mutex<Output>>,
    readers: [JoinHandle<()>; 2],
    /// `http://localhost:4400`; empty until it is ready.
    url: String,
    client: reqwest::Client,
}

impl Server {
    pub(crate) fn new(mut command: Command, mark: String) -> Self {
        // The services must not end because a test's terminal got the Ctrl-C that was meant for all.
        let mut child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the binary was just built");
        let output = Arc::new(Mutex::new(Output::default()));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let readers = [
            tokio::spawn(collect(
                stdout.expect("piped"),
                Arc::clone(&output),
                |output| &mut output.stdout,
            )),
            tokio::spawn(collect(
                stderr.expect("piped"),
                Arc::clone(&output),
                |output| &mut output.stderr,
            )),
        ];
        Self {
            child,
            mark,
            output,
            readers,
            url: String::new(),
            client: http::client(),
        }
    }

    /// Waits until requests are answered.
    pub(crate) async fn ready(&mut self) -> Result<(), String> {
        let found = eventually("the server says that it is ready", PATIENCE, async || {
            let ended = self.child.try_wait().expect("it is our child");
            let output = self.output();
            match (output.stdout.iter().find_map(|line| ready_url(line)), ended) {
                (Some(url), _) => Ok(Ok(url)),
                (None, Some(status)) => {
                    Ok(Err(format!("it ended with {status}\n{}", output.text())))
                }
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
        let port = self
            .url
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
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

    pub(crate) fn shared_output(&self) -> Arc<Mutex<Output>> {
        Arc::clone(&self.output)
    }

    /// Waits until a line contains `text`.
    pub async fn says(&self, text: &str) {
        eventually(
            &format!("the terminal says `{text}`"),
            PATIENCE,
            async || {
                let output = self.output();
                that(output.says(text), output.text())
            },
        )
        .await;
    }

    /// What follows `text` in the last line that contains it, once there is one.
    pub async fn printed(&self, text: &str) -> String {
        let what = format!("the terminal says `{text}…`");
        eventually(&what, PATIENCE, async || {
            let output = self.output();
            let lines = output.stdout.iter().chain(&output.stderr);
            let found = lines.rev().find_map(|line| line.split_once(text));
            found
                .map(|(_, rest)| rest.to_owned())
                .ok_or_else(|| output.text())
        })
        .await
    }

    /// The verification code that was printed after `earlier` others, once it is there.
    pub async fn code(&self, earlier: usize) -> String {
        eventually("a code is printed", PATIENCE, async || {
            let output = self.output();
            let code = output.codes().nth(earlier).map(str::to_owned);
            code.ok_or_else(|| output.text())
        })
        .await
    }

    /// Sends these bytes, which need not be a request, and reads what comes back to the end of the connection.
    ///
    /// # Panics
    ///
    /// When the connection stays open.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.port())).await;
        let mut stream = stream.expect("the server listens");
        // It may have seen enough, and gone, before everything is written.
        let _ = stream.write_all(bytes).await;
        let mut said = Vec::new();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
        let read = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        let _ = read.unwrap_or_else(|_elapsed| panic!("the connection stays open after {shown}"));
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Waits for the line of a frontend that tells its address, and returns the address.
    pub async fn frontend(&self) -> String {
        eventually(
            "the frontend says where it is",
            FRONTEND_LIMIT,
            async || {
                let output = self.output();
                let mut lines = output.stderr.iter().chain(&output.stdout);
                let found = lines.find_map(|line| {
                    Some(
                        line.split_once("Local:")?
                            .1
                            .trim()
                            .trim_end_matches('/')
                            .to_owned(),
                    )
                });
                found.ok_or_else(|| output.text())
            },
        )
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
        let Ok(status) = timeout(PATIENCE, self.child.wait()).await else {
            panic!("it did not end\n{}", self.output().text());
        };
        for reader in &mut self.readers {
            // Nobody else holds the pipes, so the rest of the output comes now.
            timeout(PATIENCE, reader)
                .await
                .expect("its output ends with it")
                .expect("reading does not panic");
        }
        command::code(status.expect("it is our child"))
    }

    /// Ctrl-C, and the exit status that follows.
    pub async fn interrupt(&mut self) -> i32 {
        self.signal(Signal::SIGINT);
        self.ended().await
    }

    /// Ends a program that may not end by itself, with all that it has started in its process group.
    pub async fn finish_off(mut self) {
        let group = self.pid();
        self.signal(Signal::SIGINT);
        let _ = timeout(LAST_MOMENTS, self.child.wait()).await;
        process::send(-group, Signal::SIGKILL);
    }

    /// Every process of this launch that runs, its own included.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        process::marked(&self.mark)
    }

    /// Waits until no process of this launch is left.
    pub async fn nothing_left(&self) {
        eventually("every process is gone", GONE_LIMIT, async || {
            let left = self.processes();
            that(
                left.is_empty(),
                format!("{left:?}\n{}", self.output().text()),
            )
        })
        .await;
    }

    /// A request to this server; `path` starts with a slash.
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
