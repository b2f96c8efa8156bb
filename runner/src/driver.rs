//! Carries out what the pool decides: starts and ends processes, answers calls, publishes the table.
//!
//! One task owns the pool; everybody else holds a [`Handle`] and sends it commands.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
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

pub use crate::handle::{Handle, Table};
use crate::{
    graphs::Graphs,
    handle::Command,
    launcher::{Job, Launcher, Order, Orders, Report, Reports},
    logs::Logs,
    pool::{Action, Ask, Cause, Definition, Ending, Endpoint, Generation, Pool, Refusal, Ticket},
};

/// How long the end of all processes may take; the service has four seconds and its parent kills after five.
const STOP: Duration = Duration::from_millis(3800);

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
    graphs: Graphs,
    /// Saves that came while functions were being read: whom they concern is known after that.
    saves: Vec<(Vec<PathBuf>, oneshot::Sender<Vec<String>>)>,
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
            graphs: Graphs::default(),
            saves: Vec::new(),
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
                Some(()) = self.graphs.arrive() => self.on_saves(),
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
                self.saves.push((paths, reply));
                self.on_saves();
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

    /// Swaps the functions whose code or data contains saved files, once all that is being read has been.
    fn on_saves(&mut self) {
        if !self.graphs.are_complete() {
            return;
        }
        for (paths, reply) in mem::take(&mut self.saves) {
            let mut touched = self.pool.names();
            touched.retain(|name| self.graphs.touch(name, &paths));
            let _ = reply.send(self.pool.changed(&touched));
        }
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
                    self.graphs.forget(&name);
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
        let others = others.map(|other| other.entry.clone()).collect();
        self.graphs
            .read(&function, generation, Arc::clone(&settings), others);
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
