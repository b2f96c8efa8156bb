//! The arguments of the commands that speak to the Base44 platform: `login`, `logout`, `whoami`, `secrets`, and what
//! those about a deployed app have in common.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Which app on the platform, and how to print.
#[derive(Debug, Args)]
pub(crate) struct AppArgs {
    /// The app on Base44 [default: BASE44_APP_ID, or the one that the project is linked to]
    #[arg(long, value_name = "ID")]
    pub(crate) app_id: Option<String>,

    /// A folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a command takes that is about the person at the keyboard.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `backlot secrets` takes.
#[derive(Debug, Args)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    pub(crate) command: SecretsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// List the names of the deployed app's secrets
    List(SecretListArgs),
    /// Add or replace secrets of the deployed app, or of this folder with --local
    Set(SecretSetArgs),
    /// Delete a secret of the deployed app
    Delete(SecretDeleteArgs),
}

/// What `backlot secrets list` takes.
#[derive(Debug, Args)]
pub(crate) struct SecretListArgs {
    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// What `backlot secrets set` takes.
#[derive(Debug, Args)]
pub(crate) struct SecretSetArgs {
    /// Secrets to set
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) entries: Vec<String>,

    /// Take them from a file like .env instead
    #[arg(long, value_name = "PATH")]
    pub(crate) env_file: Option<PathBuf>,

    /// Write them into .env.local, for functions that run on this machine
    #[arg(long, conflicts_with = "app_id")]
    pub(crate) local: bool,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}

/// What `backlot secrets delete` takes.
#[derive(Debug, Args)]
pub(crate) struct SecretDeleteArgs {
    /// The secret's name
    #[arg(value_name = "KEY")]
    pub(crate) name: String,

    /// Do not ask
    #[arg(long, visible_alias = "yes")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) app: AppArgs,
}
