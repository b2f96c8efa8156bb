//! `backlot functions list`: how the functions of the running server are doing, or which there are when none runs.

use std::collections::HashMap;

use proto::v1::{
    RunnerStatusRequest,
    runner_status_response::{FunctionStatus, State},
};
use serde::Serialize;

use crate::{
    args::AppArgs,
    commands::running::{Running, refused},
    output::{CommandError, Done},
    project::{self, Project},
    ui::Table,
};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// Whether a server runs; without one there is nothing but names and files.
    running: bool,
    functions: Vec<Function>,
}

#[derive(Default, Serialize)]
struct Function {
    name: String,
    /// The entry file, relative to the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(flatten)]
    life: Option<Life>,
}

/// What the runner knows of it.
#[derive(Serialize)]
struct Life {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Processes started so far.
    starts: u64,
    /// How long the last start took.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_milliseconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn list(args: &AppArgs) -> Result<Done, CommandError> {
    let project = project::read(&args.dir)?;
    let report = match Running::find(&project.layout.root)? {
        Some(server) => {
            let status = server.runner()?.runner_status(RunnerStatusRequest {}).await;
            let status = status.map_err(|failure| refused(&failure))?;
            running(status.functions, &project)
        }
        None => Report {
            running: false,
            functions: at_rest(&project),
        },
    };
    Ok(Done::new(text(&report), &report))
}

fn running(statuses: Vec<FunctionStatus>, project: &Project) -> Report {
    let mut sources: HashMap<String, Option<String>> = at_rest(project)
        .into_iter()
        .map(|function| (function.name, function.source))
        .collect();
    let functions = statuses.into_iter().map(|status| Function {
        source: sources.remove(&status.name).flatten(),
        name: status.name.clone(),
        life: Some(Life::from(status)),
    });
    Report {
        running: true,
        functions: functions.collect(),
    }
}

fn at_rest(project: &Project) -> Vec<Function> {
    let function = |file: &project::FunctionFile| Function {
        name: file.name.clone(),
        source: Some(project.layout.relative(&file.entry)),
        life: None,
    };
    project.functions.iter().map(function).collect()
}

impl From<FunctionStatus> for Life {
    fn from(status: FunctionStatus) -> Self {
        let state = match status.state() {
            State::Unspecified => "unknown",
            State::Idle => "idle",
            State::Starting => "starting",
            State::Ready => "ready",
            State::Broken => "broken",
            State::Draining => "draining",
        };
        Self {
            state,
            pid: (status.pid != 0).then_some(status.pid),
            address: (!status.address.is_empty()).then_some(status.address),
            starts: status.starts,
            start_milliseconds: (status.starts > 0).then_some(status.start_milliseconds),
            error: (!status.error.is_empty()).then_some(status.error),
        }
    }
}

fn text(report: &Report) -> String {
    if report.functions.is_empty() {
        return "No functions.".to_owned();
    }
    let source = |function: &Function| function.source.clone().unwrap_or_default();
    if !report.running {
        let mut table = Table::new(["function", "file"]);
        for function in &report.functions {
            table.row([function.name.clone(), source(function)]);
        }
        return format!("{table}\n\nNo dev server is running for this project.");
    }
    let mut table = Table::new(["function", "state", "pid", "starts", "start", "file"]);
    let mut errors = String::new();
    for function in &report.functions {
        let Some(life) = &function.life else { continue };
        let number = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        table.row([
            function.name.clone(),
            life.state.to_owned(),
            number(life.pid.map(|pid| pid.to_string())),
            life.starts.to_string(),
            number(life.start_milliseconds.map(|time| format!("{time} ms"))),
            source(function),
        ]);
        if let Some(error) = &life.error {
            errors.push_str(&format!("\n\n{}: {}", function.name, error.trim_end()));
        }
    }
    format!("{table}{errors}")
}
