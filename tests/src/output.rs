//! What a server prints, collected line by line while it runs.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use crate::command::Finished;

/// What announces readiness to scripts.
const READY: &str = "Dev server is available at ";

/// What the terminal says where production would send an e-mail; the code follows.
pub const CODE_SENTENCE: &str = "In order to complete registration use this verification code: ";

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
        self.stdout
            .iter()
            .chain(&self.stderr)
            .any(|line| line.contains(text))
    }

    /// The verification codes that were printed, in their order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        let lines = self.stdout.iter();
        lines.filter_map(|line| Some(line.split_once(CODE_SENTENCE)?.1.trim()))
    }

    /// Both streams, one after the other.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "--- stdout\n{}\n--- stderr\n{}",
            self.stdout.join("\n"),
            self.stderr.join("\n")
        )
    }

    /// The same as of a program that has ended.
    pub(crate) fn finished(&self, code: i32) -> Finished {
        Finished {
            code,
            stdout: self.stdout.join("\n"),
            stderr: self.stderr.join("\n"),
        }
    }
}

/// Reads one stream to its end, bytes that are no text included.
pub(crate) async fn collect(
    stream: impl AsyncRead + Unpin,
    output: Arc<Mutex<Output>>,
    lines_of: fn(&mut Output) -> &mut Vec<String>,
) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        lines_of(&mut output.lock()).push(line);
    }
}

/// The address in either form of the readiness line.
pub(crate) fn ready_url(line: &str) -> Option<String> {
    if let Some(url) = line.strip_prefix(READY) {
        return Some(url.to_owned());
    }
    let event: Value = serde_json::from_str(line).ok()?;
    (event["event"] == "ready").then(|| event["url"].as_str().map(str::to_owned))?
}
