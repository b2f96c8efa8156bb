//! One file a sub-command, and what those have in common that ask something and end.

pub(crate) mod account;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod entities;
pub(crate) mod exec;
pub(crate) mod functions;
pub(crate) mod guard;
pub(crate) mod init;
pub(crate) mod logs;
pub(crate) mod new;
mod running;
pub(crate) mod secrets;
pub(crate) mod status;
pub(crate) mod types;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use proto::telemetry::LogFormat;
use serde::Serialize;

use crate::ui::{Level, Problem, Terminal};

/// The exit status of a command; why it failed is said on standard error.
fn ended(result: Result<ExitCode, Problem>) -> ExitCode {
    result.unwrap_or_else(|problem| {
        Terminal::new(LogFormat::Text, Level::Info).problem(&problem);
        ExitCode::from(problem.exit)
    })
}

/// Runs the asynchronous part of a command to its end.
fn block_on(work: impl Future<Output = Result<ExitCode, Problem>>) -> Result<ExitCode, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::broken(format!("cannot start the runtime: {error}")))?;
    let ended = runtime.block_on(work);
    runtime.shutdown_background();
    ended
}

/// A command's answer, on standard output.
fn print(text: &str) {
    // A reader that has gone away has read enough.
    let _ = writeln!(anstream::AutoStream::auto(io::stdout()), "{text}");
}

/// A command's answer as one JSON document.
fn print_json(answer: &impl Serialize) {
    print(&serde_json::to_string(answer).expect("an answer is plain data"));
}
