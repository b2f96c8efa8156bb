//! `backlot login`, `logout` and `whoami`: who this machine is on Base44.

use std::{process::ExitCode, time::Duration};

use jiff::Timestamp;
use owo_colors::OwoColorize as _;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    args::SessionArgs,
    browser,
    output::{self, CommandError, Done, ErrorCode, Output},
    platform::{
        Credentials, Login, Platform, Surroundings, login_file,
        oauth::{DeviceCode, Grant, Tokens},
    },
};

/// What is added to the pause between two questions when the platform asks to slow down (RFC 8628).
const SLOWER: Duration = Duration::from_secs(5);

/// Characters of a workspace key that tell which one it is and not what it is; as the official tool shows.
const KEY_SHOWN: usize = 10;

pub(crate) fn login(args: &SessionArgs) -> ExitCode {
    let output = Output::new(args.json);
    output::run(output, log_in(output))
}

pub(crate) fn logout(args: &SessionArgs) -> ExitCode {
    output::run(Output::new(args.json), async { log_out() })
}

pub(crate) fn whoami(args: &SessionArgs) -> ExitCode {
    let output = Output::new(args.json);
    output::run(output, who(output))
}

async fn log_in(output: Output) -> Result<Done, CommandError> {
    let platform = Platform::open(&Surroundings::here().environment)?.with_notes(output);
    let device = platform.begin_login().await?;
    invite(&device, output);
    let tokens = grant(&platform, &device).await?;
    let person = platform.person(&tokens).await?;
    let login = Login::new(tokens, person.email, person.name, Timestamp::now());
    login_file::write(platform.login_file(), &login).map_err(|error| {
        let file = platform.login_file().display();
        let message = format!("cannot keep the login in {file}: {error}");
        CommandError::new(ErrorCode::FileRead, message)
            .with_hint("check the permissions of the folder, then log in again")
    })?;
    let text = format!("Logged in as {}", login.email);
    Ok(Done::new(
        text,
        &json!({ "email": login.email, "name": login.name }),
    ))
}

/// Says where to confirm which code, and opens the page where there is a browser.
fn invite(device: &DeviceCode, output: Output) {
    let complete = device.verification_uri_complete.as_ref();
    let page = complete.unwrap_or(&device.verification_uri);
    output.note(&format!(
        "\n  Open     {}\n  Code     {}\n",
        device.verification_uri,
        device.user_code.bold()
    ));
    let opened = browser::open(page);
    output.note(if opened {
        "Waiting for you to confirm the code in the browser that was opened. Ctrl-C gives up."
    } else {
        "Waiting for you to confirm the code on that page. Ctrl-C gives up."
    });
}

/// Asks until the code has been confirmed, refused, or has expired.
async fn grant(platform: &Platform, device: &DeviceCode) -> Result<Tokens, CommandError> {
    let deadline = Instant::now() + Duration::from_secs(device.expires_in.clamp(1, 3600));
    let mut pause = Duration::from_secs(device.interval.clamp(1, 60));
    let mut failures = 0;
    loop {
        if timeout_at(deadline, sleep(pause)).await.is_err() {
            return Err(expired());
        }
        let asked = timeout_at(deadline, platform.ask_for_grant(device)).await;
        match asked.map_err(|_elapsed| expired())? {
            Ok(Grant::Granted(tokens)) => return Ok(tokens),
            Ok(Grant::Pending) => failures = 0,
            Ok(Grant::SlowDown) => pause += SLOWER,
            // A question that got lost is asked again; one that is answered with a refusal is not.
            Err(error) if failures < 3 && error.may_pass() => failures += 1,
            Err(error) => return Err(error),
        }
    }
}

fn expired() -> CommandError {
    CommandError::new(ErrorCode::AuthExpired, "the code was not confirmed in time")
        .with_command("start again", "backlot login")
}

fn log_out() -> Result<Done, CommandError> {
    let path = crate::places::Places::of_this_user().login_file();
    let was = login_file::delete(&path).map_err(|error| {
        let message = format!("cannot remove {}: {error}", path.display());
        CommandError::new(ErrorCode::FileRead, message)
            .with_hint("check the permissions of the file and its folder")
    })?;
    let text = if was {
        "Logged out"
    } else {
        "Nobody was logged in"
    };
    Ok(Done::new(text, &json!({ "loggedOut": was })))
}

async fn who(output: Output) -> Result<Done, CommandError> {
    let platform = Platform::open(&Surroundings::here().environment)?.with_notes(output);
    match platform.credentials().await {
        Credentials::WorkspaceKey(key) => {
            let shown: String = key.chars().take(KEY_SHOWN).collect();
            let text = format!("Using the workspace key {shown}…");
            Ok(Done::new(text, &json!({ "workspaceKey": shown })))
        }
        Credentials::Login(login) => Ok(Done::new(
            format!("Logged in as {}", login.email),
            &json!({ "email": login.email, "name": login.name }),
        )),
        nobody @ (Credentials::Nobody | Credentials::Unreadable { .. }) => Err(nobody.absence()),
    }
}
