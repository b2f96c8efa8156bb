//! `backlot new function` and `backlot new entity`: a file in the official layout that works at once.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    args::{NewArgs, NewCommand, NewResourceArgs},
    output::{CommandError, Done, Output},
    project::{self, Layout},
    scaffold::{self, NewFile, entity, function},
};

pub(crate) fn run(args: &NewArgs) -> ExitCode {
    let (args, outcome) = match &args.command {
        NewCommand::Function(args) => (args, new_function(args)),
        NewCommand::Entity(args) => (args, new_entity(args)),
    };
    Output::new(args.json).finish(outcome)
}

fn new_function(args: &NewResourceArgs) -> Result<Done, CommandError> {
    let layout = project::read_layout(&args.dir)?.value;
    let existing = project::read_functions(&layout).value;
    let name = args.name.trim();
    let file = function::file(&layout, &existing, name)?;
    let call = format!("backlot functions invoke {name} --data '{{\"name\":\"Ada\"}}'");
    made(&layout, &file, name, &["backlot dev", &call])
}

fn new_entity(args: &NewResourceArgs) -> Result<Done, CommandError> {
    let layout = project::read_layout(&args.dir)?.value;
    let existing = project::read_entities(&layout).value;
    let name = args.name.trim();
    let file = entity::file(&layout, &existing, name)?;
    made(&layout, &file, name, &["backlot dev"])
}

fn made(layout: &Layout, file: &NewFile, name: &str, next: &[&str]) -> Result<Done, CommandError> {
    scaffold::make(std::slice::from_ref(file), |path| layout.relative(path))?;
    let shown = layout.relative(&file.path);
    let text = format!("Made {shown}\n\nNext:\n  {}", next.join("\n  "));
    Ok(Done::new(
        text,
        &json!({ "name": name, "created": [shown], "next": next }),
    ))
}
