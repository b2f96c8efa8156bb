//! What the driver needs of whoever starts function processes, so that a scripted one can stand in for Deno in tests.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::pool::{Cause, Definition, Farewell, Generation, LoadError, Settings};

/// Starts function processes.
pub trait Launcher: fmt::Debug + Send + Sync + 'static {
    /// Begins to start a process and returns at once. Everything else is told through `job.reports`, and the last thing
    /// that is told is [`Report::Exited`], whatever happens. Dropping the returned orders ends the process.
    fn launch(&self, job: Job) -> Orders;

    /// New settings: processes that wait to be used must fit them. `wanted` is false when there are no functions.
    fn prepare(&self, settings: Arc<Settings>, wanted: bool);

    /// Starts nothing more and ends the processes that wait to be used.
    fn close(&self);
}

/// One process to start.
#[derive(Debug)]
pub struct Job {
    /// Its number.
    pub generation: Generation,
    /// What it runs.
    pub function: Definition,
    /// Why it is started.
    pub cause: Cause,
    /// How it runs.
    pub settings: Arc<Settings>,
    /// Where to tell what becomes of it.
    pub reports: Reports,
}

/// What becomes of one process.
#[derive(Clone, Debug)]
pub struct Reports {
    generation: Generation,
    sender: mpsc::UnboundedSender<(Generation, Report)>,
}

impl Reports {
    /// Reports about `generation`.
    #[must_use]
    pub const fn new(
        generation: Generation,
        sender: mpsc::UnboundedSender<(Generation, Report)>,
    ) -> Self {
        Self { generation, sender }
    }

    /// Tells the driver; one that is gone does not want to know.
    pub fn send(&self, report: Report) {
        let _ = self.sender.send((self.generation, report));
    }
}

/// News of a process.
#[derive(Clone, Debug)]
pub enum Report {
    /// It serves.
    Listening {
        /// Where.
        address: SocketAddr,
        /// Its process id.
        pid: u32,
        /// From the order to start until now.
        took: Duration,
    },
    /// It will never serve.
    Failed(LoadError),
    /// It has been called; not told for every call.
    Used,
    /// It has had nothing to do for so long.
    Unused(Duration),
    /// It is gone, with every process that it started; the text says how it ended.
    Exited(String),
}

/// The way to tell one process what to do.
#[derive(Clone, Debug)]
pub struct Orders(mpsc::UnboundedSender<Order>);

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Finish what has begun, then end.
    Drain(Farewell),
    /// End now.
    Kill,
}

impl Orders {
    /// The sending and the receiving end.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Gives an order; a process that is gone needs none.
    pub fn send(&self, order: Order) {
        let _ = self.0.send(order);
    }
}
