//! The running server of a project, for commands that ask it something.

use std::path::{Path, PathBuf};

use proto::{
    Failure,
    client::{GatewayClient, RunnerClient, StoreClient},
    token::LaunchToken,
};

use crate::{
    descriptor::{self, Descriptor},
    places::Places,
    project,
    supervisor::service::Component,
    ui::Problem,
};

/// A server that runs, and how to speak to its services.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) descriptor: Descriptor,
}

impl Running {
    /// The server of the project that `folder` lies in.
    ///
    /// # Errors
    ///
    /// When there is no project, or no server of it; with what to do.
    pub(super) fn of(folder: &Path) -> Result<Self, Problem> {
        let root = root_of(folder)?;
        Self::find(&root)?.ok_or_else(|| {
            Problem::broken("no dev server is running for this project")
                .with_hint("start one with `backlot dev`, in another terminal")
        })
    }

    /// The server of the project at `root`, if one runs.
    pub(super) fn find(root: &Path) -> Result<Option<Self>, Problem> {
        let path = Places::of_this_user().descriptor(root);
        let found = descriptor::running(&path)
            .map_err(|error| Problem::broken(format!("cannot read {}: {error}", path.display())))?;
        Ok(found.map(|descriptor| Self { descriptor }))
    }

    pub(super) fn store(&self) -> Result<StoreClient, Problem> {
        self.client(Component::Store, StoreClient::new)
    }

    pub(super) fn runner(&self) -> Result<RunnerClient, Problem> {
        self.client(Component::Runner, RunnerClient::new)
    }

    pub(super) fn gateway(&self) -> Result<GatewayClient, Problem> {
        self.client(Component::Gateway, GatewayClient::new)
    }

    fn client<C>(
        &self,
        component: Component,
        make: impl Fn(&str, Option<&LaunchToken>) -> Result<C, Failure>,
    ) -> Result<C, Problem> {
        let service = self.descriptor.services.get(component.name());
        let address = service.map_or("", |service| &service.grpc);
        let token = LaunchToken::from(self.descriptor.token.clone());
        make(address, Some(&token)).map_err(|failure| refused(&failure))
    }
}

/// The root of the project that `folder` lies in.
pub(super) fn root_of(folder: &Path) -> Result<PathBuf, Problem> {
    let layout = project::read_layout(folder)
        .map_err(|error| Problem::usage(error.to_string()).with_hint(error.hint()))?;
    Ok(layout.value.root)
}

/// A service of the server did not do what it was asked.
pub(super) fn refused(failure: &Failure) -> Problem {
    let mut message = failure.message().to_owned();
    if !failure.detail().is_empty() {
        message = format!("{message} ({})", failure.detail());
    }
    Problem::broken(message).with_hint(failure.hint())
}
