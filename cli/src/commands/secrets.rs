//! `backlot secrets`: of the deployed app, and with `set --local` of this folder. Values are never printed.

use std::{fs, path::Path, process::ExitCode};

use indexmap::IndexMap;
use serde_json::json;

use crate::{
    args::{AppArgs, SecretDeleteArgs, SecretSetArgs, SecretsArgs, SecretsCommand},
    output::{self, CommandError, Done, ErrorCode, Output},
    platform::{App, Surroundings},
    project::{self, env_edit, env_edit::EditError},
};

pub(crate) fn run(args: &SecretsArgs) -> ExitCode {
    match &args.command {
        SecretsCommand::List(args) => {
            let output = Output::new(args.app.json);
            output::run(output, list(&args.app, output))
        }
        SecretsCommand::Set(args) => {
            let output = Output::new(args.app.json);
            output::run(output, set(args, output))
        }
        SecretsCommand::Delete(args) => {
            let output = Output::new(args.app.json);
            output::run(output, delete(args, output))
        }
    }
}

async fn list(args: &AppArgs, output: Output) -> Result<Done, CommandError> {
    let app = app(args, output)?;
    let names = app.secret_names().await?;
    let text = if names.is_empty() {
        "The app has no secrets.".to_owned()
    } else {
        names.join("\n")
    };
    Ok(Done::new(
        text,
        &json!({ "appId": app.id(), "secrets": names }),
    ))
}

async fn set(args: &SecretSetArgs, output: Output) -> Result<Done, CommandError> {
    let secrets = given(args, output)?;
    if args.local {
        return set_here(&args.app.dir, secrets);
    }
    let app = app(&args.app, output).map_err(or_locally)?;
    app.set_secrets(&secrets).await?;
    let names: Vec<&String> = secrets.keys().collect();
    let text = format!("Set {}", listed(&names));
    Ok(Done::new(text, &json!({ "appId": app.id(), "set": names })))
}

async fn delete(args: &SecretDeleteArgs, output: Output) -> Result<Done, CommandError> {
    let app = app(&args.app, output)?;
    let name = &args.name;
    let question = format!("Delete the secret {name} of the app {}", app.id());
    if !args.force && !output.confirm(&question, "--force").await? {
        let nothing = json!({ "appId": app.id(), "deleted": [] });
        return Ok(Done::new("Nothing was deleted.", &nothing));
    }
    app.delete_secret(name).await?;
    let report = json!({ "appId": app.id(), "deleted": [name] });
    Ok(Done::new(format!("Deleted {name}"), &report))
}

fn app(args: &AppArgs, output: Output) -> Result<App, CommandError> {
    App::find(&Surroundings::of(&args.dir), args.app_id.as_deref(), output)
}

/// What is to be set, from the command line or from a file; exactly one of the two.
fn given(args: &SecretSetArgs, output: Output) -> Result<IndexMap<String, String>, CommandError> {
    let usage = "give KEY=VALUE pairs, or --env-file PATH";
    match (&args.env_file, args.entries.as_slice()) {
        (None, []) => Err(CommandError::input("nothing to set").with_hint(usage)),
        (Some(_), [_, ..]) => {
            Err(CommandError::input("pairs and a file are given").with_hint(usage))
        }
        (Some(path), []) => of_file(path, output),
        (None, entries) => entries.iter().enumerate().map(entry).collect(),
    }
}

fn of_file(path: &Path, output: Output) -> Result<IndexMap<String, String>, CommandError> {
    let reading = project::read_env_file(path);
    if let Some(error) = reading.diagnostics.iter().find(|one| one.is_error()) {
        return Err(CommandError::new(ErrorCode::FileRead, error.to_string()));
    }
    for warning in &reading.diagnostics {
        output.note(&warning.to_string());
    }
    if reading.value.is_empty() {
        let message = format!("{} sets nothing", path.display());
        return Err(CommandError::input(message).with_hint("it needs lines like KEY=VALUE"));
    }
    Ok(reading.value.into_iter().collect())
}

/// One argument. It is not shown when it is wrong: it may be a secret without its name.
fn entry((index, entry): (usize, &String)) -> Result<(String, String), CommandError> {
    match entry.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => {
            let message = format!("argument {} is not KEY=VALUE", index + 1);
            Err(CommandError::input(message).with_hint("put quotes around it where it has blanks"))
        }
    }
}

fn set_here(dir: &Path, secrets: IndexMap<String, String>) -> Result<Done, CommandError> {
    let layout = project::read_layout(dir)?.value;
    let path = layout.root.join(".env.local");
    let secrets: Vec<(String, String)> = secrets.into_iter().collect();
    let edited = env_edit::set(&path, &secrets).map_err(|error| match &error {
        EditError::File { .. } => CommandError::new(ErrorCode::FileRead, error.to_string())
            .with_hint("nothing was written: check the permissions of the file and of its folder"),
        EditError::Name(_) | EditError::Value(_) | EditError::Unclosed(_) => {
            CommandError::input(error.to_string()).with_hint("nothing was written")
        }
    })?;
    let file = layout.relative(&path);
    let parts = [
        ("added", &edited.added),
        ("changed", &edited.changed),
        ("unchanged", &edited.unchanged),
    ];
    let lines = parts.iter().filter(|(_, names)| !names.is_empty());
    let lines = lines.map(|(what, names)| format!("{file}: {what} {}", names.join(", ")));
    let mut lines: Vec<String> = lines.collect();
    if is_committed(&layout.root) {
        lines.push(format!(
            "note: git would commit {file}; add it to .gitignore"
        ));
    }
    let report = json!({
        "file": file, "added": edited.added, "changed": edited.changed, "unchanged": edited.unchanged,
    });
    Ok(Done::new(lines.join("\n"), &report))
}

/// Whether a repository holds `root` and, as far as the usual ways to write it tell, does not ignore its `.env.local`.
fn is_committed(root: &Path) -> bool {
    let patterns = [".env.local", ".env*", ".env.*", ".env*.local", "*.local"];
    let ignores = |folder: &Path| {
        let text = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
        text.lines()
            .any(|line| patterns.contains(&line.trim().trim_start_matches('/')))
    };
    let Some(repository) = root.ancestors().find(|folder| folder.join(".git").exists()) else {
        return false;
    };
    let inside = |folder: &&Path| folder.starts_with(repository);
    !root.ancestors().take_while(inside).any(ignores)
}

/// Who has no app may have meant the one on this machine.
fn or_locally(error: CommandError) -> CommandError {
    match error.code {
        ErrorCode::AuthRequired | ErrorCode::ConfigNotFound => error.with_command(
            "or set it for `backlot dev` only",
            "backlot secrets set --local KEY=VALUE",
        ),
        _ => error,
    }
}

fn listed(names: &[&String]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    names.join(", ")
}
