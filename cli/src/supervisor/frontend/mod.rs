//! The project's own frontend: `site.serveCommand`, under a guard that ends with us whatever we die of.

mod address;

use std::{env, ffi::OsString, path::Path, process::ExitStatus, sync::Arc, time::Duration};

use tokio::{io::AsyncRead, time::timeout};
use tokio_util::task::TaskTracker;

pub(crate) use self::address::Address;
use self::address::Sightings;
use super::{
    child::{Child, Output, Start},
    lines::each_line,
    service::STOP_LIMIT,
};
use crate::ui::{Entry, Level, Terminal};

/// How long the output of a frontend that has ended may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A frontend that was started. Dropping it kills its group.
#[derive(Debug)]
pub(crate) struct Frontend {
    child: Child,
    address: Address,
    relays: TaskTracker,
}

/// What the frontend is told about the backend, in the variables that the official tool sets.
#[derive(Clone, Debug)]
pub(crate) struct FrontendStart<'a> {
    /// Handed to the shell.
    pub(crate) command: &'a str,
    /// The project's root, where it starts.
    pub(crate) folder: &'a Path,
    pub(crate) app_id: &'a str,
    /// Where this server is.
    pub(crate) url: &'a str,
    /// The port in it.
    pub(crate) port: u16,
}

impl Frontend {
    /// Starts the command; its output goes to the terminal line by line.
    pub(crate) fn start(
        start: &FrontendStart<'_>,
        terminal: &Arc<Terminal>,
    ) -> std::io::Result<Self> {
        let (url, own) = (start.url, start.port);
        let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let start = Start {
            program: env::current_exe()?,
            arguments: vec!["guard".into(), "--".into(), start.command.into()],
            environment: vec![
                variable("VITE_BASE44_APP_ID", start.app_id),
                variable("VITE_BASE44_APP_BASE_URL", url),
            ],
            folder: Some(start.folder.to_owned()),
        };
        let (child, Output { stdout, stderr }) = Child::start(&start)?;
        let (sightings, address) = address::follow();
        let relays = TaskTracker::new();
        relays.spawn(relay(stdout, Arc::clone(terminal), sightings.clone(), own));
        relays.spawn(relay(stderr, Arc::clone(terminal), sightings, own));
        relays.close();
        Ok(Self {
            child,
            address,
            relays,
        })
    }

    /// Where it listens, as it says itself.
    pub(crate) fn address(&self) -> Address {
        self.address.clone()
    }

    /// Waits for its end, and for its last words to be shown.
    pub(crate) async fn ended(&self) -> ExitStatus {
        let status = self.child.ended().await;
        // What it leaves behind may keep its output open.
        let _ = timeout(LAST_WORDS, self.relays.wait()).await;
        status
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(self) {
        self.child.stop(STOP_LIMIT).await;
    }
}

/// Both streams alike: build tools write ordinary news to standard error.
async fn relay(
    stream: impl AsyncRead + Unpin,
    terminal: Arc<Terminal>,
    sightings: Sightings,
    own: u16,
) {
    let mut last = None;
    let show = |line: &str| {
        if !line.is_empty() {
            terminal.entry(&Entry::new("frontend", Level::Info, line));
        }
        let found = address::find(line, own);
        if let Some(url) = found.filter(|url| last.as_ref() != Some(url)) {
            // With so many others waiting, this one is no announcement.
            let _ = sightings.try_send(url.clone());
            last = Some(url);
        }
    };
    each_line(stream, show).await;
}
