//! The project's own frontend beside the services: its start, where it is, its end.

use std::{collections::BTreeSet, future::pending, process::ExitStatus};

use super::Session;
use crate::{
    commands::dev::context::Context,
    desired::{FrontendState, app_id},
    project::Project,
    supervisor::frontend::{Address, Frontend, FrontendStart},
    ui::{Level, Problem},
};

impl Session {
    pub(super) fn start_frontend(&mut self) -> Result<(), Problem> {
        let Context {
            frontend_command,
            project,
            terminal,
            ..
        } = &self.context;
        let Some(command) = frontend_command else {
            return Ok(());
        };
        let start = FrontendStart {
            command,
            folder: &project.layout.root,
            app_id: app_id(project),
            url: self.supervisor.url(),
            port: self.supervisor.port(),
        };
        let frontend = Frontend::start(&start, terminal)
            .map_err(|error| Problem::broken(format!("the frontend cannot be started: {error}")))?;
        self.address = Some(frontend.address());
        self.frontend = Some(frontend);
        Ok(())
    }

    /// The frontend has said where it is: from now on the gateway's address is that of the whole app.
    pub(super) async fn pass_pages_to(&mut self, url: String) {
        self.context.frontend = FrontendState::At(url);
        let desired = self.context.desired();
        let _ = self.supervisor.change(desired, &BTreeSet::new()).await;
        let message = format!("the whole app is at {}", self.supervisor.url());
        self.context.say(Level::Info, message);
    }
}

pub(super) async fn ended(frontend: Option<&Frontend>) -> ExitStatus {
    match frontend {
        Some(frontend) => frontend.ended().await,
        None => pending().await,
    }
}

/// The next address of the frontend.
pub(super) async fn addressed(address: Option<&mut Address>) -> String {
    let Some(address) = address else {
        return pending().await;
    };
    while address.changed().await.is_ok() {
        if let Some(url) = address.borrow_and_update().clone() {
            return url;
        }
    }
    pending().await
}

/// What to do about a frontend whose packages are missing, as in a fresh clone.
pub(super) fn uninstalled(project: &Project) -> Option<String> {
    let layout = &project.layout;
    let has = |name: &str| layout.root.join(name).exists();
    let command = layout.config.site.as_ref()?.install_command.as_str();
    (has("package.json") && !has("node_modules")).then(|| {
        format!(
            "there is no node_modules: run `{command}` in {}",
            layout.root.display()
        )
    })
}
