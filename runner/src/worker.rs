//! One running process in a group of its own: started, watched, and ended with everything that it started.

use std::{
    io,
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessGroup};
use proto::process::Announcement;
use tokio::process::{ChildStderr, ChildStdout, Command};

use crate::reaper::Reaper;

/// A child process that leads a group. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Box<dyn ChildWrapper>,
    group: Group,
}

impl Worker {
    /// Starts `command` with nothing to read, and with its output piped.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub(crate) fn spawn(mut command: Command, reaper: &Arc<Reaper>) -> io::Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = CommandWrap::from(command)
            .wrap(ProcessGroup::leader())
            .spawn()?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(Self {
            child,
            group: Group::new(pid, Arc::clone(reaper)),
        })
    }

    /// Its process id, which is the group's as well.
    #[must_use]
    pub(crate) fn pid(&self) -> u32 {
        self.group.leader.as_raw().unsigned_abs()
    }

    /// What it prints; the first call only.
    pub(crate) fn take_output(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout().take(), self.child.stderr().take())
    }

    /// Waits for its end. May be cancelled and called again.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        // The wrapper's own wait would also wait for the rest of the group, which is killed right after this.
        self.child.inner_mut().wait().await
    }

    /// Whether it has not ended yet, as far as the system tells.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.inner_mut().try_wait(), Ok(None))
    }

    /// Asks the group to end.
    pub(crate) fn terminate(&self) {
        self.group.signal(Signal::SIGTERM);
    }

    /// Ends the group.
    pub(crate) fn kill(&self) {
        self.group.signal(Signal::SIGKILL);
    }
}

/// A process group that this process is responsible for.
#[derive(Debug)]
struct Group {
    leader: Pid,
    reaper: Arc<Reaper>,
}

impl Group {
    fn new(leader: i32, reaper: Arc<Reaper>) -> Self {
        reaper.add(leader);
        Announcement::GroupStarted { group: leader }.send();
        Self {
            leader: Pid::from_raw(leader),
            reaper,
        }
    }

    fn signal(&self, signal: Signal) {
        // Nobody left in the group is what we want.
        let _ = killpg(self.leader, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let group = self.leader.as_raw();
        self.reaper.remove(group);
        Announcement::GroupEnded { group }.send();
    }
}
