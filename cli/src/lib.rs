//! The `backlot` command: the control plane of a local Base44 backend.
//!
//! ```text
//!   project files ──read──► desired state ──gRPC──► store, runner, gateway
//!                                ▲                     ▲
//!                             supervisor ──spawns──────┘      terminal ◄── ui
//! ```
//!
//! It alone knows what a project looks like on disk (`project`), it starts the services and keeps them going
//! (`supervisor`), and it owns the terminal (`ui`). It serves nothing itself.

mod args;
mod browser;
mod commands;
mod deno;
mod descriptor;
mod desired;
mod login;
mod output;
mod places;
mod platform;
mod port_owner;
mod project;
mod scaffold;
mod settings;
mod supervisor;
mod types;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};

/// Runs the command that the process' arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::unparsed(&error),
    };
    match cli.command {
        Command::Dev(args) => commands::dev::run(*args),
        Command::Init(args) => commands::init::run(&args),
        Command::New(args) => commands::new::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Functions(args) => commands::functions::run(&args),
        Command::Entities(args) => commands::entities::run(&args),
        Command::Logs(args) => commands::logs::run(&args),
        Command::Exec(args) => commands::exec::run(&args),
        Command::Types(args) => commands::types::run(&args),
        Command::Secrets(args) => commands::secrets::run(&args),
        Command::Login(args) => commands::account::login(&args),
        Command::Logout(args) => commands::account::logout(&args),
        Command::Whoami(args) => commands::account::whoami(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Store(args) => proto::host::run_to_exit(store::run(args)),
        Command::Runner(args) => proto::host::run_to_exit(runner::run(args)),
        Command::Gateway(args) => proto::host::run_to_exit(gateway::run(args)),
        Command::Guard(args) => commands::guard::run(&args.command),
    }
}
