//! What a one-shot command prints: its result on standard output, as text or with `--json` as one document, and
//! everything else on standard error.
//!
//! A command is a future that answers a [`Done`] or a [`CommandError`]; [`run`] does the rest.

mod ask;
mod error;
mod unparsed;

use std::{
    future::Future,
    io::{self, Write as _},
    process::ExitCode,
};

use owo_colors::OwoColorize as _;
use serde::Serialize;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use self::{
    error::{CommandError, ErrorCode},
    unparsed::unparsed,
};

/// Who waits for a command to end hears that a signal did it as shells say it: with this and the signal's number.
const SIGNALLED: u8 = 128;

/// How a command talks to whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// A person, or a script that reads lines.
    Text,
    /// A program: one JSON document on standard output.
    Json,
}

/// How a command ended that did what it could.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Done {
    text: String,
    json: Value,
    exit: u8,
}

impl Done {
    /// `text` for people, without a newline at its end; `json` for programs.
    pub(crate) fn new(text: impl Into<String>, json: &impl Serialize) -> Self {
        Self {
            text: text.into(),
            json: serde_json::to_value(json).expect("results have string keys only"),
            exit: 0,
        }
    }

    /// Nothing more to print: the lines have been printed one by one.
    pub(crate) const fn silent() -> Self {
        Self {
            text: String::new(),
            json: Value::Null,
            exit: 0,
        }
    }

    /// The same, with another exit status.
    pub(crate) const fn with_exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }
}

impl Output {
    /// As `--json` says.
    pub(crate) const fn new(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Whether a program reads.
    pub(crate) const fn is_json(self) -> bool {
        matches!(self, Self::Json)
    }

    /// Something to know while the command works: a line on standard error, whoever reads.
    #[expect(
        clippy::unused_self,
        reason = "whoever has no output has nothing to say"
    )]
    pub(crate) fn note(self, text: &str) {
        let mut err = anstream::AutoStream::auto(io::stderr().lock());
        // Nobody is left to tell that standard error is gone.
        let _ = writeln!(err, "{text}");
    }

    /// One line of a command that prints as it goes, at once.
    ///
    /// # Errors
    ///
    /// When nobody reads any more: time to end.
    #[expect(
        clippy::unused_self,
        reason = "whoever has no output has nothing to say"
    )]
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        let mut out = anstream::AutoStream::auto(io::stdout().lock());
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Prints the end of a command and says its exit status.
    pub(crate) fn finish(self, outcome: Result<Done, CommandError>) -> ExitCode {
        let exit = match outcome {
            Ok(done) => {
                self.result(&done);
                done.exit
            }
            Err(error) => {
                self.failure(&error);
                error.code.exit()
            }
        };
        ExitCode::from(exit)
    }

    fn result(self, done: &Done) {
        // Whoever closed the pipe has read enough.
        let _ = match self {
            Self::Json if !done.json.is_null() => self.line(&format!("{:#}", done.json)),
            Self::Text if !done.text.is_empty() => self.line(&done.text),
            Self::Json | Self::Text => Ok(()),
        };
    }

    fn failure(self, error: &CommandError) {
        if self.is_json() {
            let _ = self.line(&error.to_json().to_string());
            return;
        }
        self.note(&format!("{} {}", "error:".red().bold(), error.message));
        for detail in &error.details {
            self.note(&format!("  {detail}"));
        }
        if let Some(id) = &error.request_id {
            self.note(&format!("  {} {id}", "request id:".dimmed()));
        }
        if !error.hints.is_empty() {
            self.note("");
        }
        for hint in &error.hints {
            self.note(&format!("{} {hint}", "hint:".cyan().bold()));
        }
    }
}

/// Runs a command to its end, or to a signal that ends it: then its future is dropped, which undoes what it had not
/// finished.
pub(crate) fn run<F>(output: Output, command: F) -> ExitCode
where
    F: Future<Output = Result<Done, CommandError>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("cannot start: {error}");
            return output.finish(Err(CommandError::new(ErrorCode::Internal, message)));
        }
    };
    let exit = runtime.block_on(async {
        let signal = ending_signal();
        tokio::select! {
            outcome = command => output.finish(outcome),
            number = signal => ExitCode::from(SIGNALLED + number),
        }
    });
    // A question that nobody answered waits in a thread that cannot be stopped.
    runtime.shutdown_background();
    exit
}

/// The number of the next signal that asks to end: SIGINT or SIGTERM. They are ours from the call on.
fn ending_signal() -> impl Future<Output = u8> {
    let interrupt = arrival(SignalKind::interrupt());
    let terminate = arrival(SignalKind::terminate());
    async {
        tokio::select! {
            () = interrupt => 2,
            () = terminate => 15,
        }
    }
}

/// One that cannot be watched does what it does by itself.
fn arrival(kind: SignalKind) -> impl Future<Output = ()> {
    let signal = signal(kind);
    async {
        match signal {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_unwatched) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use nix::sys::signal::{Signal, raise};

    use super::{Output, run};

    #[test]
    fn a_signal_to_end_drops_what_the_command_has_not_finished() {
        for (signal, exit) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
            let draft = tempfile::tempdir().unwrap();
            let path = draft.path().to_owned();
            let ended = run(Output::Text, async move {
                let _draft = draft;
                raise(signal).unwrap();
                std::future::pending().await
            });
            assert_eq!(format!("{ended:?}"), format!("{:?}", ExitCode::from(exit)));
            assert!(!path.exists(), "{signal}");
        }
    }
}
