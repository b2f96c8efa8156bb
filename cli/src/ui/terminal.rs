//! Where everything is printed: whole lines only, whoever prints at the same time, with repetitions counted and a line at
//! the bottom for what is under way.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Instant,
};

use owo_colors::OwoColorize as _;
use parking_lot::Mutex;
use proto::telemetry::LogFormat;
use serde_json::{Map, Value, json};
use tokio::{sync::Notify, time::sleep_until};

use super::{
    CodeBox, Entry, Level, Problem, StartBlock, columns,
    entry::{LABEL, WIDEST_LABEL},
    repeats::{Counted, Repeats},
};

/// Wipes the line that the cursor is in.
const WIPE: &str = "\r\x1b[2K";

/// The terminal, or what takes its place.
#[derive(Debug)]
pub(crate) struct Terminal {
    format: LogFormat,
    least: Level,
    state: Mutex<State>,
    /// Something was held back.
    held: Notify,
}

#[derive(Debug)]
struct State {
    repeats: Repeats,
    label: usize,
    /// What is under way; shown below everything else, on a terminal only.
    progress: Option<String>,
    rewrites: bool,
}

impl Terminal {
    /// A terminal that shows entries of level `least` and worse.
    pub(crate) fn new(format: LogFormat, least: Level) -> Self {
        let is_for_people = format == LogFormat::Text && least <= Level::Info;
        Self {
            format,
            least,
            state: Mutex::new(State {
                repeats: Repeats::default(),
                label: LABEL,
                progress: None,
                rewrites: is_for_people && io::stderr().is_terminal(),
            }),
            held: Notify::new(),
        }
    }

    /// Labels are aligned for functions with these names; longer ones lose their beginning.
    pub(crate) fn align<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let widest = names.map(|name| name.chars().count()).max().unwrap_or(0);
        let most = WIDEST_LABEL.min(columns() / 4);
        self.state.lock().label = widest.clamp(LABEL, most.max(LABEL));
    }

    /// One thing that happened. Every one is printed as JSON; as text, those within a second are counted.
    pub(crate) fn entry(&self, entry: &Entry) {
        let mut state = self.state.lock();
        if entry.level < self.least {
            if is_download(entry) {
                let line = entry.to_text(state.label);
                state.set_progress(Some(line));
            }
            return;
        }
        match self.format {
            LogFormat::Json => state.out(&entry.to_json()),
            LogFormat::Text => {
                let counted = state.repeats.offer(entry, Instant::now());
                state.show(counted);
                if state.repeats.next_due().is_some() {
                    self.held.notify_one();
                }
            }
        }
    }

    /// Shows what was held back when its time comes, for ever.
    pub(crate) async fn keep_counting(&self) {
        loop {
            let due = self.state.lock().repeats.next_due();
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => self.held.notified().await,
            }
            let mut state = self.state.lock();
            let counted = state.repeats.due(Instant::now());
            state.show(counted);
        }
    }

    /// Shows what was held back, now.
    pub(crate) fn flush(&self) {
        let mut state = self.state.lock();
        state.set_progress(None);
        let counted = state.repeats.flush();
        state.show(counted);
    }

    /// What is under way, on one line that is rewritten; nothing where lines cannot be.
    pub(crate) fn progress(&self, text: Option<&str>) {
        let mut state = self.state.lock();
        let label = state.label;
        let line = text.map(|text| Entry::of_cli(Level::Info, text).to_text(label));
        state.set_progress(line);
    }

    /// True where [`Terminal::progress`] shows something.
    pub(crate) fn shows_progress(&self) -> bool {
        self.state.lock().rewrites
    }

    /// What was started; shown to people only, who did not ask for quiet.
    pub(crate) fn start_block(&self, block: &StartBlock) {
        if self.format == LogFormat::Text && self.least <= Level::Info {
            self.state.lock().err(&block.to_string());
        }
    }

    /// Requests are answered at `url` from now on. Scripts wait for exactly this; as JSON it has `facts` beside it.
    pub(crate) fn ready(&self, url: &str, facts: &Map<String, Value>) {
        let line = match self.format {
            LogFormat::Json => {
                let mut event = json!({ "event": "ready", "url": url });
                if let Some(event) = event.as_object_mut() {
                    event.extend(facts.clone());
                }
                event.to_string()
            }
            LogFormat::Text => format!("Dev server is available at {url}"),
        };
        self.state.lock().out(&line);
    }

    /// A code that somebody has to type: in a box for people, and as a line of standard output for scripts.
    pub(crate) fn code(&self, code: &CodeBox, entry: &Entry) {
        let state = self.state.lock();
        match self.format {
            LogFormat::Json => state.out(&entry.to_json()),
            LogFormat::Text => {
                state.err(&code.to_text(columns()));
                state.out(&entry.message);
            }
        }
    }

    /// Several lines that belong together, such as a mistake in a file with its code frame.
    pub(crate) fn frame(&self, entry: &Entry, frame: &str) {
        match self.format {
            LogFormat::Json => self.entry(entry),
            LogFormat::Text if entry.level >= self.least => {
                self.state.lock().err(frame.trim_end());
            }
            LogFormat::Text => {}
        }
    }

    /// The command ends, and nothing is wrong: what programs hear of it. Those who asked see it themselves.
    pub(crate) fn end(&self, exit: u8) {
        if self.format == LogFormat::Json {
            let mut entry = Entry::of_cli(Level::Info, "the server has ended");
            entry.tell("event", "end");
            entry.tell("exit", exit);
            self.state.lock().out(&entry.to_json());
        }
    }

    /// Why the command ends.
    pub(crate) fn problem(&self, problem: &Problem) {
        let hint = problem.hint.as_deref();
        let state = self.state.lock();
        match self.format {
            LogFormat::Json => {
                let mut entry = Entry::of_cli(Level::Error, problem.message.clone());
                entry.tell("event", "end");
                entry.tell("exit", problem.exit);
                if let Some(hint) = hint {
                    entry.tell("hint", hint);
                }
                state.out(&entry.to_json());
            }
            LogFormat::Text => {
                state.err(&format!("{} {}", "error:".red().bold(), problem.message));
                if let Some(hint) = hint {
                    state.err(&format!("\n{} {hint}", "hint:".cyan().bold()));
                }
            }
        }
    }
}

impl State {
    fn show(&mut self, counted: Vec<Counted>) {
        for Counted { entry, count } in counted {
            // Whoever was downloading has something to say now.
            if entry.function.is_some() {
                self.set_progress(None);
            }
            let mut text = entry.to_text(self.label);
            if count > 1 {
                text.push_str(&format!(" {}", format_args!("(×{count})").dimmed()));
            }
            self.err(&text);
        }
    }

    fn set_progress(&mut self, line: Option<String>) {
        if self.rewrites && self.progress != line {
            self.wipe();
            self.progress = line;
            self.draw();
        }
    }

    // A reader that has gone away must not end the server: whoever piped the output may have read enough.
    fn out(&self, text: &str) {
        self.wipe();
        let mut out = anstream::AutoStream::auto(io::stdout());
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        self.draw();
    }

    fn err(&self, text: &str) {
        self.wipe();
        let mut err = anstream::AutoStream::auto(io::stderr());
        let _ = writeln!(err, "{text}");
        self.draw();
    }

    fn wipe(&self) {
        if self.progress.is_some() {
            let _ = write!(io::stderr(), "{WIPE}");
        }
    }

    fn draw(&self) {
        if let Some(line) = &self.progress {
            let plain = anstream::adapter::strip_str(line).to_string();
            // One that wraps could not be rewritten.
            let room = columns::of_terminal().saturating_sub(2);
            let line: String = plain.chars().take(room).collect();
            let _ = write!(io::stderr(), "{line}");
        }
    }
}

/// Deno says what it downloads while a first call waits for it.
fn is_download(entry: &Entry) -> bool {
    entry.function.is_some() && entry.message.starts_with("Download ")
}
