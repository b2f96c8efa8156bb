//! What the pool decides about: functions, the settings of their processes, and what is done or answered.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use proto::{Code, Failure};
use thiserror::Error;

use super::limits::{Farewell, Limits};

/// One process ever started, in the order of starting; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// A call that waits for a function to be up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Somebody wants a function to be up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whom to answer.
    pub ticket: Ticket,
    /// A process that turned out not to answer.
    pub failed: Option<Generation>,
    /// What for.
    pub cause: Cause,
}

/// Why a process is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The function is called, or was and has been saved since.
    Call,
    /// It may be called soon: nobody waits, and nobody is told when it does not load.
    Forecast,
}

/// A function as the project defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The name that calls use, `email/send`.
    pub name: String,
    /// Absolute path of the entry file.
    pub entry: PathBuf,
    /// The entry relative to the project.
    pub source: String,
}

/// What all function processes have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Absolute path of the project.
    pub root: PathBuf,
    /// Absolute paths of folders outside it that functions come from, such as plugins.
    pub code_folders: Vec<PathBuf>,
    /// The whole environment of a process.
    pub environment: BTreeMap<String, String>,
    /// The Deno executable, or why there is none and how to get it.
    pub deno: Deno,
    /// Every permission instead of the usual ones.
    pub all_permissions: bool,
    /// How long a process may go without a request; `None` for ever.
    pub idle: Option<Duration>,
    /// How long everything else may take.
    pub limits: Limits,
}

/// Whether functions can run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deno {
    /// The executable.
    Found(PathBuf),
    /// What to tell callers.
    Missing(String),
}

impl Default for Deno {
    fn default() -> Self {
        Self::Missing("Deno is required to run backend functions".to_owned())
    }
}

impl Settings {
    /// Everything that functions consist of lies in one of these.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        let mut roots = vec![self.root.clone()];
        roots.extend_from_slice(&self.code_folders);
        roots
    }

    /// Whether processes started under `other` are as they would be under these.
    #[must_use]
    pub fn alike(&self, other: &Self) -> bool {
        let Self {
            root,
            code_folders,
            environment,
            deno,
            all_permissions,
            idle: _,
            limits: _,
        } = self;
        *root == other.root
            && *code_folders == other.code_folders
            && *environment == other.environment
            && *deno == other.deno
            && *all_permissions == other.all_permissions
    }
}

/// Where a function listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The function's name.
    pub function: String,
    /// Speaks HTTP/1.1.
    pub address: SocketAddr,
    /// The process behind it.
    pub generation: Generation,
}

/// Why a process did not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Whether it said so, or just took too long.
    pub kind: LoadErrorKind,
    /// One or two lines, with paths relative to the project.
    pub message: String,
    /// Stack, code frame and last output; for the log.
    pub detail: String,
    /// `base44/functions/x/entry.ts:3:5`, where it is a mistake in the code; else empty.
    pub place: String,
    /// Whether the log has the detail already, because the process printed it.
    pub printed: bool,
}

/// In which way a process did not come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadErrorKind {
    /// The module threw, does not parse or has no handler, or the process ended.
    Failed,
    /// Not ready within the limit.
    TimedOut,
}

/// Why a call gets no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such function.
    #[error("Function \"{0}\" not found")]
    Unknown(String),
    /// Functions cannot run on this machine as it is.
    #[error("{0}")]
    NoDeno(String),
    /// The function does not come up.
    #[error("{}", broken(.0, .1))]
    Broken(String, Arc<LoadError>),
    /// The runner is about to end.
    #[error("The server is shutting down")]
    Stopping,
}

fn broken(function: &str, error: &LoadError) -> String {
    match error.kind {
        LoadErrorKind::Failed => {
            format!("Function \"{function}\" failed to start: {}", error.message)
        }
        LoadErrorKind::TimedOut => format!("Function \"{function}\" {}", error.message),
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Unknown(_) => Self::new(Code::NotFound, message),
            Refusal::Broken(_, error) => {
                let code = match error.kind {
                    LoadErrorKind::Failed => Code::FunctionFailed,
                    LoadErrorKind::TimedOut => Code::Timeout,
                };
                Self::new(code, message).with_detail(error.detail.clone())
            }
            Refusal::NoDeno(_) | Refusal::Stopping => Self::new(Code::Unavailable, message),
        }
    }
}

/// What the pool wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start a process for the function.
    Start(Generation, Definition, Cause),
    /// Let the process finish and end.
    Drain(Generation, Farewell),
    /// End the process now.
    Kill(Generation),
    /// Answer a waiting call.
    Answer(Ticket, Result<Endpoint, Refusal>),
    /// The table of endpoints, of names or of functions in use may have changed.
    Publish,
    /// The function does not exist any more.
    Forget(String),
}

/// What a new desired state changed, each in the order of the new state or of the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Functions that were not there before.
    pub added: Vec<String>,
    /// Functions with another entry, or with other settings.
    pub changed: Vec<String>,
    /// Functions that are gone.
    pub removed: Vec<String>,
}

/// What the end of a process means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It had been asked to.
    Expected,
    /// It served, and is replaced at the next call.
    Unexpected,
}
