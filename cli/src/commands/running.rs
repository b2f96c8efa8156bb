//! The running server of a project, for commands that ask it something.

use std::path::{Path, PathBuf};

use proto::{
    Failure,
    client::{GatewayClient, RunnerClient, StoreClient},
    token::LaunchToken,
    v1::{Caller, GetMeRequest, caller},
};

use crate::{
    descriptor::{self, Descriptor},
    login::Developer,
    output::{CommandError, ErrorCode},
    places::Places,
    platform::Surroundings,
    project,
    supervisor::service::Component,
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
    pub(super) fn of(folder: &Path) -> Result<Self, CommandError> {
        let root = project::read_layout(folder)?.value.root;
        Self::find(&root)?.ok_or_else(|| {
            let message = "no dev server is running for this project";
            CommandError::new(ErrorCode::Internal, message)
                .with_command("start one, in another terminal", "backlot dev")
        })
    }

    /// The server of the project at `root`, if one runs; of several the one that has run longest.
    pub(super) fn find(root: &Path) -> Result<Option<Self>, CommandError> {
        let places = Places::of_this_user();
        let mut paths = places.further_descriptors(root);
        paths.push(places.descriptor(root));
        let running = |path: PathBuf| {
            descriptor::running(&path).map_err(|error| {
                let message = format!("cannot read {}: {error}", path.display());
                CommandError::new(ErrorCode::FileRead, message)
                    .with_hint("check the permissions of the file and of its folder")
            })
        };
        let found: Vec<Option<Descriptor>> =
            paths.into_iter().map(running).collect::<Result<_, _>>()?;
        let found = found.into_iter().flatten();
        let first = found.min_by(|a, b| a.started_at.cmp(&b.started_at));
        Ok(first.map(|descriptor| Self { descriptor }))
    }

    pub(super) fn store(&self) -> Result<StoreClient, CommandError> {
        self.client(Component::Store, StoreClient::new)
    }

    pub(super) fn runner(&self) -> Result<RunnerClient, CommandError> {
        self.client(Component::Runner, RunnerClient::new)
    }

    pub(super) fn gateway(&self) -> Result<GatewayClient, CommandError> {
        self.client(Component::Gateway, GatewayClient::new)
    }

    /// Refuses the address of nobody: a token is minted for any, and would only fail later.
    pub(super) async fn check_account(&self, email: &str) -> Result<(), CommandError> {
        let kind = caller::Kind::User(caller::User {
            email: email.to_owned(),
            bypass_rules: false,
        });
        let request = GetMeRequest {
            caller: Some(Caller { kind: Some(kind) }),
        };
        match self.store()?.get_me(request).await {
            Ok(_record) => Ok(()),
            Err(failure) if failure.code() == proto::Code::Unauthenticated => {
                let message = format!("the dev server has no user {email}");
                Err(CommandError::new(ErrorCode::AuthRequired, message).with_hint(
                    "register that user in the app first; if you have logged in since the server was started, start it again",
                ))
            }
            Err(failure) => Err(refused(&failure)),
        }
    }

    fn client<C>(
        &self,
        component: Component,
        make: impl Fn(&str, Option<&LaunchToken>) -> Result<C, Failure>,
    ) -> Result<C, CommandError> {
        let service = self.descriptor.services.get(component.name());
        let address = service.map_or("", |service| &service.grpc);
        let token = LaunchToken::parse(self.descriptor.token.clone());
        let client = token.and_then(|token| make(address, Some(&token)));
        client.map_err(|failure| refused(&failure))
    }
}

/// Whose account the server of the project that `folder` lies in has seeded.
pub(super) fn developer(folder: &Path) -> Developer {
    let environment = Surroundings::of(folder).environment;
    Developer::find(&environment, &Places::of_this_user().login_file()).0
}

/// A service of the server did not do what it was asked.
pub(super) fn refused(failure: &Failure) -> CommandError {
    let mut message = failure.message().to_owned();
    if !failure.detail().is_empty() {
        message = format!("{message} ({})", failure.detail());
    }
    CommandError::new(ErrorCode::Internal, message).with_hint(failure.hint())
}
