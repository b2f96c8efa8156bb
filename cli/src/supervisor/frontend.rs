//! The project's own frontend: `site.serveCommand`, under a guard that ends with us whatever we die of.

use std::{env, ffi::OsString, path::Path, process::ExitStatus, sync::Arc};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use super::{
    child::{Child, Output, Start},
    service::STOP_LIMIT,
};
use crate::ui::{Entry, Level, Terminal};

/// A frontend that was started. Dropping it kills its group.
#[derive(Debug)]
pub(crate) struct Frontend {
    child: Child,
}

/// What the frontend is told about the backend, in the variables that the official tool sets.
#[derive(Clone, Debug)]
pub(crate) struct FrontendStart<'a> {
    /// Handed to the shell.
    pub(crate) command: &'a str,
    /// The project's root, where it starts.
    pub(crate) folder: &'a Path,
    pub(crate) app_id: &'a str,
    pub(crate) url: &'a str,
}

impl Frontend {
    /// Starts the command; its output goes to the terminal line by line.
    pub(crate) fn start(
        start: &FrontendStart<'_>,
        terminal: &Arc<Terminal>,
    ) -> std::io::Result<Self> {
        let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let start = Start {
            program: env::current_exe()?,
            arguments: vec!["guard".into(), "--".into(), start.command.into()],
            environment: vec![
                variable("VITE_BASE44_APP_ID", start.app_id),
                variable("VITE_BASE44_APP_BASE_URL", start.url),
            ],
            folder: Some(start.folder.to_owned()),
        };
        let (child, Output { stdout, stderr }) = Child::start(&start)?;
        tokio::spawn(relay(stdout, Arc::clone(terminal)));
        tokio::spawn(relay(stderr, Arc::clone(terminal)));
        Ok(Self { child })
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> ExitStatus {
        self.child.ended().await
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(self) {
        self.child.stop(STOP_LIMIT).await;
    }
}

/// Both streams alike: build tools write ordinary news to standard error.
async fn relay(stream: impl AsyncRead + Unpin, terminal: Arc<Terminal>) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if !line.is_empty() {
            terminal.entry(&Entry::new("frontend", Level::Info, line));
        }
    }
}
