//! `backlot functions deploy`: the project's functions, one after the other, onto the platform.

use std::time::Instant;

use owo_colors::OwoColorize as _;
use serde_json::json;

use super::{
    delete::{delete_each, listed},
    names,
    outcome::{Outcome, Status},
    project_and_app, remote,
};
use crate::{
    args::DeployArgs,
    output::{CommandError, Done, ErrorCode, Output},
    platform::{
        App,
        functions::{Deployed, Deployment, RemoteFile},
    },
    project::{self, Bundle, Diagnostic, FunctionFile, Layout},
    ui::{Table, counted},
};

/// A function and all that is sent of it.
struct Ready {
    function: FunctionFile,
    bundle: Bundle,
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
    let mut pruned = Ok(Vec::new());
    if args.force && !outcomes.iter().any(Outcome::has_failed) {
        pruned = prune(&app, &known, args.yes, output).await;
    }
    Ok(report(&app, outcomes, pruned))
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
    let is_missing = |name: &&String| !functions.iter().any(|function| function.name == **name);
    let missing = wanted.iter().filter(is_missing);
    let missing: Vec<&str> = missing.map(String::as_str).collect();
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
        let deployed = match app.deploy_function(name, &one.deployment()).await {
            Ok(Deployed::Deployed) => Ok(Status::Deployed),
            Ok(Deployed::Unchanged) => Ok(Status::Unchanged),
            Err(error) if error.is_about_session() && index == 0 => return Err(error),
            Err(error) => Err(error),
        };
        outcomes.push(Outcome {
            duration_ms: Some(begin.elapsed().as_millis()),
            ..Outcome::of(name, deployed)
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
) -> Result<Vec<Outcome>, CommandError> {
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

/// What was deployed, and what became of the deletion, which may have failed as a whole.
fn report(app: &App, deployed: Vec<Outcome>, pruned: Result<Vec<Outcome>, CommandError>) -> Done {
    let (deleted, stopped) = match pruned {
        Ok(deleted) => (deleted, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut json = json!({ "appId": app.id(), "functions": deployed, "deleted": deleted });
    let all = [deployed, deleted].concat();
    let mut errors = errors(&all);
    let mut text = vec![table(&all), String::new()];
    if !errors.is_empty() {
        json["error"] = json!(format!("{} failed", counted(errors.len(), "function")));
        json["code"] = json!(ErrorCode::DeploymentFailed.name());
    }
    if let Some(stopped) = &stopped {
        for (key, value) in stopped.to_json().as_object().into_iter().flatten() {
            json[key] = value.clone();
        }
        errors.push(format!("nothing was deleted: {}", stopped.in_one_line()));
    }
    let has_failed = !errors.is_empty();
    if has_failed {
        text.extend([errors.join("\n"), String::new()]);
    }
    text.push(summary(&all));
    if has_failed {
        let hint =
            "correct what failed and deploy again; --force deletes nothing until all succeed";
        text.push(format!("\n{} {hint}", "hint:".cyan().bold()));
    }
    Done::new(text.join("\n"), &json).with_exit(u8::from(has_failed))
}

fn table(outcomes: &[Outcome]) -> String {
    let mut table = Table::new(["function", "status", "time"]);
    for one in outcomes {
        let time = one.duration_ms.map(|time| format!("{time} ms"));
        let status = one.status.name().to_owned();
        table.row([one.name.clone(), status, time.unwrap_or_default()]);
    }
    table.to_string()
}

fn errors(outcomes: &[Outcome]) -> Vec<String> {
    let error = |one: &Outcome| Some(format!("{}: {}", one.name, one.error.as_ref()?));
    outcomes.iter().filter_map(error).collect()
}

/// "2 deployed, 1 failed".
fn summary(outcomes: &[Outcome]) -> String {
    let counts = Status::ALL.map(|status| {
        let count = outcomes.iter().filter(|one| one.status == status).count();
        (count > 0).then(|| format!("{count} {}", status.name()))
    });
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
