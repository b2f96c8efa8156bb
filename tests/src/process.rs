//! Processes as the system lists them: what a server has started, and whether any of it is left. Linux only.

use std::fs;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The variable whose value, unlike for every server, is inherited by all that it starts.
pub(crate) const MARK: &str = "BACKLOT_TEST_MARK";

/// A process that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: i32,
    /// The arguments, with spaces between.
    pub arguments: String,
}

/// The processes that were started, however indirectly, with `mark` in their environment.
///
/// Parents tell nothing here: a process whose parent is gone belongs to somebody else.
pub(crate) fn marked(mark: &str) -> Vec<Process> {
    let wanted = format!("{MARK}={mark}");
    let is_marked = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == wanted.as_bytes())
    };
    let pids = fs::read_dir("/proc").expect("Linux lists processes in /proc");
    pids.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_marked)
        .map(|pid| Process {
            pid,
            arguments: arguments(pid),
        })
        .collect()
}

fn arguments(pid: i32) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&raw)
        .trim_end_matches('\0')
        .replace('\0', " ")
}

/// Sends a signal to one process; one that is gone is no error.
pub fn send(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}
