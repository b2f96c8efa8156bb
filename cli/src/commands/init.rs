//! `backlot init`: makes a project of a folder and leaves everything that is in it.

use std::{fs, path::Path, process::ExitCode};

use serde_json::json;

use crate::{
    args::InitArgs,
    output::{CommandError, Done, ErrorCode, Output},
    scaffold::{
        self,
        project::{self, Frontend},
    },
};

pub(crate) fn run(args: &InitArgs) -> ExitCode {
    Output::new(args.json).finish(init(args))
}

fn init(args: &InitArgs) -> Result<Done, CommandError> {
    let unusable = |error: std::io::Error| {
        let message = format!("cannot use the folder {}: {error}", args.dir.display());
        CommandError::new(ErrorCode::FileRead, message)
            .with_hint("check the path and its permissions")
    };
    let is_new = !args.dir.exists();
    let folder = std::path::absolute(&args.dir).map_err(unusable)?;
    let folder = if is_new {
        folder
    } else {
        fs::canonicalize(folder).map_err(unusable)?
    };
    refuse_project(&folder)?;
    let frontend = Frontend::of(&folder);
    let given = args.name.as_deref().map(str::trim);
    if given == Some("") {
        return Err(
            CommandError::input("the app's name is empty").with_hint("give it with --name NAME")
        );
    }
    let name = given.map_or_else(|| project::name(&folder, frontend.as_ref()), str::to_owned);
    let files = project::files(&folder, &name, frontend.as_ref());
    let shown = |path: &Path| {
        path.strip_prefix(&folder)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    scaffold::make(&files, shown)?;
    let made: Vec<String> = files.iter().map(|file| shown(&file.path)).collect();
    let next = next_steps(args, &folder, frontend.as_ref());
    let text = format!(
        "Made a project of {name:?}:\n  {}\n\nNext:\n  {}",
        made.join("\n  "),
        next.join("\n  ")
    );
    let report = json!({ "root": folder.display().to_string(), "name": name, "created": made, "next": next });
    Ok(Done::new(text, &report))
}

/// A configuration of either kind makes the folder a project, which has its files already.
fn refuse_project(folder: &Path) -> Result<(), CommandError> {
    let places = ["base44/config.jsonc", "base44/config.json", "config.jsonc"];
    let Some(found) = places.iter().find(|place| folder.join(place).exists()) else {
        return Ok(());
    };
    let message = format!("{found} exists already: this is a Base44 project");
    Err(
        CommandError::new(ErrorCode::ConfigExists, message).with_command(
            "nothing was written; add to the project",
            "backlot new entity Task",
        ),
    )
}

fn next_steps(args: &InitArgs, folder: &Path, frontend: Option<&Frontend>) -> Vec<String> {
    let mut steps = Vec::new();
    if args.dir != Path::new(".") {
        steps.push(format!("cd {}", args.dir.display()));
    }
    if frontend.is_some_and(Frontend::is_served) && !folder.join("node_modules").exists() {
        steps.push("npm install".to_owned());
    }
    steps.extend(
        [
            "backlot new entity Task",
            "backlot new function hello",
            "backlot dev",
        ]
        .map(str::to_owned),
    );
    steps
}
