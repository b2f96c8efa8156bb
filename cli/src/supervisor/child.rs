//! One child process in a process group of its own: started, watched, stopped, and never left behind.
//!
//! Services and the frontend start here; what is only run to its end, or becomes of this process, starts where it is used.

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
    sync::watch,
    time::timeout,
};

/// What to start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// Besides the environment of this process.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The folder to start in; this process' own when absent.
    pub(crate) folder: Option<PathBuf>,
}

/// A child that was started. Dropping it kills its whole group.
#[derive(Debug)]
pub(crate) struct Child {
    group: Pid,
    pid: u32,
    /// Its end tells the child that we are gone.
    _lifeline: Option<ChildStdin>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

/// What a child writes.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

impl Child {
    /// Starts a process with all three standard streams piped.
    pub(crate) fn start(start: &Start) -> io::Result<(Self, Output)> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let mut command = Command::new(&start.program);
        command
            .args(&start.arguments)
            .envs(start.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = &start.folder {
            command.current_dir(folder);
        }
        let mut process = command.spawn()?;
        let pid = process.id().ok_or_else(gone)?;
        let output = Output {
            stdout: process.stdout.take().ok_or_else(gone)?,
            stderr: process.stderr.take().ok_or_else(gone)?,
        };
        let lifeline = process.stdin.take();
        let (ended, exit) = watch::channel(None);
        tokio::spawn(async move {
            let status = process.wait().await.unwrap_or_default();
            ended.send_replace(Some(status));
        });
        let child = Self {
            group: Pid::from_raw(pid.cast_signed()),
            pid,
            _lifeline: lifeline,
            exit,
        };
        Ok((child, output))
    }

    /// The process id, which is also that of the group.
    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for the end of the process; may be called, and given up, any number of times.
    pub(crate) async fn ended(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|status| *status).unwrap_or_default()
    }

    /// Asks the process to end, with TERM to its group, and kills the group after `limit`. The lifeline stays: to lose it
    /// means to hurry, and there is something to finish.
    pub(crate) async fn stop(self, limit: Duration) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let ended = timeout(limit, self.ended()).await;
        // Also when the leader has ended: it may have left others of its group behind.
        self.signal(Signal::SIGKILL);
        match ended {
            Ok(status) => status,
            Err(_elapsed) => self.ended().await,
        }
    }

    fn signal(&self, signal: Signal) {
        kill_group(self.group, signal);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Sends a signal to a process group; one that is gone is no error.
pub(crate) fn kill_group(group: Pid, signal: Signal) {
    let _ = killpg(group, signal);
}

fn gone() -> io::Error {
    io::Error::other("the process ended while it was being started")
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

    use super::{Child, Output, Start};

    fn shell(script: &str) -> Start {
        Start {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".into(), script.into()],
            ..Start::default()
        }
    }

    /// A pipe ends when its last writer is gone, grandchildren included.
    async fn all_writers_gone(mut output: Output) {
        let mut rest = Vec::new();
        output.stdout.read_to_end(&mut rest).await.unwrap();
    }

    async fn says_up(output: &mut Output) {
        let mut line = String::new();
        BufReader::new(&mut output.stdout)
            .read_line(&mut line)
            .await
            .unwrap();
        assert_eq!(line, "up\n");
    }

    #[tokio::test]
    async fn stopping_reaches_grandchildren_that_ignore_the_request() {
        let script = "trap '' TERM; sh -c \"trap '' TERM; echo up; sleep 600\" & sleep 600";
        let (child, mut output) = Child::start(&shell(script)).unwrap();
        says_up(&mut output).await;
        let status = child.stop(Duration::from_millis(50)).await;
        assert!(!status.success());
        tokio::time::timeout(Duration::from_secs(60), all_writers_gone(output))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn dropping_a_child_kills_its_group() {
        let (child, output) = Child::start(&shell("sleep 600 & sleep 600")).unwrap();
        drop(child);
        tokio::time::timeout(Duration::from_secs(60), all_writers_gone(output))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_child_that_ends_when_asked_hands_on_its_status() {
        let script = "trap 'exit 3' TERM; echo up; sleep 600 & wait";
        let (child, mut output) = Child::start(&shell(script)).unwrap();
        says_up(&mut output).await;
        let status = child.stop(Duration::from_secs(60)).await;
        assert_eq!(status.code(), Some(3));
    }
}
