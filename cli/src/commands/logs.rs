//! `backlot logs`: what the functions of the running server printed, and what they print from now on; with `--remote`
//! those of the deployed app.

mod follow;
mod remote;

use std::process::ExitCode;

use proto::v1::{LogsRequest, RunnerStatusRequest};

use super::running::{Running, refused};
use crate::{
    args::{LineLevel, LogsArgs},
    output::{self, Output},
    supervisor::follow::output_entry,
    ui::{Level, Problem},
};

pub(crate) fn run(args: &LogsArgs) -> ExitCode {
    if args.remote.remote {
        let output = Output::new(args.app.json);
        return output::run(output, remote::logs(args, output));
    }
    super::ended(super::block_on(logs(args)))
}

async fn logs(args: &LogsArgs) -> Result<ExitCode, Problem> {
    let server = Running::of(&args.app.dir)?;
    let runner = server.runner()?;
    if let Some(name) = &args.function {
        let status = runner.runner_status(RunnerStatusRequest {}).await;
        let status = status.map_err(|failure| refused(&failure))?;
        if !status.functions.iter().any(|known| known.name == *name) {
            return Err(Problem::broken(format!("there is no function `{name}`"))
                .with_hint("`backlot functions list` names them"));
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
    // Without `-f` the stream ends by itself, and with it when the server does or this command is interrupted.
    while let Ok(Some(line)) = lines.message().await {
        let entry = output_entry(line);
        if entry.level < least {
            continue;
        }
        let shown = if args.app.json {
            entry.to_json()
        } else {
            entry.to_text()
        };
        super::print(&shown);
    }
    Ok(ExitCode::SUCCESS)
}

const fn least(level: LineLevel) -> Level {
    match level {
        LineLevel::Debug => Level::Debug,
        LineLevel::Info => Level::Info,
        LineLevel::Warn => Level::Warn,
        LineLevel::Error => Level::Error,
    }
}
