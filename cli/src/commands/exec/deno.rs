//! Deno, and how it is called for a script.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::script::Script;
use crate::{
    deno,
    output::{CommandError, ErrorCode, Output},
    places::Places,
    settings,
};

/// Makes the client, as a module that is in no file.
const CLIENT: &str = include_str!("client.js");

/// The script may do what the user may, but the project's `deno.json` and `package.json` say nothing about it: it has to
/// run alike wherever it lies.
const FLAGS: [&str; 6] = [
    "run",
    "--allow-all",
    "--no-config",
    "--node-modules-dir=none",
    "--no-lock",
    "--no-prompt",
];

/// The Deno that was asked for, or the one that `backlot dev` uses, installed first where there is none.
pub(super) async fn find(asked: Option<&Path>, output: Output) -> Result<PathBuf, CommandError> {
    if let Some(path) = asked {
        return Ok(settings::executable(path)?);
    }
    let places = Places::of_this_user();
    let path = env::var_os("PATH");
    if let Some(found) = deno::find(&places, path.as_deref()) {
        return Ok(found);
    }
    let missing = |reason: String| {
        CommandError::new(ErrorCode::DependencyNotFound, reason).with_hint(deno::HOW_TO)
    };
    let npm = deno::on_path("npm", path.as_deref())
        .ok_or_else(|| missing("Deno is required to run scripts".to_owned()))?;
    output.note(&format!("installing Deno {}, once", deno::VERSION));
    deno::install(&places, &npm)
        .await
        .map_err(|reason| missing(format!("Deno could not be installed: {reason}")))
}

/// The command that this process becomes.
pub(super) fn command(
    deno: &Path,
    script: Script,
    arguments: &[String],
) -> Result<Command, CommandError> {
    let module = reqwest::Url::from_file_path(script.path()).map_err(|()| {
        CommandError::input(format!("{} has no address", script.path().display()))
            .with_hint("start from a folder that exists")
    })?;
    #[expect(
        clippy::disallowed_methods,
        reason = "not a child: this process is replaced by it"
    )]
    let mut command = Command::new(deno);
    command
        .args(FLAGS)
        .arg("--preload")
        .arg(format!(
            "data:application/javascript;base64,{}",
            STANDARD.encode(CLIENT)
        ))
        .arg(script.argument())
        .args(arguments)
        .envs([
            ("DENO_NO_PACKAGE_JSON", "1"),
            ("DENO_NO_PROMPT", "1"),
            ("DENO_NO_UPDATE_CHECK", "1"),
        ])
        .env("SCRIPT_PATH", module.as_str());
    if let Script::Input(file) = script {
        command.stdin(Stdio::from(file));
    }
    Ok(command)
}
