//! The life of one function process: taken from the booted ones, told what to load, watched, and ended.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use proto::v1::log_line::Level;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    boot::{Booted, Boots},
    errors::{boot_error, exit_error, load_error, log_failure, timeout_error},
    speech::Speech,
};
use crate::{
    control::{FromProcess, Link, ToProcess},
    launcher::{Job, Order, Report, Reports},
    logs::Logs,
    pool::LoadError,
    url::file_url,
    worker::Worker,
};

/// Between TERM and KILL.
const TERM: Duration = Duration::from_millis(300);

/// How often a process is asked whether it is in use, at most.
const PING: Duration = Duration::from_secs(15);

/// Sees a process through; the last thing it reports is the end.
pub(super) async fn run(
    boots: Arc<Boots>,
    logs: Arc<Logs>,
    job: Job,
    mut orders: UnboundedReceiver<Order>,
) {
    let reports = job.reports.clone();
    let began = Instant::now();
    let booted = tokio::select! {
        booted = boots.get(&job.settings, job.cause) => booted,
        // Whatever the order is, there is nothing yet to finish.
        _ = orders.recv() => return reports.send(Report::Exited("not started".to_owned())),
    };
    let how = match booted {
        Ok(Booted { mut worker, link }) => {
            let speech = Speech::follow(&mut worker, &job.function.name, job.cause, &logs);
            let mut process = Process {
                job,
                logs,
                orders,
                worker,
                link: Some(link),
                speech,
                began,
                told: Instant::now(),
            };
            let how = process.live(&boots).await;
            process.speech.finish().await;
            how
            // The group ends here at the latest, with the worker.
        }
        Err(message) => {
            let error = boot_error(&message);
            log_failure(&logs, &job.function.name, job.cause, &error);
            reports.send(Report::Failed(error));
            "not started".to_owned()
        }
    };
    reports.send(Report::Exited(how));
}

struct Process {
    job: Job,
    logs: Arc<Logs>,
    orders: UnboundedReceiver<Order>,
    worker: Worker,
    link: Option<Link>,
    speech: Speech,
    /// When the process was wanted.
    began: Instant,
    /// When it was told what to load; until then it may have waited for its turn to boot.
    told: Instant,
}

/// What happened next.
enum Event {
    Message(Option<FromProcess>),
    Exit(String),
    Order(Order),
    Deadline,
}

impl Process {
    /// From loading to the end; returns how it ended.
    async fn live(&mut self, boots: &Arc<Boots>) -> String {
        let limits = &self.job.settings.limits;
        let load = ToProcess::Load {
            name: self.job.function.name.clone(),
            root: self.job.settings.root.display().to_string(),
            elsewhere: texts(&self.job.settings.code_folders),
            entry: file_url(&self.job.function.entry),
            slow_ms: milliseconds(limits.slow),
        };
        self.tell(&load).await;
        let loaded = self.load().await;
        boots.refill();
        match loaded {
            Ok(address) => {
                let (pid, took) = (self.worker.pid(), self.began.elapsed());
                self.tell_downloads();
                self.speech.speak_up();
                self.reports()
                    .send(Report::Listening { address, pid, took });
                self.serve().await
            }
            Err(Unloaded::Ordered) => self.end().await,
            Err(Unloaded::Failed(error)) => {
                let how = self.end().await;
                self.fail(error);
                how
            }
            Err(Unloaded::Exited(how)) => {
                self.worker.kill();
                self.speech.finish().await;
                let error = exit_error(&how, &self.speech.tail(), &self.job.settings.root);
                self.fail(error);
                how
            }
        }
    }

    async fn load(&mut self) -> Result<SocketAddr, Unloaded> {
        loop {
            let deadline = self.deadline();
            match self.next(Some(deadline)).await {
                Event::Message(Some(FromProcess::Listening { port })) => {
                    return Ok((Ipv4Addr::LOCALHOST, port).into());
                }
                Event::Message(Some(FromProcess::Failed {
                    message,
                    detail,
                    frame,
                    place,
                })) => {
                    let error = load_error(message, &frame, &detail, place);
                    return Err(Unloaded::Failed(error));
                }
                Event::Message(Some(
                    FromProcess::Hello(_) | FromProcess::Used {} | FromProcess::Usage { .. },
                )) => {}
                // The process is about to go, and its exit says more.
                Event::Message(None) => self.link = None,
                Event::Exit(how) => return Err(Unloaded::Exited(how)),
                Event::Order(_) => return Err(Unloaded::Ordered),
                Event::Deadline if self.deadline() > Instant::now() => {}
                Event::Deadline => {
                    return Err(Unloaded::Failed(timeout_error(
                        self.limit().saturating_sub(self.told - self.began),
                        self.speech.tail(),
                    )));
                }
            }
        }
    }

    /// Serves until it exits by itself or is told to end.
    async fn serve(&mut self) -> String {
        let settings = &self.job.settings;
        let shortest = settings.idle.unwrap_or(PING).min(settings.limits.slow);
        let mut ping = interval((shortest / 4).clamp(Duration::from_millis(100), PING));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = self.next(None) => event,
                _ = ping.tick() => {
                    self.tell(&ToProcess::Ping {}).await;
                    continue;
                }
            };
            match event {
                Event::Message(Some(FromProcess::Usage {
                    in_flight: 0,
                    idle_ms,
                })) => {
                    let idle = Duration::from_millis(idle_ms);
                    self.reports().send(Report::Unused(idle));
                }
                Event::Message(Some(FromProcess::Used {})) => self.reports().send(Report::Used),
                Event::Message(Some(_)) | Event::Deadline => {}
                Event::Message(None) => self.link = None,
                Event::Exit(how) => {
                    self.worker.kill();
                    return how;
                }
                Event::Order(Order::Kill) => return self.end().await,
                Event::Order(Order::Drain(farewell)) => {
                    let linger = farewell.lingers();
                    self.tell(&ToProcess::Drain { linger }).await;
                    let limit = farewell.limit(&self.job.settings.limits);
                    return self.drain(Instant::now() + limit).await;
                }
            }
        }
    }

    /// Lets it finish, up to the deadline. A later order can only bring that forward.
    async fn drain(&mut self, mut deadline: Instant) -> String {
        loop {
            match self.next(Some(deadline)).await {
                Event::Message(Some(_)) => {}
                Event::Message(None) => self.link = None,
                Event::Exit(how) => {
                    self.worker.kill();
                    return how;
                }
                Event::Order(Order::Drain(farewell)) => {
                    let linger = farewell.lingers();
                    self.tell(&ToProcess::Drain { linger }).await;
                    let limit = farewell.limit(&self.job.settings.limits);
                    deadline = deadline.min(Instant::now() + limit);
                }
                Event::Order(Order::Kill) | Event::Deadline => return self.end().await,
            }
        }
    }

    /// Ends the whole group, now.
    async fn end(&mut self) -> String {
        self.worker.terminate();
        let ended = timeout(TERM, self.worker.wait()).await;
        self.worker.kill();
        let status = match ended {
            Ok(status) => status,
            Err(_) => self.worker.wait().await,
        };
        describe(status)
    }

    async fn next(&mut self, deadline: Option<Instant>) -> Event {
        let message = async {
            match &mut self.link {
                Some(link) => link.receive().await,
                None => std::future::pending().await,
            }
        };
        let late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // A message that was sent before the exit counts.
            biased;
            message = message => Event::Message(message),
            status = self.worker.wait() => Event::Exit(describe(status)),
            // The driver is gone when it sends no more, and everything ends with it.
            order = self.orders.recv() => Event::Order(order.unwrap_or(Order::Kill)),
            () = late => Event::Deadline,
        }
    }

    async fn tell(&mut self, message: &ToProcess) {
        if let Some(link) = &mut self.link
            && !link.send(message).await
        {
            self.link = None;
        }
    }

    fn deadline(&self) -> Instant {
        self.began + self.limit()
    }

    /// How long the start may take, as far as is known now.
    fn limit(&self) -> Duration {
        let last_download = self.speech.last_download();
        let last_download = last_download.map(|last| last.saturating_duration_since(self.began));
        let limits = &self.job.settings.limits;
        limits.start(self.told - self.began, last_download)
    }

    const fn reports(&self) -> &Reports {
        &self.job.reports
    }

    fn tell_downloads(&self) {
        let count = self.speech.downloads();
        if count > 0 {
            let line = format!("downloaded {count} files");
            self.speech.say(Level::Info, line);
        }
    }

    fn fail(&self, error: LoadError) {
        log_failure(&self.logs, &self.job.function.name, self.job.cause, &error);
        self.reports().send(Report::Failed(error));
    }
}

/// Why a process did not come up.
enum Unloaded {
    Failed(LoadError),
    Exited(String),
    Ordered,
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
