//! How a run of the server ends: the signals that ask for it, and the exit status that tells of it.

use std::{fs, future::pending, process::ExitStatus};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ui::Problem;

/// What a second request to stop exits with: 128 and the number of SIGINT, as shells have it.
pub(crate) const CUT_SHORT: u8 = 130;

/// The signals that ask this process to stop.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Absent under `nohup`.
    hang_up: Option<Signal>,
}

impl Signals {
    /// From now on they are ours to handle.
    pub(crate) fn listen() -> Result<Self, Problem> {
        let listen = |kind| {
            signal(kind).map_err(|error| Problem::broken(format!("cannot watch signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: (!ignores_hang_up())
                .then(|| listen(SignalKind::hangup()))
                .transpose()?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hung_up(self.hang_up.as_mut()) => {}
        }
    }
}

async fn hung_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}

/// Whether who started this process wants it to outlive the terminal. Known on Linux only.
fn ignores_hang_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is the first signal.
    mask.is_some_and(|mask| mask & 1 != 0)
}

/// Why the server ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Somebody asked.
    Asked,
    /// The frontend has ended, and the whole with it.
    Frontend(ExitStatus),
    /// A service is beyond help.
    Broken(Problem),
}

impl Ending {
    /// The exit status; a frontend hands on its own, and a clean end of it is not a failure.
    pub(crate) fn exit(self) -> Result<u8, Problem> {
        match self {
            Self::Asked => Ok(0),
            Self::Frontend(status) => {
                let code = status
                    .code()
                    .and_then(|code| u8::try_from(code).ok())
                    .unwrap_or(1);
                Ok(code)
            }
            Self::Broken(problem) => Err(problem),
        }
    }
}
