//! `backlot logs`: what the functions of the running server printed, and what they print from now on; with `--remote`
//! those of the deployed app.

mod follow;
mod remote;

use std::process::ExitCode;

use proto::{
    Failure,
    v1::{LogsRequest, RunnerStatusRequest},
};

use super::running::{Running, refused};
use crate::{
    args::{LineLevel, LogsArgs},
    output::{self, CommandError, Done, ErrorCode, Output},
    supervisor::follow::output_entry,
    ui::{LABEL, Level},
};

pub(crate) fn run(args: &LogsArgs) -> ExitCode {
    let output = Output::new(args.app.json);
    if args.remote.remote {
        return output::run(output, remote::logs(args, output));
    }
    output::run(output, logs(args, output))
}

async fn logs(args: &LogsArgs, output: Output) -> Result<Done, CommandError> {
    let server = Running::of(&args.app.dir)?;
    let runner = server.runner()?;
    if let Some(name) = &args.function {
        let status = runner.runner_status(RunnerStatusRequest {}).await;
        let status = status.map_err(|failure| refused(&failure))?;
        if !status.functions.iter().any(|known| known.name == *name) {
            return Err(
                CommandError::input(format!("there is no function `{name}`"))
                    .with_command("see which there are", "backlot functions list"),
            );
        }
    }
    let request = LogsRequest {
        function: args.function.clone().unwrap_or_default(),
        follow: args.follow,
        recent: args.lines,
    };
    let lines = runner.logs(request).await;
    let mut lines = lines.map_err(|failure| refused(&failure))?;
    let least = least(args.level.unwrap_or(LineLevel::Info));
    let mut document = Vec::new();
    // Without `-f` the stream ends by itself, and with it when the server does or this command is interrupted.
    while let Some(line) = lines
        .message()
        .await
        .map_err(|status| broken(&Failure::from_status("runner", &status)))?
    {
        let entry = output_entry(line);
        if entry.level < least {
            continue;
        }
        let shown = match output {
            Output::Json if !args.follow => {
                document.push(entry);
                continue;
            }
            Output::Json => entry.to_json(),
            Output::Text => entry.to_text(LABEL),
        };
        // A reader that has gone away has read enough.
        if output.line(&shown).is_err() {
            break;
        }
    }
    if output.is_json() && !args.follow {
        return Ok(Done::new("", &document));
    }
    Ok(Done::silent())
}

/// What has come so far is not all there is.
fn broken(failure: &Failure) -> CommandError {
    let message = format!("the lines broke off: {}", failure.message());
    CommandError::new(ErrorCode::Internal, message)
        .with_command("see whether the server still runs", "backlot status")
}

const fn least(level: LineLevel) -> Level {
    match level {
        LineLevel::Debug => Level::Debug,
        LineLevel::Info => Level::Info,
        LineLevel::Warn => Level::Warn,
        LineLevel::Error => Level::Error,
    }
}
