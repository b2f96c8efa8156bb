//! The runner's end of the connections that function processes make back to it: one JSON object a line, both ways.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use proto::token::LaunchToken;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::oneshot,
    time::timeout,
};

/// How long a new connection may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// How long a process may take to make room for a message. Few and small ones are sent, so that it is stuck long before.
const SEND: Duration = Duration::from_secs(1);

/// Bytes of the longest message: a stack and a code frame.
const MESSAGE: u64 = 1024 * 1024;

/// What the runner tells a process.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToProcess {
    /// Import this function and serve it.
    Load {
        /// Its name.
        name: String,
        /// The project, which messages are relative to.
        root: String,
        /// Absolute paths of folders outside it that code comes from.
        elsewhere: Vec<String>,
        /// The entry as a file URL.
        entry: String,
        /// How long a request may run before the developer is warned.
        slow_ms: u64,
    },
    /// Finish and end.
    Drain {
        /// Whether requests may still be on their way.
        linger: bool,
    },
    /// Say how much there is to do; the braces make it an object.
    Ping {},
}

/// What a process tells the runner.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromProcess {
    /// The first message: which process this is.
    Hello(String),
    /// The function is loaded and served.
    Listening {
        /// On the loopback interface.
        port: u16,
    },
    /// The function does not load.
    Failed {
        /// One line, relative to the project.
        message: String,
        /// The stack.
        detail: String,
        /// The lines of code around the place; may be empty.
        frame: String,
        /// `base44/functions/x/entry.ts:3:5`; may be empty.
        place: String,
    },
    /// The function has been called; said now and then, not for every call. The braces make it an object.
    Used {},
    /// The answer to a ping.
    Usage {
        /// Requests, sockets and background work.
        in_flight: u64,
        /// Since the last of them began or ended.
        idle_ms: u64,
    },
}

/// A connection to one process.
#[derive(Debug)]
pub(crate) struct Link {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    line: Vec<u8>,
}

impl Link {
    fn new(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader: BufReader::new(reader),
            writer,
            line: Vec::new(),
        }
    }

    /// The next message; `None` when the process has gone or talks nonsense. May be cancelled and called again.
    pub(crate) async fn receive(&mut self) -> Option<FromProcess> {
        let room = MESSAGE.saturating_sub(u64::try_from(self.line.len()).unwrap_or(MESSAGE));
        let mut limited = (&mut self.reader).take(room);
        // On cancellation, what was read so far stays in `line`.
        let read = limited.read_until(b'\n', &mut self.line).await;
        let whole = read.is_ok() && self.line.last() == Some(&b'\n');
        let message = serde_json::from_slice(&self.line);
        self.line.clear();
        message.ok().filter(|_| whole)
    }

    /// Sends a message; false when the process does not take it, after which the connection is of no use. One that is
    /// gone shows itself by its exit.
    pub(crate) async fn send(&mut self, message: &ToProcess) -> bool {
        let mut line = serde_json::to_vec(message).expect("a message is plain data");
        line.push(b'\n');
        timeout(SEND, self.writer.write_all(&line)).await.is_ok()
    }
}

/// Hands every new connection to whoever started the process behind it.
#[derive(Clone, Debug)]
pub(crate) struct Switchboard {
    address: SocketAddr,
    expected: Arc<Mutex<HashMap<String, oneshot::Sender<Link>>>>,
}

impl Switchboard {
    /// Listens on a free port of the loopback interface, for as long as the runtime lives.
    ///
    /// # Errors
    ///
    /// When the system has no port to give.
    pub(crate) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let board = Self {
            address: listener.local_addr()?,
            expected: Arc::default(),
        };
        tokio::spawn(board.clone().accept(listener));
        Ok(board)
    }

    /// Where processes connect to.
    #[must_use]
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new token, and the connection of the process that shows it.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub(crate) fn expect(&self) -> io::Result<(LaunchToken, Expected)> {
        let token = LaunchToken::random().map_err(io::Error::other)?;
        let (sender, link) = oneshot::channel();
        let key = token.expose().to_owned();
        self.expected.lock().insert(key.clone(), sender);
        let expected = Expected {
            link,
            _entry: Entry(key, Arc::clone(&self.expected)),
        };
        Ok((token, expected))
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().greet(stream))),
                // Out of descriptors, for example: others may be given back soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn greet(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let mut link = Link::new(stream);
        let Ok(Some(FromProcess::Hello(token))) = timeout(HELLO, link.receive()).await else {
            return;
        };
        let expected = self.expected.lock().remove(&token);
        if let Some(sender) = expected {
            let _ = sender.send(link);
        }
    }
}

type ExpectedLinks = Arc<Mutex<HashMap<String, oneshot::Sender<Link>>>>;

/// A connection that will come, unless its process dies before.
#[derive(Debug)]
pub(crate) struct Expected {
    link: oneshot::Receiver<Link>,
    _entry: Entry,
}

impl Expected {
    /// Waits for it; the caller sets the deadline.
    pub(crate) async fn link(&mut self) -> Option<Link> {
        (&mut self.link).await.ok()
    }
}

/// Takes the token back when nobody waits any more.
#[derive(Debug)]
struct Entry(String, ExpectedLinks);

impl Drop for Entry {
    fn drop(&mut self) {
        self.1.lock().remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::{
        io::AsyncWriteExt as _,
        net::{TcpListener, TcpStream},
        runtime::Runtime,
        time::timeout,
    };

    use super::{FromProcess, Link, MESSAGE, Switchboard, ToProcess};

    const PATIENCE: Duration = Duration::from_secs(60);

    async fn pair() -> (Link, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let process = TcpStream::connect(listener.local_addr().unwrap());
        let (process, accepted) = tokio::join!(process, listener.accept());
        (Link::new(accepted.unwrap().0), process.unwrap())
    }

    /// What is received of these bytes, up to the first message that is none.
    async fn received(bytes: &[u8]) -> Vec<FromProcess> {
        let (mut link, mut process) = pair().await;
        process.write_all(bytes).await.unwrap();
        drop(process);
        let mut messages = Vec::new();
        while let Some(message) = timeout(PATIENCE, link.receive()).await.unwrap() {
            messages.push(message);
        }
        messages
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn prop_whatever_a_process_says_ends_its_connection_at_worst(
            noise in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                "(\\{|\\}|\"|used|usage|listening|port|:|[0-9]{1,20}|hello|failed|,|\n){0,16}".prop_map(String::into_bytes),
            ],
        ) {
            let runtime = Runtime::new().unwrap();
            let mut bytes = b"{\"used\":{}}\n{\"listening\":{\"port\":1}}\n".to_vec();
            bytes.extend(noise);
            let messages = runtime.block_on(received(&bytes));
            let [FromProcess::Used {}, FromProcess::Listening { port: 1 }, ..] = &messages[..] else {
                return Err(TestCaseError::fail(format!("{messages:?}")));
            };
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up() {
        let (mut link, mut process) = pair().await;
        let flood = tokio::spawn(async move {
            let piece = vec![b'x'; 64 * 1024];
            let mut sent = 0;
            while process.write_all(&piece).await.is_ok() {
                sent += piece.len();
            }
            sent
        });
        assert!(timeout(PATIENCE, link.receive()).await.unwrap().is_none());
        drop(link);
        let sent = timeout(PATIENCE, flood).await.unwrap().unwrap();
        assert!(sent >= usize::try_from(MESSAGE).unwrap());
    }

    #[tokio::test]
    async fn a_process_that_reads_nothing_is_given_up() {
        let (mut link, _process) = pair().await;
        let load = ToProcess::Load {
            slow_ms: 60_000,
            name: "x".repeat(1024 * 1024),
            root: String::new(),
            elsewhere: Vec::new(),
            entry: String::new(),
        };
        let full = async { while link.send(&load).await {} };
        timeout(PATIENCE, full).await.expect("a bounded wait");
    }

    #[tokio::test]
    async fn who_does_not_know_the_token_is_nobody() {
        let board = Switchboard::open().await.unwrap();
        let (token, mut expected) = board.expect().unwrap();
        for hello in ["\"\"", "\"wrong\"", "1", "{}"] {
            let mut stranger = TcpStream::connect(board.address()).await.unwrap();
            let line = format!("{{\"hello\":{hello}}}\n");
            stranger.write_all(line.as_bytes()).await.unwrap();
        }
        let mut process = TcpStream::connect(board.address()).await.unwrap();
        let line = format!("{{\"hello\":\"{}\"}}\n{{\"used\":{{}}}}\n", token.expose());
        process.write_all(line.as_bytes()).await.unwrap();
        let mut link = timeout(PATIENCE, expected.link()).await.unwrap().unwrap();
        let message = timeout(PATIENCE, link.receive()).await.unwrap();
        assert!(matches!(message, Some(FromProcess::Used {})));
    }
}
