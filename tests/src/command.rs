//! Programs that are run to their end, each with a deadline: `backlot status`, npm, Node scripts, buf.

use std::{ffi::OsStr, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

/// What a program left behind.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The exit status; 128 and the signal's number where a signal ended it.
    pub code: i32,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

impl Finished {
    /// Itself, when the program succeeded.
    ///
    /// # Panics
    ///
    /// With its output, when it did not.
    #[must_use]
    pub fn success(self, what: &str) -> Self {
        assert_eq!(self.code, 0, "{what}\n{self}");
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "exit status {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

/// A program to start, which is killed when its handle is dropped and reads nothing from the terminal.
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of this crate that starts processes"
    )]
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a program to its end.
///
/// # Panics
///
/// When it cannot be started, or is not done after `limit`.
pub async fn finish(mut command: Command, limit: Duration) -> Finished {
    let name = format!("{:?}", command.as_std());
    let running = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
    let output = timeout(limit, running.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("not done within {limit:?}: {name}"))
        .unwrap_or_else(|error| panic!("cannot read the output of {name}: {error}"));
    Finished {
        code: code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The exit status as a shell tells it.
#[must_use]
pub fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}
