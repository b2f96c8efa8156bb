//! The arguments of the commands that look at a running server: `entities`, `logs` and `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What `backlot entities` takes.
#[derive(Debug, Args)]
pub(crate) struct EntitiesArgs {
    #[command(subcommand)]
    pub(crate) command: EntitiesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EntitiesCommand {
    /// List the entities that are served, with the number of records of each
    List(EntityListArgs),
}

/// What `backlot entities list` takes.
#[derive(Debug, Args)]
pub(crate) struct EntityListArgs {
    /// A folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `backlot logs` takes.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Go on with new lines until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Of this function only
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,

    /// Lines of this level and worse
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) level: LineLevel,

    /// How many of the lines so far, before `--level` chooses among them [default: all that are kept]
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) lines: Option<u32>,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,

    /// A folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// The least bad line to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineLevel {
    /// Cold starts and other news of the runner as well
    Debug,
    /// What functions print
    Info,
    Warn,
    /// What functions print to standard error, and why they failed
    Error,
}

/// What `backlot doctor` takes.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// A folder of the project
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}
