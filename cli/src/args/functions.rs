//! The arguments of `backlot functions`: of the running server, and of the deployed app.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AppArgs;

/// What `backlot functions` takes.
#[derive(Debug, Args)]
pub(crate) struct FunctionsArgs {
    #[command(subcommand)]
    pub(crate) command: FunctionsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FunctionsCommand {
    /// List the project's functions and how those that run are doing, or the deployed ones with --remote
    List(ListArgs),
    /// Call a function of the running server and print its answer
    Invoke(InvokeArgs),
    /// Deploy functions to Base44, with the code they share and their automations
    Deploy(DeployArgs),
    /// Write deployed functions into the project
    Pull(PullArgs),
    /// Delete deployed functions from Base44; files stay
    Delete(DeleteArgs),
}

/// What `backlot functions list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// List what is deployed on Base44 instead
    #[arg(long)]
    pub(crate) remote: bool,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// What `backlot functions deploy` takes.
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// Functions to deploy, also separated by commas [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Delete deployed functions that the project does not have; asks first in a terminal
    #[arg(long)]
    pub(crate) force: bool,

    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// What `backlot functions pull` takes.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// The function to pull [default: all]
    pub(crate) name: Option<String>,

    /// Overwrite files that differ without asking
    #[arg(long, visible_alias = "yes")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// What `backlot functions delete` takes.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Functions to delete, also separated by commas
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,

    /// Do not ask
    #[arg(long, visible_alias = "yes")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// What `backlot functions invoke` takes.
#[derive(Debug, Args)]
pub(crate) struct InvokeArgs {
    /// The function, as calls name it
    pub(crate) name: String,

    /// The request's body: JSON, @FILE, or - for standard input
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    pub(crate) data: Option<String>,

    /// The request's method
    #[arg(short = 'X', long, value_name = "NAME", default_value = "POST")]
    pub(crate) method: String,

    /// What comes after the function's name, with its query
    #[arg(long, value_name = "/TAIL", default_value = "")]
    pub(crate) path: String,

    /// Call as this user instead of the developer
    #[arg(long = "as", value_name = "EMAIL", group = "caller")]
    pub(crate) user: Option<String>,

    /// Call with the service role
    #[arg(long, group = "caller")]
    pub(crate) service: bool,

    /// Call without a session
    #[arg(long, group = "caller")]
    pub(crate) anonymous: bool,

    /// A folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document: the status, how long it took, and the body
    #[arg(long)]
    pub(crate) json: bool,
}
