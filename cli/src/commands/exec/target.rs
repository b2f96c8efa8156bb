//! The app that a script works on, and as whom: the deployed one, or the one that a dev server of this machine serves.

use proto::v1::{MintTokenRequest, mint_token_request::Subject};

use crate::{
    args::ExecArgs,
    commands::running::{self, Running, refused},
    descriptor,
    output::{CommandError, ErrorCode, Output},
    places::Places,
    platform::{App, Surroundings},
};

/// What the client is made with.
pub(super) struct Target {
    pub(super) app_id: String,
    /// Without a slash at the end.
    pub(super) url: String,
    /// A secret.
    pub(super) token: String,
}

impl Target {
    /// What the arguments name; the deployed app where they name nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or nobody is signed in there.
    pub(super) async fn find(
        args: &ExecArgs,
        surroundings: &Surroundings,
        output: Output,
    ) -> Result<Self, CommandError> {
        if args.local {
            return Self::local(args).await;
        }
        let app = App::find(surroundings, args.app_id.as_deref(), output);
        let app = app.map_err(or_locally)?;
        let found = tokio::try_join!(app.user_token(), app.published_url());
        let (token, url) = found.map_err(or_locally)?;
        Ok(Self {
            app_id: app.id().to_owned(),
            url,
            token,
        })
    }

    async fn local(args: &ExecArgs) -> Result<Self, CommandError> {
        let server = match args.port {
            Some(port) => on_port(port)?,
            None => Running::of(&args.dir)?,
        };
        let developer = running::developer(&args.dir);
        let user = args.user.as_ref().map(|email| email.trim().to_lowercase());
        let email = user.unwrap_or_else(|| developer.email.clone());
        if args.privileged && email != developer.email {
            let message = format!(
                "--privileged is for {} alone, not for {email}",
                developer.email
            );
            return Err(
                CommandError::input(message).with_hint("leave out one of --privileged and --as")
            );
        }
        server.check_account(&email).await?;
        let request = MintTokenRequest {
            subject: Some(Subject::Email(email)),
        };
        let minted = server.gateway()?.mint_token(request).await;
        let minted = minted.map_err(|failure| refused(&failure))?;
        Ok(Self {
            app_id: server.descriptor.app_id,
            url: server.descriptor.url,
            token: minted.token,
        })
    }
}

/// Who has no login, or no app, may have meant the server on this machine.
fn or_locally(error: CommandError) -> CommandError {
    let is_missing = matches!(
        error.code,
        ErrorCode::AuthRequired | ErrorCode::AuthExpired | ErrorCode::ConfigNotFound
    );
    if is_missing {
        return error.with_command(
            "or work on the dev server that runs for this project",
            "backlot exec --local",
        );
    }
    error
}

fn on_port(port: u16) -> Result<Running, CommandError> {
    let places = Places::of_this_user();
    let found = descriptor::running_on(places.descriptors(), port).map_err(|error| {
        let message = format!("cannot look for dev servers: {error}");
        CommandError::new(ErrorCode::FileRead, message).with_hint("leave out --port")
    })?;
    let descriptor = found.ok_or_else(|| {
        CommandError::new(
            ErrorCode::Internal,
            format!("no dev server of yours runs on port {port}"),
        )
        .with_command(
            "start one, in another terminal",
            format!("backlot dev --port {port}"),
        )
    })?;
    Ok(Running { descriptor })
}
