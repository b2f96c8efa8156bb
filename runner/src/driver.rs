//! Carries out what the pool decides: starts and ends processes, answers calls, publishes the table.
//!
//! One task owns the pool; everybody else holds a [`Handle`] and sends it commands.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use proto::v1::log_line::Level;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    graph::Graph,
    launcher::{Job, Launcher, Order, Orders, Report, Reports},
    logs::Logs,
    pool::{
        Action, Ask, Cause, Changes, Definition, Ending, Endpoint, Generation, Pool, Refusal,
        Settings, Status, Ticket,
    },
};

/// How long the end of all processes may take; the service has four seconds and its parent kills after five.
const STOP: Duration = Duration::from_millis(3800);

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

#[derive(Debug)]
enum Command {
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
    commands: mpsc::UnboundedSender<Command>,
    table: watch::Receiver<Arc<Table>>,
    starting: watch::Receiver<BTreeSet<String>>,
}

impl Handle {
    /// Replaces the desired state; see [`Pool::apply`].
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

/// The task's state.
#[derive(Debug)]
pub struct Driver {
    pool: Pool,
    launcher: Arc<dyn Launcher>,
    logs: Arc<Logs>,
    started: Instant,
    commands: mpsc::UnboundedReceiver<Command>,
    reports: mpsc::UnboundedReceiver<(Generation, Report)>,
    report: mpsc::UnboundedSender<(Generation, Report)>,
    workers: HashMap<Generation, Orders>,
    graphs: HashMap<String, Graph>,
    last_ticket: u64,
    waiting: HashMap<Ticket, oneshot::Sender<Result<Endpoint, Refusal>>>,
    table: watch::Sender<Arc<Table>>,
    /// Functions with a process that comes up.
    starting: watch::Sender<BTreeSet<String>>,
}

impl Driver {
    /// A driver without functions, and the way to speak to it.
    #[must_use]
    pub fn new(launcher: Arc<dyn Launcher>, logs: Arc<Logs>) -> (Self, Handle) {
        let (send_commands, commands) = mpsc::unbounded_channel();
        let (report, reports) = mpsc::unbounded_channel();
        let (table, watch) = watch::channel(Arc::default());
        let (starting, watch_starting) = watch::channel(BTreeSet::new());
        let handle = Handle {
            commands: send_commands,
            table: watch,
            starting: watch_starting,
        };
        let driver = Self {
            pool: Pool::default(),
            launcher,
            logs,
            started: Instant::now(),
            commands,
            reports,
            report,
            workers: HashMap::new(),
            graphs: HashMap::new(),
            last_ticket: 0,
            waiting: HashMap::new(),
            table,
            starting,
        };
        (driver, handle)
    }

    /// Works until `stop`, then lets every process finish what it has begun, and returns when all have ended. Once
    /// `kill` is cancelled as well, they finish nothing.
    pub async fn run(mut self, stop: CancellationToken, kill: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some((generation, report)) = self.reports.recv() => self.on_report(generation, report),
                command = self.commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
            }
            self.act();
        }
        self.finish(&kill).await;
    }

    async fn finish(&mut self, kill: &CancellationToken) {
        let deadline = Instant::now() + STOP;
        self.commands.close();
        self.pool.stop();
        self.launcher.close();
        self.act();
        let mut killed = false;
        while !self.workers.is_empty() {
            let report = tokio::select! {
                report = timeout_at(deadline, self.reports.recv()) => report,
                () = kill.cancelled(), if !killed => {
                    killed = true;
                    self.workers.values().for_each(|worker| worker.send(Order::Kill));
                    continue;
                }
            };
            let Ok(Some((generation, report))) = report else {
                tracing::warn!(
                    processes = self.workers.len(),
                    "function processes did not end in time"
                );
                return;
            };
            self.on_report(generation, report);
            self.act();
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Apply(functions, settings, reply) => {
                let changes = self.pool.apply(functions, settings);
                let wanted = self.pool.definitions().next().is_some();
                self.launcher.prepare(self.pool.settings(), wanted);
                let _ = reply.send(changes);
            }
            Command::Changed(paths, reply) => {
                let touched = self.touched(&paths);
                let _ = reply.send(self.pool.changed(&touched));
            }
            Command::Acquire(function, failed, cause, reply) => {
                self.waiting.retain(|ticket, reply| {
                    let gone = reply.is_closed();
                    if gone {
                        self.pool.give_up(*ticket);
                    }
                    !gone
                });
                self.last_ticket += 1;
                let ticket = Ticket(self.last_ticket);
                self.waiting.insert(ticket, reply);
                let now = self.now();
                let ask = Ask {
                    ticket,
                    failed,
                    cause,
                };
                self.pool.acquire(&function, ask, now);
            }
            Command::Status(reply) => {
                let _ = reply.send(self.pool.status());
            }
        }
    }

    /// The functions whose code or data contains one of `paths`.
    fn touched(&self, paths: &[PathBuf]) -> Vec<String> {
        let concerned = |name: &String| {
            let graph = self.graphs.get(name);
            graph.is_some_and(|graph| paths.iter().any(|path| graph.contains(path)))
        };
        self.pool.names().into_iter().filter(concerned).collect()
    }

    fn on_report(&mut self, generation: Generation, report: Report) {
        let now = self.now();
        let owner = self.pool.owner(generation).map(str::to_owned);
        match report {
            Report::Listening { address, pid, took } => {
                if let Some(name) = owner {
                    let line = format!("started in {} ms", took.as_millis());
                    self.logs.write(&name, Level::Debug, line);
                }
                self.pool.listening(generation, address, pid, took);
            }
            Report::Failed(error) => self.pool.failed(generation, error, now),
            Report::Used => self.pool.used(generation, now),
            Report::Unused(idle) => self.pool.unused(generation, idle),
            Report::Exited(how) => {
                self.workers.remove(&generation);
                let ending = self.pool.exited(generation, now);
                if let (Ending::Unexpected, Some(name)) = (ending, owner) {
                    let line = format!("process ended: {how}; the next call starts a new one");
                    self.logs.write(&name, Level::Error, line);
                }
            }
        }
    }

    fn act(&mut self) {
        for action in self.pool.take_actions() {
            match action {
                Action::Start(generation, function, cause) => {
                    self.start(generation, function, cause);
                }
                Action::Drain(generation, farewell) => {
                    self.order(generation, Order::Drain(farewell));
                }
                Action::Kill(generation) => self.order(generation, Order::Kill),
                Action::Answer(ticket, answer) => {
                    if let Some(reply) = self.waiting.remove(&ticket) {
                        let _ = reply.send(answer);
                    }
                }
                Action::Publish => self.publish(),
                Action::Forget(name) => {
                    self.graphs.remove(&name);
                    self.logs.forget(&name);
                }
            }
        }
        // After the table, so that whoever saw a start end finds its outcome there.
        let starting = self.pool.starts();
        self.starting.send_if_modified(|current| {
            let changed = *current != starting;
            *current = starting;
            changed
        });
    }

    fn start(&mut self, generation: Generation, function: Definition, cause: Cause) {
        let settings = self.pool.settings();
        let others = self.pool.definitions().filter(|other| **other != function);
        let graph = Graph::scan(
            &function.entry,
            &settings.root,
            others.map(|other| &other.entry),
        );
        self.graphs.insert(function.name.clone(), graph);
        let job = Job {
            generation,
            function,
            cause,
            settings,
            reports: Reports::new(generation, self.report.clone()),
        };
        self.workers.insert(generation, self.launcher.launch(job));
    }

    fn order(&self, generation: Generation, order: Order) {
        if let Some(worker) = self.workers.get(&generation) {
            worker.send(order);
        }
    }

    fn publish(&self) {
        let table = Table {
            endpoints: self.pool.endpoints(),
            functions: self.pool.names(),
            recent: self.pool.recent(),
        };
        self.table.send_if_modified(|current| {
            let changed = **current != table;
            if changed {
                *current = Arc::new(table);
            }
            changed
        });
    }
}
