//! The arguments of `backlot functions`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `backlot functions` takes.
#[derive(Debug, Args)]
pub(crate) struct FunctionsArgs {
    #[command(subcommand)]
    pub(crate) command: FunctionsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FunctionsCommand {
    /// List the project's functions and how those that run are doing
    List(ListArgs),
    /// Call a function of the running server and print its answer
    Invoke(InvokeArgs),
}

/// What `backlot functions list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// A folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
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
}
