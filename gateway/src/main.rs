//! The gateway as a program of its own.

use std::process::ExitCode;

use clap::Parser;

/// Backlot's HTTP front: routes, sessions, proxying.
#[derive(Debug, Parser)]
#[command(name = "gateway", version)]
struct Cli {
    #[command(flatten)]
    args: gateway::Args,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    proto::host::run_to_exit(gateway::run(cli.args))
}
