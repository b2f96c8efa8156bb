//! The command line as clap reads it: structure and help only. One file a family of commands; `settings.rs` turns
//! what `dev` takes into something to act on.

mod dev;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::dev::{DevArgs, FunctionPermissions};

/// Run the backend of a Base44 project on this machine
#[derive(Debug, Parser)]
#[command(
    name = "backlot",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a project until Ctrl-C
    Dev(Box<DevArgs>),
    /// Show whether this project's server runs, and where
    Status(StatusArgs),
    /// Run the entity service alone
    Store(store::Args),
    /// Run the function service alone
    Runner(runner::Args),
    /// Run the HTTP front alone
    Gateway(gateway::Args),
    /// Run a command that ends when its parent does
    #[command(hide = true)]
    Guard(GuardArgs),
}

/// What `backlot status` takes.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// A folder of the project
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `backlot guard` takes.
#[derive(Debug, Args)]
pub(crate) struct GuardArgs {
    /// Passed to the shell
    pub(crate) command: String,
}
