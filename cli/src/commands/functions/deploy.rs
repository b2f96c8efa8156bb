//! `backlot functions deploy`: the project's functions, one after the other, onto the platform.

use std::time::Instant;

use owo_colors::OwoColorize as _;
use serde::Serialize;
use serde_json::json;

use super::{
    counted,
    delete::{Deletion, delete_each, listed},
    names, project_and_app, remote,
};
use crate::{
    args::DeployArgs,
    output::{CommandError, Done, ErrorCode, Output},
    platform::{
        App,
        functions::{Deployed, Deployment, RemoteFile},
    },
    project::{self, Bundle, Diagnostic, FunctionFile, Layout},
    ui::Table,
};

/// A function and all that is sent of it.
struct Ready {
    function: FunctionFile,
    bundle: Bundle,
}

/// What became of one function.
#[derive(Serialize)]
struct Outcome {
    name: String,
    /// `deployed`, `unchanged` or `failed`.
    status: &'static str,
    #[serde(rename = "durationMs")]
    duration_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn deploy(args: &DeployArgs, output: Output) -> Result<Done, CommandError> {
    let wanted = names(&args.names);
    if args.force && !wanted.is_empty() {
        return Err(CommandError::input(
            "--force deletes what the project does not have, and cannot be used with names",
        )
        .with_hint("leave out the names, or --force"));
    }
    let (layout, app) = project_and_app(&args.app, output)?;
    let all = functions(&layout, output)?;
    let known: Vec<String> = all.iter().map(|function| function.name.clone()).collect();
    let ready = prepare(&layout, select(all, &wanted)?)?;
    if ready.is_empty() && !args.force {
        return Ok(Done::new(
            "The project has no functions.",
            &json!({ "appId": app.id(), "functions": [] }),
        ));
    }
    let outcomes = send(&app, &ready, output).await?;
    let failed = outcomes.iter().filter(|one| one.status == "failed").count();
    let mut deletions = Vec::new();
    if args.force && failed == 0 {
        deletions = prune(&app, &known, args.yes, output).await?;
    }
    Ok(report(&app, &outcomes, &deletions))
}

/// The project's functions. A mistake in one stops the command: half a project would be deployed, and with `--force`
/// the broken function would be deleted.
fn functions(layout: &Layout, output: Output) -> Result<Vec<FunctionFile>, CommandError> {
    let reading = project::read_functions(layout);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        reading.diagnostics.iter().partition(|one| one.is_error());
    if !errors.is_empty() {
        return Err(mistakes("some functions cannot be used", errors));
    }
    for warning in warnings {
        output.note(&warning.to_string());
    }
    Ok(reading.value)
}

fn mistakes<'a>(
    message: &str,
    diagnostics: impl IntoIterator<Item = &'a Diagnostic>,
) -> CommandError {
    let details = diagnostics.into_iter().map(ToString::to_string);
    CommandError::new(
        ErrorCode::ConfigInvalid,
        format!("{message}: nothing was deployed"),
    )
    .with_details(details)
    .with_hint("correct what is listed and deploy again")
}

fn select(
    functions: Vec<FunctionFile>,
    wanted: &[String],
) -> Result<Vec<FunctionFile>, CommandError> {
    let is_known = |name: &&String| !functions.iter().any(|function| function.name == **name);
    let missing: Vec<&str> = wanted.iter().filter(is_known).map(String::as_str).collect();
    if !missing.is_empty() {
        let message = format!("the project has no function {}", missing.join(", "));
        return Err(CommandError::input(message)
            .with_command("see which there are", "backlot functions list"));
    }
    let mut functions = functions;
    functions.retain(|function| wanted.is_empty() || wanted.contains(&function.name));
    Ok(functions)
}

/// Reads everything before anything is sent.
fn prepare(layout: &Layout, functions: Vec<FunctionFile>) -> Result<Vec<Ready>, CommandError> {
    let mut found = Vec::new();
    let ready = functions.into_iter().map(|function| {
        let bundle = project::bundle(layout, &function, &mut found);
        Ready { function, bundle }
    });
    let ready: Vec<Ready> = ready.collect();
    // A shared file's mistake is found with every function.
    let mut once: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        if !once.contains(&diagnostic) {
            once.push(diagnostic);
        }
    }
    if once.is_empty() {
        Ok(ready)
    } else {
        Err(mistakes("some files cannot be deployed", &once))
    }
}

async fn send(app: &App, ready: &[Ready], output: Output) -> Result<Vec<Outcome>, CommandError> {
    let mut outcomes = Vec::new();
    for (index, one) in ready.iter().enumerate() {
        let name = &one.function.name;
        if ready.len() > 1 {
            output.note(&format!("[{}/{}] deploying {name}", index + 1, ready.len()));
        }
        let begin = Instant::now();
        let (status, error) = match app.deploy_function(name, &one.deployment()).await {
            Ok(Deployed::Deployed) => ("deployed", None),
            Ok(Deployed::Unchanged) => ("unchanged", None),
            Err(error) if error.is_about_session() && index == 0 => return Err(error),
            Err(error) => ("failed", Some(error.in_one_line())),
        };
        outcomes.push(Outcome {
            name: name.clone(),
            status,
            duration_ms: begin.elapsed().as_millis(),
            error,
        });
    }
    Ok(outcomes)
}

impl Ready {
    fn deployment(&self) -> Deployment<'_> {
        let files = self.bundle.files.iter().cloned();
        let automations = self.function.automations.as_deref();
        Deployment {
            entry: &self.bundle.entry,
            files: files.map(RemoteFile::from).collect(),
            automations: automations.map(remote::complete),
        }
    }
}

/// Deletes what is deployed and not in the project.
async fn prune(
    app: &App,
    known: &[String],
    agreed: bool,
    output: Output,
) -> Result<Vec<Deletion>, CommandError> {
    let remote = app.deployed_functions().await?.into_iter();
    let names = remote.map(|function| function.name);
    let names: Vec<String> = names.filter(|name| !known.contains(name)).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let question = format!("Delete {}, which the project does not have", listed(&names));
    if !agreed && output.is_interactive() && !output.confirm(&question, "--yes").await? {
        return Ok(Vec::new());
    }
    delete_each(app, &names, output).await
}

fn report(app: &App, outcomes: &[Outcome], deletions: &[Deletion]) -> Done {
    let rows = outcomes.iter().map(|one| {
        let time = format!("{} ms", one.duration_ms);
        (&one.name, one.status, time, &one.error)
    });
    let deleted = deletions
        .iter()
        .map(|one| (&one.name, one.status, String::new(), &one.error));
    let mut table = Table::new(["function", "status", "time"]);
    let mut errors = Vec::new();
    let mut statuses = Vec::new();
    for (name, status, time, error) in rows.chain(deleted) {
        table.row([name.clone(), status.to_owned(), time]);
        errors.extend(error.as_ref().map(|error| format!("{name}: {error}")));
        statuses.push(status);
    }
    let mut json = json!({ "appId": app.id(), "functions": outcomes, "deleted": deletions });
    let mut text = vec![table.to_string(), String::new()];
    if !errors.is_empty() {
        json["error"] = json!(format!("{} failed", counted(errors.len(), "function")));
        json["code"] = json!(ErrorCode::DeploymentFailed.name());
        text.extend([errors.join("\n"), String::new()]);
    }
    text.push(summary(&statuses));
    if !errors.is_empty() {
        let hint =
            "correct what failed and deploy again; --force deletes nothing until all succeed";
        text.push(format!("\n{} {hint}", "hint:".cyan().bold()));
    }
    Done::new(text.join("\n"), &json).with_exit(u8::from(!errors.is_empty()))
}

/// "2 deployed, 1 failed".
fn summary(statuses: &[&str]) -> String {
    let counts = ["deployed", "unchanged", "deleted", "not found", "failed"].map(|status| {
        let count = statuses.iter().filter(|one| **one == status).count();
        (count > 0).then(|| format!("{count} {status}"))
    });
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
