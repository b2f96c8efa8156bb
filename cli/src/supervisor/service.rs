//! One of our three services as a child: started with its arguments, awaited until it says where it listens, read until
//! it ends.

use std::{
    collections::{HashSet, VecDeque},
    env,
    ffi::OsString,
    fmt,
    net::SocketAddr,
    process::ExitStatus,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::Pid};
use parking_lot::Mutex;
use proto::{
    process::{Announcement, FailReason},
    token::LaunchToken,
};
use tokio::{io::AsyncRead, process::ChildStderr, sync::oneshot, time::timeout};

use super::{
    child::{Child, Start, kill_group},
    lines::each_line,
};
use crate::ui::{Entry, Level, Terminal};

/// How long a service may take from its start until it listens. It takes milliseconds; a machine under load gets time.
const LISTEN_LIMIT: Duration = Duration::from_secs(10);

/// How long a service may take to end when asked. It drains for four seconds itself.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Lines of a service's log that are shown when it fails.
const TAIL: usize = 20;

/// Which of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Component {
    Store,
    Runner,
    Gateway,
}

impl Component {
    /// In starting order; they stop in reverse.
    pub(crate) const ALL: [Self; 3] = [Self::Store, Self::Runner, Self::Gateway];

    /// The name of the component, of its sub-command and of its binary.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Runner => "runner",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a service listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) grpc: SocketAddr,
    /// The gateway's only.
    pub(crate) http: Option<SocketAddr>,
}

/// Why a service is not up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StartFailure {
    pub(crate) reason: FailReason,
    pub(crate) message: String,
    pub(crate) hint: String,
    /// The last lines of its log.
    pub(crate) tail: Vec<String>,
}

/// A service that listens. Dropping it kills its group, and the groups it started itself.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) addresses: Addresses,
    child: Child,
    traces: Arc<Traces>,
}

/// What is remembered of a service's output.
#[derive(Debug, Default)]
struct Traces {
    tail: Mutex<VecDeque<String>>,
    /// Process groups that the service has started and not ended, the functions' processes.
    groups: Mutex<HashSet<i32>>,
    /// It has said where it listens.
    listens: AtomicBool,
}

impl Service {
    /// Starts a service and waits until it listens.
    ///
    /// `arguments` are the service's own; how it listens, logs and ends is the same for all.
    pub(crate) async fn start(
        component: Component,
        arguments: Vec<OsString>,
        token: &LaunchToken,
        terminal: &Arc<Terminal>,
    ) -> Result<Self, StartFailure> {
        let traces = Arc::new(Traces::default());
        let start = command(component, arguments, token)
            .map_err(|error| traces.failure(component, &error))?;
        let (child, output) =
            Child::start(&start).map_err(|error| traces.failure(component, &error))?;

        let (first, announced) = oneshot::channel();
        tokio::spawn(read_announcements(
            output.stdout,
            first,
            Arc::clone(&traces),
        ));
        let log = tokio::spawn(read_log(
            component,
            output.stderr,
            Arc::clone(terminal),
            Arc::clone(&traces),
        ));
        let addresses = match timeout(LISTEN_LIMIT, announced).await {
            Ok(Ok(Announcement::Listening { grpc, http, .. })) => Addresses { grpc, http },
            Ok(Ok(Announcement::Failed {
                reason,
                message,
                hint,
            })) => {
                return Err(StartFailure {
                    reason,
                    message,
                    hint,
                    tail: Vec::new(),
                });
            }
            Ok(_) => {
                let status = child.stop(STOP_LIMIT).await;
                let _ = timeout(STOP_LIMIT, log).await;
                return Err(traces.failure(component, &describe(status)));
            }
            Err(_elapsed) => {
                let waited = format!(
                    "it did not say where it listens within {} s",
                    LISTEN_LIMIT.as_secs()
                );
                return Err(traces.failure(component, &waited));
            }
        };
        Ok(Self {
            addresses,
            child,
            traces,
        })
    }

    /// The process id.
    pub(crate) const fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Waits for the end of the service.
    pub(crate) async fn ended(&self) -> ExitStatus {
        self.child.ended().await
    }

    /// The last lines of its log.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.traces.tail.lock().iter().cloned().collect()
    }

    /// Asks it to end and waits; kills it when it takes longer than [`STOP_LIMIT`].
    pub(crate) async fn stop(self) {
        self.child.stop(STOP_LIMIT).await;
        self.traces.kill_groups();
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        self.kill_groups();
    }
}

impl Traces {
    fn kill_groups(&self) {
        for group in self.groups.lock().drain() {
            kill_group(Pid::from_raw(group), Signal::SIGKILL);
        }
    }

    fn failure(&self, component: Component, reason: &dyn fmt::Display) -> StartFailure {
        StartFailure {
            reason: FailReason::Other,
            message: format!("the {component} could not be started: {reason}"),
            hint: String::new(),
            tail: self.tail.lock().iter().cloned().collect(),
        }
    }
}

/// This very binary, as that service.
fn command(
    component: Component,
    arguments: Vec<OsString>,
    token: &LaunchToken,
) -> std::io::Result<Start> {
    let shared = [component.name(), "--lifeline", "--log-format", "json"];
    let mut all: Vec<OsString> = shared.into_iter().map(OsString::from).collect();
    all.extend(arguments);
    Ok(Start {
        program: env::current_exe()?,
        arguments: all,
        environment: vec![("BACKLOT_TOKEN".into(), token.expose().into())],
        folder: None,
    })
}

async fn read_announcements(
    stdout: impl AsyncRead + Unpin,
    first: oneshot::Sender<Announcement>,
    traces: Arc<Traces>,
) {
    let mut first = Some(first);
    each_line(stdout, |line| match Announcement::parse(line) {
        Ok(Announcement::GroupStarted { group }) => drop(traces.groups.lock().insert(group)),
        Ok(Announcement::GroupEnded { group }) => drop(traces.groups.lock().remove(&group)),
        Ok(announcement @ (Announcement::Listening { .. } | Announcement::Failed { .. })) => {
            let listens = matches!(announcement, Announcement::Listening { .. });
            traces.listens.fetch_or(listens, Ordering::Relaxed);
            if let Some(first) = first.take() {
                let _ = first.send(announcement);
            }
        }
        Err(_not_ours) => {}
    })
    .await;
    // The service has ended, by whatever cause; its processes must not outlive it.
    traces.kill_groups();
}

async fn read_log(
    component: Component,
    stderr: ChildStderr,
    terminal: Arc<Terminal>,
    traces: Arc<Traces>,
) {
    each_line(stderr, |line| {
        let entry = Entry::from_service(component.name(), line);
        {
            let mut tail = traces.tail.lock();
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(entry.message.clone());
        }
        if let Some(code) = &entry.code {
            return terminal.code(code, &entry);
        }
        match entry.level {
            // What services tell each other and us; only who debugs wants to read it.
            Level::Info => terminal.entry(&Entry {
                level: Level::Debug,
                ..entry
            }),
            // Why a start failed is told by whoever wanted it, once.
            Level::Error if !traces.listens.load(Ordering::Relaxed) => {}
            Level::Debug | Level::Warn | Level::Error => terminal.entry(&entry),
        }
    })
    .await;
}

/// `exit status 1` or `signal 9`, in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with status {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::Ordering};

    use tokio::sync::oneshot;

    use super::{Announcement, Traces, read_announcements};

    #[tokio::test]
    async fn a_line_that_is_no_text_keeps_nothing_from_being_read() {
        let listening = Announcement::Listening {
            service: "store".to_owned(),
            grpc: "127.0.0.1:1".parse().unwrap(),
            http: None,
            pid: 1,
        };
        let announced_line = serde_json::to_vec(&listening).unwrap();
        let output = [b"\xff\xfe\n".as_slice(), &announced_line, b"\n"].concat();
        let (first, announced) = oneshot::channel();
        let traces = Arc::new(Traces::default());
        read_announcements(output.as_slice(), first, Arc::clone(&traces)).await;
        assert_eq!(announced.await.unwrap(), listening);
        assert!(traces.listens.load(Ordering::Relaxed));
    }
}
