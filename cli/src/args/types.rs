//! The arguments of `backlot types`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `backlot types` takes.
#[derive(Debug, Args)]
pub(crate) struct TypesArgs {
    #[command(subcommand)]
    pub(crate) command: TypesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TypesCommand {
    /// Write TypeScript types of the project's entities and of the names of its functions
    ///
    /// They go to `base44/.types/types.d.ts`, where the official tool has them, and into the `include` of the
    /// project's `tsconfig.json` if there is one. `backlot dev` keeps the first file fresh while it runs.
    Generate(GenerateArgs),
}

/// What `backlot types generate` takes.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// A folder of the project
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}
