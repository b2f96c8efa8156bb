//! `backlot functions`: the project's functions, seen from the command line, and those of the deployed app.

mod delete;
mod deploy;
mod invoke;
mod list;
mod outcome;
mod pull;
mod remote;
mod stage;

use std::process::ExitCode;

use crate::{
    args::{AppArgs, FunctionsArgs, FunctionsCommand},
    output::{self, CommandError, Output},
    platform::{App, Surroundings},
    project::Layout,
};

pub(crate) fn run(args: &FunctionsArgs) -> ExitCode {
    match &args.command {
        FunctionsCommand::List(args) if args.remote => {
            let output = Output::new(args.app.json);
            output::run(output, remote::list(&args.app, output))
        }
        FunctionsCommand::List(args) => {
            output::run(Output::new(args.app.json), list::list(&args.app))
        }
        FunctionsCommand::Invoke(args) => {
            let output = Output::new(args.json);
            output::run(output, invoke::invoke(args, output))
        }
        FunctionsCommand::Deploy(args) => {
            let output = Output::new(args.app.json);
            output::run(output, deploy::deploy(args, output))
        }
        FunctionsCommand::Pull(args) => {
            let output = Output::new(args.app.json);
            output::run(output, pull::pull(args, output))
        }
        FunctionsCommand::Delete(args) => {
            let output = Output::new(args.app.json);
            output::run(output, delete::delete(args, output))
        }
    }
}

/// The project and the app that a command works on.
fn project_and_app(args: &AppArgs, output: Output) -> Result<(Layout, App), CommandError> {
    let surroundings = Surroundings::of(&args.dir);
    let app = App::find(&surroundings, args.app_id.as_deref(), output);
    // Without a project, that is the mistake to name.
    let layout = surroundings.into_layout()?;
    Ok((layout, app?))
}

/// Names as given: several arguments, several names in one with commas between, each once.
fn names(given: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in given.iter().flat_map(|names| names.split(',')) {
        let name = name.trim();
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_come_one_by_one_or_with_commas_and_count_once() {
        let given = ["a, b/c", "", ",a,", "d"].map(str::to_owned);
        assert_eq!(names(&given), ["a", "b/c", "d"]);
    }
}
