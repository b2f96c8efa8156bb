//! The arguments of the commands that make files: `init` and `new`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `backlot init` takes.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to make a project of; made where there is none
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,

    /// The app's name [default: the folder's]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `backlot new` takes.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    #[command(subcommand)]
    pub(crate) command: NewCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NewCommand {
    /// Add a function with a handler that answers
    Function(NewResourceArgs),
    /// Add an entity with a first field
    Entity(NewResourceArgs),
}

/// What `backlot new function` and `backlot new entity` take.
#[derive(Debug, Args)]
pub(crate) struct NewResourceArgs {
    /// Its name: `email/send` for a function, with folders or without; `OrderItem` for an entity
    pub(crate) name: String,

    /// A folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}
