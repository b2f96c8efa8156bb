//! What a function process prints, on its way to the logs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use proto::v1::log_line::Level;
use tokio::{
    process::{ChildStderr, ChildStdout},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::files;
use crate::{
    logs::Logs,
    output::{Tail, read_lines},
    pool::Cause,
    worker::Worker,
};

/// How long to wait for the last lines of a process that has ended: a grandchild could hold its pipes open.
const LAST_LINES: Duration = Duration::from_millis(500);

/// How often a download that goes on is told of.
const PROGRESS: Duration = Duration::from_secs(3);

/// The readers of one process' output.
#[derive(Debug)]
pub(super) struct Speech {
    voice: Voice,
    readers: Vec<JoinHandle<()>>,
    tail: Tail,
    downloads: Downloads,
}

impl Speech {
    /// Begins to read what `worker` prints as `function`. What one prints that nobody has called is of interest only at
    /// `-v`, until [`Speech::speak_up`].
    pub(super) fn follow(
        worker: &mut Worker,
        function: &str,
        cause: Cause,
        logs: &Arc<Logs>,
    ) -> Self {
        let (out, err) = worker.take_output();
        let voice = Voice {
            function: function.into(),
            logs: Arc::clone(logs),
            quiet: Arc::new(AtomicBool::new(cause == Cause::Forecast)),
        };
        let tail = Tail::default();
        let downloads = Downloads::default();
        let mut readers = Vec::new();
        if let Some(out) = out {
            readers.push(tokio::spawn(read_out(out, voice.clone())));
        }
        if let Some(err) = err {
            let reader = ErrorReader {
                voice: voice.clone(),
                tail: tail.clone(),
                downloads: downloads.clone(),
            };
            readers.push(tokio::spawn(reader.read(err)));
        }
        Self {
            voice,
            readers,
            tail,
            downloads,
        }
    }

    /// From now on everything is of interest: the function is up.
    pub(super) fn speak_up(&self) {
        self.voice.quiet.store(false, Ordering::Relaxed);
    }

    /// Adds a line of ours.
    pub(super) fn say(&self, level: Level, line: String) {
        self.voice.say(level, line, String::new());
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

/// In whose name lines are written, and whether they matter to the developer.
#[derive(Clone, Debug)]
struct Voice {
    function: Arc<str>,
    logs: Arc<Logs>,
    quiet: Arc<AtomicBool>,
}

impl Voice {
    /// Writes a line, with the level and the request that the bootstrap may have marked it with.
    fn print(&self, level: Level, line: String) {
        let (level, id, text) = unmark(&line).unwrap_or((level, String::new(), line));
        if !is_inner_frame(&text) {
            self.say(level, text, id);
        }
    }

    fn say(&self, level: Level, line: String, request_id: String) {
        let level = if self.quiet.load(Ordering::Relaxed) {
            Level::Debug
        } else {
            level
        };
        self.logs.write_for(&self.function, level, line, request_id);
    }
}

async fn read_out(out: ChildStdout, voice: Voice) {
    read_lines(out, |line| voice.print(Level::Info, line)).await;
}

/// Takes `␞`, a letter, the request's id and `␟` out of a line. Whatever stands before them is indentation.
fn unmark(line: &str) -> Option<(Level, String, String)> {
    let (before, rest) = line.split_once('\u{1e}')?;
    let (mark, text) = rest.split_once('\u{1f}')?;
    let mut letters = mark.chars();
    let level = match letters.next()? {
        'I' => Level::Info,
        'W' => Level::Warn,
        'E' => Level::Error,
        _ => return None,
    };
    let id = letters.as_str().to_owned();
    Some((level, id, format!("{before}{text}")))
}

#[derive(Clone, Debug, Default)]
struct Downloads(Arc<Mutex<Progress>>);

#[derive(Debug, Default)]
struct Progress {
    last: Option<Instant>,
    told: Option<Instant>,
    count: usize,
}

impl Progress {
    /// Counts a file; a line for the developer comes with the first, and again now and then.
    fn add(&mut self, now: Instant) -> Option<String> {
        self.last = Some(now);
        self.count += 1;
        let due = self.told.is_none_or(|told| now >= told + PROGRESS);
        due.then(|| {
            self.told = Some(now);
            match self.count {
                1 => "downloading dependencies".to_owned(),
                count => format!("downloading dependencies: {count} files so far"),
            }
        })
    }
}

struct ErrorReader {
    voice: Voice,
    tail: Tail,
    downloads: Downloads,
}

impl ErrorReader {
    async fn read(self, err: ChildStderr) {
        read_lines(err, |line| self.line(line)).await;
    }

    fn line(&self, line: String) {
        if !is_download(&line) {
            let text = unmark(&line).map(|(_, _, text)| text);
            self.tail.push(text.as_deref().unwrap_or(&line));
            self.voice.print(Level::Error, line);
            return;
        }
        let news = self.downloads.0.lock().add(Instant::now());
        if let Some(news) = news {
            self.voice.say(Level::Info, news, String::new());
        }
        self.voice.say(Level::Debug, line, String::new());
    }
}

/// Deno's own progress lines, `Download https://…`.
fn is_download(line: &str) -> bool {
    line.strip_prefix("Download ").is_some_and(|what| {
        what.starts_with("http") || what.starts_with("npm:") || what.starts_with("jsr:")
    })
}

/// A line of a stack that lies in our own code or in Deno's.
fn is_inner_frame(line: &str) -> bool {
    let frame = line.trim_start();
    let own = format!("/{}", files::PREFIX);
    let is_own = frame.contains(&own) && frame.contains("/code/");
    line.starts_with(' ') && frame.starts_with("at ") && (is_own || frame.contains("ext:"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proto::v1::log_line::Level;

    use tokio::time::Instant;

    use proptest::prelude::*;

    use super::{PROGRESS, Progress, is_download, is_inner_frame, unmark};

    proptest! {
        #[test]
        fn prop_any_line_is_taken_as_it_is_or_without_its_mark(line in prop_oneof!["(\u{1e}|\u{1f}|I|W|E|X|é| |r-1|Download |\u{1b}\\[0m){0,8}", ".{0,20}"]) {
            let _ = is_download(&line);
            if let Some((_, id, text)) = unmark(&line) {
                prop_assert!(id.len() + text.len() < line.len());
            }
            let marked = format!("\u{1e}Wr-1\u{1f}{line}");
            prop_assert_eq!(unmark(&marked), Some((Level::Warn, "r-1".to_owned(), line)));
        }
    }

    #[test]
    fn a_download_that_goes_on_is_told_of_now_and_then() {
        let mut progress = Progress::default();
        let begin = Instant::now();
        let mut told = |after| progress.add(begin + after).is_some();
        assert!(told(Duration::ZERO));
        assert!(!told(PROGRESS / 2));
        assert!(told(PROGRESS));
        assert!(!told(PROGRESS * 3 / 2));
        assert_eq!(
            (progress.count, progress.last),
            (4, Some(begin + PROGRESS * 3 / 2))
        );
    }

    #[test]
    fn marks_are_read_and_taken_out() {
        let marked = |level, id: &str, text: &str| Some((level, id.to_owned(), text.to_owned()));
        for (line, expected) in [
            ("\u{1e}Ir1\u{1f}hello", marked(Level::Info, "r1", "hello")),
            (
                "  \u{1e}W\u{1f}grouped",
                marked(Level::Warn, "", "  grouped"),
            ),
            ("plain", None),
            ("\u{1e}Er1 no end", None),
            ("\u{1e}Xr1\u{1f}unknown", None),
        ] {
            assert_eq!(unmark(line), expected, "{line:?}");
        }
    }

    #[test]
    fn frames_of_a_stack_that_are_not_the_users_are_told_apart() {
        for (line, expected) in [
            (
                "    at dispatch (file:///tmp/backlot-runner-x1/code/bootstrap.js:227:94)",
                true,
            ),
            (
                "    at nativeMapped (ext:deno_http/00_serve.ts:1:13714)",
                true,
            ),
            ("    at async ext:core/01_core.js:1:2", true),
            ("    at file:///p/base44/functions/f/entry.ts:1:35", false),
            ("    at /tmp/backlot-runner-x1/tmp/made.ts:1:1", false),
            ("at home in ext: nowhere", false),
        ] {
            assert_eq!(is_inner_frame(line), expected, "{line}");
        }
    }

    #[test]
    fn only_denos_own_progress_is_a_download() {
        for (line, expected) in [
            ("Download https://packages.example/x", true),
            ("Download npm:x", true),
            ("Download finished", false),
            ("  Download https://x", false),
        ] {
            assert_eq!(is_download(line), expected, "{line}");
        }
    }
}
