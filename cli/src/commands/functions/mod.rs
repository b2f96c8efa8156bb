//! `backlot functions`: the project's functions, seen from the command line.

mod invoke;
mod list;

use std::process::ExitCode;

use crate::args::{FunctionsArgs, FunctionsCommand};

pub(crate) fn run(args: &FunctionsArgs) -> ExitCode {
    super::ended(super::block_on(async {
        match &args.command {
            FunctionsCommand::List(args) => list::list(args).await,
            FunctionsCommand::Invoke(args) => invoke::invoke(args).await,
        }
    }))
}
