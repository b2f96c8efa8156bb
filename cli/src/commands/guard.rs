//! `backlot guard COMMAND`: runs a shell command and ends it, with all that it started, when our parent is gone.
//!
//! A frontend does not know of our lifeline. This process does, and stands between: it shares the command's process
//! group, which it kills when standard input ends or a signal says so. What leaves that group on purpose, such as a browser
//! that was opened or a build daemon for all projects, is let go.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::getpgrp,
};
use proto::process::watch_lifeline;
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long the command may take to end when asked. Shorter than what our parent waits for us, and than the two seconds
/// after which a process without a parent ends itself.
const STOP_LIMIT: Duration = Duration::from_millis(1500);

/// Runs `command` through the shell; its exit status is ours.
pub(crate) fn run(command: &str) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(_error) => return ExitCode::FAILURE,
    };
    let code = runtime
        .block_on(guard(command))
        .unwrap_or(ExitCode::FAILURE);
    runtime.shutdown_background();
    code
}

async fn guard(command: &str) -> std::io::Result<ExitCode> {
    let gone = CancellationToken::new();
    watch_lifeline(gone.clone())?;
    // Caught, so that the signal we send to the whole group does not end us before the others.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut shell = shell(command).spawn()?;
    let ended = tokio::select! {
        status = shell.wait() => Some(status?),
        () = gone.cancelled() => None,
        _ = terminate.recv() => None,
    };
    if let Some(status) = ended {
        return Ok(code(status));
    }
    let _ = killpg(getpgrp(), Signal::SIGTERM);
    let _ = timeout(STOP_LIMIT, shell.wait()).await;
    // Ends us as well; there is nobody left to tell a status to.
    let _ = killpg(getpgrp(), Signal::SIGKILL);
    Ok(ExitCode::FAILURE)
}

fn shell(command: &str) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "stays in this process' own group on purpose"
    )]
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).stdin(Stdio::null());
    shell
}

fn code(status: ExitStatus) -> ExitCode {
    let byte = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(byte.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
