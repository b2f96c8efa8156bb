//! What others say to the driver, and hear of it.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use tokio::sync::{mpsc, oneshot, watch};

use crate::pool::{Cause, Changes, Definition, Endpoint, Generation, Refusal, Settings, Status};

/// The functions that are up and the names of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Those that are up.
    pub endpoints: Vec<Endpoint>,
    /// All, in the project's order.
    pub functions: Vec<String>,
    /// Those that have been called, the most recently called first.
    pub recent: Vec<String>,
}

/// What the driver is told.
#[derive(Debug)]
pub(crate) enum Command {
    Apply(Vec<Definition>, Settings, oneshot::Sender<Changes>),
    Changed(Vec<PathBuf>, oneshot::Sender<Vec<String>>),
    Acquire(
        String,
        Option<Generation>,
        Cause,
        oneshot::Sender<Result<Endpoint, Refusal>>,
    ),
    Status(oneshot::Sender<Vec<Status>>),
}

/// Speaks to the driver.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) table: watch::Receiver<Arc<Table>>,
    pub(crate) starting: watch::Receiver<BTreeSet<String>>,
}

impl Handle {
    /// Replaces the desired state; see [`Pool::apply`](crate::pool::Pool::apply).
    ///
    /// # Errors
    ///
    /// [`Refusal::Stopping`], as for all of these.
    pub async fn apply(
        &self,
        functions: Vec<Definition>,
        settings: Settings,
    ) -> Result<Changes, Refusal> {
        self.ask(|reply| Command::Apply(functions, settings, reply))
            .await
    }

    /// Says that files were saved. Returns the functions that get a new process.
    ///
    /// # Errors
    ///
    /// [`Refusal::Stopping`].
    pub async fn changed(&self, paths: Vec<PathBuf>) -> Result<Vec<String>, Refusal> {
        self.ask(|reply| Command::Changed(paths, reply)).await
    }

    /// Where a function listens, once it does. The launcher's limits bound the wait. `failed` is a process that turned
    /// out not to answer.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn acquire(
        &self,
        function: String,
        failed: Option<Generation>,
    ) -> Result<Endpoint, Refusal> {
        self.ask(|reply| Command::Acquire(function, failed, Cause::Call, reply))
            .await?
    }

    /// Starts a function that may be called soon, in a process of its own making, so that the one in waiting is left to
    /// calls. Returns when it is up.
    ///
    /// # Errors
    ///
    /// Why it is not; the developer has not been told.
    pub async fn prepare(&self, function: String) -> Result<Endpoint, Refusal> {
        self.ask(|reply| Command::Acquire(function, None, Cause::Forecast, reply))
            .await?
    }

    /// Waits until none of these functions is being started, and says where those listen that are up.
    ///
    /// # Errors
    ///
    /// [`Refusal::Stopping`].
    pub async fn settled(&self, functions: &[String]) -> Result<Vec<Endpoint>, Refusal> {
        // Whatever was told to the driver before has been acted on when this is answered.
        drop(self.status().await?);
        let mut starting = self.starting.clone();
        let settled = |starting: &BTreeSet<String>| {
            let mut names = functions.iter();
            !names.any(|name| starting.contains(name))
        };
        let waited = starting.wait_for(settled).await;
        drop(waited.map_err(|_closed| Refusal::Stopping)?);
        let table = self.table.borrow();
        let up = table.endpoints.iter();
        Ok(up
            .filter(|endpoint| functions.contains(&endpoint.function))
            .cloned()
            .collect())
    }

    /// How every function fares.
    ///
    /// # Errors
    ///
    /// [`Refusal::Stopping`].
    pub async fn status(&self) -> Result<Vec<Status>, Refusal> {
        self.ask(Command::Status).await
    }

    /// The table, as it changes.
    #[must_use]
    pub fn table(&self) -> watch::Receiver<Arc<Table>> {
        self.table.clone()
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .map_err(|_| Refusal::Stopping)?;
        answer.await.map_err(|_| Refusal::Stopping)
    }
}
