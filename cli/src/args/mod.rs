//! The command line as clap reads it: structure and help only. One file a family of commands; `settings.rs` turns
//! what `dev` takes into something to act on.

mod dev;
mod exec;
mod functions;
mod live;
mod platform;
mod scaffold;
mod types;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::{
    dev::{DevArgs, FunctionPermissions},
    exec::ExecArgs,
    functions::{DeleteArgs, DeployArgs, FunctionsArgs, FunctionsCommand, InvokeArgs, PullArgs},
    live::{
        DoctorArgs, EntitiesArgs, EntitiesCommand, EntityListArgs, LineLevel, LogsArgs, Order,
        RemoteEnvironment,
    },
    platform::{
        AppArgs, SecretDeleteArgs, SecretSetArgs, SecretsArgs, SecretsCommand, SessionArgs,
    },
    scaffold::{InitArgs, NewArgs, NewCommand, NewResourceArgs},
    types::{GenerateArgs, TypesArgs, TypesCommand},
};

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
    /// Make a project of a folder
    Init(InitArgs),
    /// Add a function or an entity to the project
    New(NewArgs),
    /// Show whether this project's server runs, and where
    Status(StatusArgs),
    /// List, call, deploy, pull and delete the project's functions
    Functions(FunctionsArgs),
    /// Look at the entities that are served
    Entities(EntitiesArgs),
    /// Show what functions printed
    #[command(mut_arg("json", |json| json.help("Print one JSON document; with --follow one object a line")))]
    Logs(LogsArgs),
    /// Run a script with a client of the app at hand
    ///
    /// The script finds the SDK's client in the global `base44`, signed in. It works on the deployed app, for which
    /// `backlot login` is needed, unless `--local` says otherwise. Its exit status is this command's.
    Exec(ExecArgs),
    /// Write TypeScript types of the project
    Types(TypesArgs),
    /// List and change secrets
    Secrets(SecretsArgs),
    /// Log in to Base44
    Login(SessionArgs),
    /// Forget who is logged in to Base44 on this machine
    Logout(SessionArgs),
    /// Show who is logged in to Base44
    Whoami(SessionArgs),
    /// Check what Backlot needs on this machine and in this project
    Doctor(DoctorArgs),
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
