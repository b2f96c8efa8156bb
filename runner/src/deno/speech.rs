//! What a function process prints, on its way to the logs.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use proto::v1::log_line::Level;
use tokio::{
    process::{ChildStderr, ChildStdout},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    logs::Logs,
    output::{Tail, read_lines},
    worker::Worker,
};

/// How long to wait for the last lines of a process that has ended: a grandchild could hold its pipes open.
const LAST_LINES: Duration = Duration::from_millis(500);

/// The readers of one process' output.
#[derive(Debug)]
pub(super) struct Speech {
    readers: Vec<JoinHandle<()>>,
    tail: Tail,
    downloads: Downloads,
}

impl Speech {
    /// Begins to read what `worker` prints as `function`.
    pub(super) fn follow(worker: &mut Worker, function: &str, logs: &Arc<Logs>) -> Self {
        let (out, err) = worker.take_output();
        let tail = Tail::default();
        let downloads = Downloads::default();
        let mut readers = Vec::new();
        if let Some(out) = out {
            readers.push(tokio::spawn(read_out(
                out,
                function.to_owned(),
                Arc::clone(logs),
            )));
        }
        if let Some(err) = err {
            let reader = ErrorReader {
                function: function.to_owned(),
                logs: Arc::clone(logs),
                tail: tail.clone(),
                downloads: downloads.clone(),
            };
            readers.push(tokio::spawn(reader.read(err)));
        }
        Self {
            readers,
            tail,
            downloads,
        }
    }

    /// When Deno last said that it downloads something.
    pub(super) fn last_download(&self) -> Option<Instant> {
        self.downloads.0.lock().last
    }

    /// How many files were downloaded.
    pub(super) fn downloads(&self) -> usize {
        self.downloads.0.lock().count
    }

    /// The last lines of standard error.
    pub(super) fn tail(&self) -> String {
        self.tail.text()
    }

    /// Waits until everything is read that the process, which has ended, had printed.
    pub(super) async fn finish(&mut self) {
        let deadline = Instant::now() + LAST_LINES;
        for mut reader in self.readers.drain(..) {
            let left = deadline.saturating_duration_since(Instant::now());
            if timeout(left, &mut reader).await.is_err() {
                reader.abort();
            }
        }
    }
}

async fn read_out(out: ChildStdout, function: String, logs: Arc<Logs>) {
    read_lines(out, |line| logs.write(&function, Level::Info, line)).await;
}

#[derive(Clone, Debug, Default)]
struct Downloads(Arc<Mutex<Progress>>);

#[derive(Debug, Default)]
struct Progress {
    last: Option<Instant>,
    count: usize,
}

struct ErrorReader {
    function: String,
    logs: Arc<Logs>,
    tail: Tail,
    downloads: Downloads,
}

impl ErrorReader {
    async fn read(self, err: ChildStderr) {
        read_lines(err, |line| self.line(line)).await;
    }

    fn line(&self, line: String) {
        if !is_download(&line) {
            self.tail.push(&line);
            self.logs.write(&self.function, Level::Error, line);
            return;
        }
        let first = {
            let mut progress = self.downloads.0.lock();
            progress.last = Some(Instant::now());
            progress.count += 1;
            progress.count == 1
        };
        if first {
            self.logs
                .write(&self.function, Level::Info, "downloading dependencies");
        }
        self.logs.write(&self.function, Level::Debug, line);
    }
}

/// Deno's own progress lines, `Download https://…`.
fn is_download(line: &str) -> bool {
    line.strip_prefix("Download ").is_some_and(|what| {
        what.starts_with("http") || what.starts_with("npm:") || what.starts_with("jsr:")
    })
}
