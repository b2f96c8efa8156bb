//! The terminal: what a person or a program reads of `backlot dev`.
//!
//! In text, standard output holds only what scripts wait for (the address, verification codes) and standard error the
//! rest. As JSON, everything is an object on standard output.

mod code_box;
mod entry;
mod start_block;
mod table;

use std::io::{self, Write as _};

use owo_colors::OwoColorize as _;
use parking_lot::Mutex;
use proto::telemetry::LogFormat;
use serde_json::json;

pub(crate) use self::{
    code_box::CodeBox,
    entry::{Entry, Level},
    start_block::StartBlock,
    table::Table,
};

/// Why a command ends early: one sentence, what to do, and the exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) exit: u8,
}

impl Problem {
    /// Something the user asked for or wrote is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            exit: 2,
        }
    }

    /// A part of the server failed for good.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self {
            exit: 1,
            ..Self::usage(message)
        }
    }

    /// Adds what to do about it.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }
}

/// Where everything is printed; whole lines only, whoever prints at the same time.
#[derive(Debug)]
pub(crate) struct Terminal {
    format: LogFormat,
    least: Level,
    lock: Mutex<()>,
}

impl Terminal {
    /// A terminal that shows entries of level `least` and worse.
    pub(crate) const fn new(format: LogFormat, least: Level) -> Self {
        Self {
            format,
            least,
            lock: Mutex::new(()),
        }
    }

    /// One thing that happened.
    pub(crate) fn entry(&self, entry: &Entry) {
        if entry.level < self.least {
            return;
        }
        match self.format {
            LogFormat::Json => self.out(&entry.to_json()),
            LogFormat::Text => self.err(&entry.to_text()),
        }
    }

    /// What was started; shown to people only, who did not ask for quiet.
    pub(crate) fn start_block(&self, block: &StartBlock) {
        if self.format == LogFormat::Text && self.least <= Level::Info {
            self.err(&block.to_string());
        }
    }

    /// Requests are answered at `url` from now on. Scripts wait for exactly this.
    pub(crate) fn ready(&self, url: &str) {
        match self.format {
            LogFormat::Json => self.out(&json!({ "event": "ready", "url": url }).to_string()),
            LogFormat::Text => self.out(&format!("Dev server is available at {url}")),
        }
    }

    /// A code that somebody has to type: in a box for people, and as a line of standard output for scripts.
    pub(crate) fn code(&self, code: &CodeBox, entry: &Entry) {
        match self.format {
            LogFormat::Json => self.out(&entry.to_json()),
            LogFormat::Text => {
                self.err(&code.to_string());
                self.out(&entry.message);
            }
        }
    }

    /// Several lines that belong together, such as a mistake in a file with its code frame.
    pub(crate) fn frame(&self, entry: &Entry, frame: &str) {
        match self.format {
            LogFormat::Json => self.entry(entry),
            LogFormat::Text if entry.level >= self.least => self.err(frame.trim_end()),
            LogFormat::Text => {}
        }
    }

    /// Why the command ends.
    pub(crate) fn problem(&self, problem: &Problem) {
        let hint = problem.hint.as_deref();
        match self.format {
            LogFormat::Json => {
                let mut message = problem.message.clone();
                if let Some(hint) = hint {
                    message = format!("{message}\nhint: {hint}");
                }
                self.out(&Entry::of_cli(Level::Error, message).to_json());
            }
            LogFormat::Text => {
                self.err(&format!("{} {}", "error:".red().bold(), problem.message));
                if let Some(hint) = hint {
                    self.err(&format!("\n{} {hint}", "hint:".cyan().bold()));
                }
            }
        }
    }

    // A reader that has gone away must not end the server: whoever piped the output may have read enough.
    fn out(&self, text: &str) {
        let _whole_lines = self.lock.lock();
        let mut out = anstream::AutoStream::auto(io::stdout());
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    fn err(&self, text: &str) {
        let _whole_lines = self.lock.lock();
        let mut err = anstream::AutoStream::auto(io::stderr());
        let _ = writeln!(err, "{text}");
    }
}
