//! `backlot exec`: runs a script in Deno with a client of the app at hand.
//!
//! This process becomes Deno: signals, the terminal and the exit status are the script's own, and there is nobody left
//! who could leave anything behind. Nothing is written to the disk either; the client arrives as a `data:` URL and a
//! script from standard input through a file without a name.

mod deno;
mod script;
mod target;

use std::{os::unix::process::CommandExt as _, process::Command, process::ExitCode};

use self::{script::Script, target::Target};
use crate::{
    args::ExecArgs,
    output::{self, CommandError, Done, ErrorCode, Output},
    platform::Surroundings,
};

pub(crate) fn run(args: &ExecArgs) -> ExitCode {
    let output = Output::new(args.json);
    let mut ready = None;
    let exit = output::run(output, async {
        ready = Some(prepare(args, output).await?);
        Ok(Done::silent())
    });
    let Some(mut command) = ready else {
        return exit;
    };
    let error = command.exec();
    let deno = command.get_program().to_string_lossy().into_owned();
    output.finish(Err(CommandError::new(
        ErrorCode::Internal,
        format!("cannot start {deno}: {error}"),
    )))
}

/// Finds the script, the app and Deno; what is missing is said before anything runs.
async fn prepare(args: &ExecArgs, output: Output) -> Result<Command, CommandError> {
    let script = Script::find(args.file.as_deref())?;
    let surroundings = Surroundings::of(&args.dir);
    let target = Target::find(args, &surroundings, output).await?;
    let deno = deno::find(args.deno.as_deref(), output).await?;
    let mut command = deno::command(&deno, script, &args.arguments)?;
    command
        .envs(surroundings.environment.added())
        // They belong to the command line's own session, not to the token that the script gets.
        .env_remove("BASE44_REFRESH_TOKEN")
        .env_remove("BASE44_API_KEY")
        .env("BASE44_APP_ID", target.app_id)
        .env("BASE44_ACCESS_TOKEN", target.token)
        .env("BASE44_APP_BASE_URL", target.url)
        .env(
            "BASE44_PRIVILEGED",
            if args.privileged { "true" } else { "" },
        )
        .env(
            "BASE44_DATA_ENV",
            args.data_env.as_deref().unwrap_or_default(),
        );
    Ok(command)
}
