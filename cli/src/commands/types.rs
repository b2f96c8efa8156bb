//! `backlot types generate`: TypeScript types of the project, once.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    args::{GenerateArgs, TypesArgs, TypesCommand},
    output::{CommandError, Done, ErrorCode, Output},
    project::{self, Diagnostic, Layout},
    types::{
        self, Named,
        file::{self, Tsconfig, Written},
    },
    ui::{self, counted},
};

pub(crate) fn run(args: &TypesArgs) -> ExitCode {
    let TypesCommand::Generate(args) = &args.command;
    let output = Output::new(args.json);
    output.finish(generate(args, output))
}

/// Files that cannot be used are noted and left out, as `backlot dev` does.
fn generate(args: &GenerateArgs, output: Output) -> Result<Done, CommandError> {
    let project = project::read(&args.dir)?;
    let resources = project::read_resources(&project.layout);
    let problems = project.diagnostics.iter().chain(&resources.diagnostics);
    problems.for_each(|problem| note(problem, output));
    let layout = &project.layout;
    let path = file::path(layout);
    let shown = layout.relative(&path);
    let text = types::declarations(&Named::of(&project, resources.value));
    let written = file::write(&path, &text).map_err(|error| unwritable(&shown, &error))?;
    let tsconfig = include(layout, output)?;
    let (entities, functions) = (project.entities.len(), project.functions.len());
    let report = json!({
        "file": shown,
        "changed": written == Written::Changed,
        "tsconfig": tsconfig,
        "entities": entities,
        "functions": functions,
    });
    let mut text = match written {
        Written::Changed => format!("Wrote {shown}"),
        Written::Unchanged => format!("{shown} is up to date"),
    };
    text.push_str(&format!(
        ": {}, {}",
        counted(entities, "entity"),
        counted(functions, "function")
    ));
    if tsconfig == "added" {
        text.push_str("\nAdded it to the `include` of tsconfig.json");
    }
    Ok(Done::new(text, &report))
}

/// What became of `tsconfig.json`, in a word.
fn include(layout: &Layout, output: Output) -> Result<&'static str, CommandError> {
    let tsconfig = file::include(layout).map_err(|error| unwritable("tsconfig.json", &error))?;
    Ok(match tsconfig {
        Tsconfig::Absent => "absent",
        Tsconfig::Present => "present",
        Tsconfig::Added => "added",
        Tsconfig::Unclear(problem) => {
            note(
                &Diagnostic {
                    severity: project::Severity::Warning,
                    ..*problem
                },
                output,
            );
            "unchanged"
        }
    })
}

fn note(problem: &Diagnostic, output: Output) {
    output.note(problem.frame(ui::columns(), false).trim_end());
}

fn unwritable(file: &str, error: &std::io::Error) -> CommandError {
    CommandError::new(
        ErrorCode::TypeGeneration,
        format!("cannot write {file}: {error}"),
    )
    .with_hint("check the permissions of the file and of its folder")
}
