//! The arguments of the commands that look at a running server: `entities`, `logs` and `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::AppArgs;

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

    /// Of this function only; with --remote also several, separated by commas
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,

    /// Lines of this level and worse [default: info]; with --remote of exactly this level [default: all]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<LineLevel>,

    /// How many of the lines so far, before `--level` chooses among them [default: all that are kept]
    #[arg(short = 'n', long, value_name = "N", alias = "limit")]
    pub(crate) lines: Option<u32>,

    #[command(flatten)]
    pub(crate) remote: RemoteLogsArgs,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// What `backlot logs --remote` takes besides.
#[derive(Debug, Args)]
pub(crate) struct RemoteLogsArgs {
    /// Of the deployed app instead of the running server
    #[arg(long)]
    pub(crate) remote: bool,

    /// From then on: a date and time, or how long ago, such as 30m, 1h or 2d
    #[arg(long, value_name = "TIME", requires = "remote")]
    pub(crate) since: Option<String>,

    /// Up to then
    #[arg(
        long,
        value_name = "TIME",
        requires = "remote",
        conflicts_with = "follow"
    )]
    pub(crate) until: Option<String>,

    /// Oldest or newest lines first
    #[arg(
        long,
        value_name = "ORDER",
        requires = "remote",
        conflicts_with = "follow"
    )]
    pub(crate) order: Option<Order>,

    /// Of the draft or of what is published [default: both]
    #[arg(long, value_name = "ENV", requires = "remote")]
    pub(crate) env: Option<RemoteEnvironment>,
}

/// The least bad line to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineLevel {
    /// Cold starts and other news of the runner as well
    Debug,
    /// What functions print
    Info,
    /// `console.warn`, and warnings about functions
    #[value(alias = "warning")]
    Warn,
    /// What functions print to standard error, and why they failed
    Error,
}

/// Which lines come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// Oldest first
    Asc,
    /// Newest first
    Desc,
}

/// Which deployment of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RemoteEnvironment {
    /// The current draft
    Preview,
    /// What is published
    Prod,
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
