//! How a run of the server ends: the signals that ask for it, and the exit status that tells of it.

use std::process::ExitStatus;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ui::Problem;

/// What a second request to stop exits with: 128 and the number of SIGINT, as shells have it.
pub(crate) const CUT_SHORT: u8 = 130;

/// The signals that ask this process to stop.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
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
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
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
