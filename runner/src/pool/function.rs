//! One function: which process serves it, which is being started, and who waits.

use std::{mem, net::SocketAddr, sync::Arc, time::Duration};

use super::model::{Cause, Definition, Endpoint, Generation, LoadError, Ticket};

/// The process that answers calls.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    pub(super) generation: Generation,
    pub(super) address: SocketAddr,
    pub(super) pid: u32,
}

/// A function and its processes.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) definition: Definition,
    pub(super) serving: Option<Serving>,
    pub(super) starting: Option<Generation>,
    /// Of the last start.
    pub(super) cause: Cause,
    /// Why the newest version does not come up, and when that was found.
    pub(super) broken: Option<(Arc<LoadError>, Duration)>,
    /// Calls that wait for the process that starts.
    pub(super) waiting: Vec<Ticket>,
    /// Others who only want to know how the start goes.
    pub(super) watching: Vec<Ticket>,
    /// When it was last called.
    pub(super) used: Option<Duration>,
    pub(super) starts: u64,
    pub(super) took: Duration,
}

/// How a function fares, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The function's name.
    pub name: String,
    /// Where in its life it is.
    pub state: State,
    /// The process that serves or is being started.
    pub generation: Option<Generation>,
    /// Of the process that serves.
    pub pid: Option<u32>,
    /// Of the process that serves.
    pub address: Option<SocketAddr>,
    /// How long the last start took.
    pub took: Duration,
    /// Why it does not load.
    pub error: Option<String>,
    /// Processes started so far.
    pub starts: u64,
}

/// Where in its life a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No process.
    Idle,
    /// The first process, or the first after a while, is coming up.
    Starting,
    /// Calls are served.
    Ready,
    /// Does not load.
    Broken,
    /// No process but one that finishes.
    Draining,
}

impl Function {
    pub(super) const fn new(definition: Definition) -> Self {
        Self {
            definition,
            serving: None,
            starting: None,
            cause: Cause::Call,
            broken: None,
            waiting: Vec::new(),
            watching: Vec::new(),
            used: None,
            starts: 0,
            took: Duration::ZERO,
        }
    }

    pub(super) fn generation(&self) -> Option<Generation> {
        self.serving.as_ref().map(|serving| serving.generation)
    }

    pub(super) fn has(&self, generation: Generation) -> bool {
        self.generation() == Some(generation) || self.starting == Some(generation)
    }

    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        self.serving.as_ref().map(|serving| Endpoint {
            function: self.definition.name.clone(),
            address: serving.address,
            generation: serving.generation,
        })
    }

    /// Everybody who is to be answered.
    pub(super) fn take_tickets(&mut self) -> impl Iterator<Item = Ticket> + use<> {
        let calls = mem::take(&mut self.waiting);
        calls.into_iter().chain(mem::take(&mut self.watching))
    }

    /// The error that still stands at `now`.
    pub(super) fn broken_at(&self, now: Duration, retry: Duration) -> Option<Arc<LoadError>> {
        let (error, since) = self.broken.as_ref()?;
        (self.starting.is_none() && now.saturating_sub(*since) < retry).then(|| Arc::clone(error))
    }

    pub(super) fn status(&self, draining: bool) -> Status {
        let state = if self.serving.is_some() {
            State::Ready
        } else if self.starting.is_some() {
            State::Starting
        } else if self.broken.is_some() {
            State::Broken
        } else if draining {
            State::Draining
        } else {
            State::Idle
        };
        Status {
            name: self.definition.name.clone(),
            state,
            generation: self.generation().or(self.starting),
            pid: self.serving.as_ref().map(|serving| serving.pid),
            address: self.serving.as_ref().map(|serving| serving.address),
            took: self.took,
            error: self.broken.as_ref().map(|(error, _)| error.message.clone()),
            starts: self.starts,
        }
    }
}
