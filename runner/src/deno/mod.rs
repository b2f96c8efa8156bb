//! Function processes on Deno.

mod boot;
mod command;
mod errors;
mod files;
mod run;
mod spare;
mod speech;

use std::{io, path::Path, sync::Arc};

use self::boot::Boots;
use crate::{
    launcher::{Job, Launcher, Orders},
    logs::Logs,
    pool::Settings,
};

/// Starts Deno processes, and keeps one in waiting.
#[derive(Debug)]
pub struct DenoLauncher {
    boots: Arc<Boots>,
    logs: Arc<Logs>,
}

impl DenoLauncher {
    /// Writes the files that processes need and listens for their connections. What functions print goes to `logs`.
    ///
    /// # Errors
    ///
    /// When the temporary folder cannot be written or no port is free.
    pub async fn open(logs: Arc<Logs>, keep_spare: bool) -> io::Result<Self> {
        let boots = Arc::new(Boots::open(keep_spare).await?);
        Ok(Self { boots, logs })
    }

    /// The temporary folder, which is removed when the last process of this launcher has ended.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.boots.folder()
    }
}

impl Launcher for DenoLauncher {
    fn launch(&self, job: Job) -> Orders {
        let (orders, receiver) = Orders::channel();
        let run = run::run(
            Arc::clone(&self.boots),
            Arc::clone(&self.logs),
            job,
            receiver,
        );
        tokio::spawn(run);
        orders
    }

    fn prepare(&self, settings: Arc<Settings>, wanted: bool) {
        self.boots.prepare(settings, wanted);
    }

    fn close(&self) {
        self.boots.close();
    }
}
