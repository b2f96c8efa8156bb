//! The function service as a program of its own.

use std::process::ExitCode;

use clap::Parser;

/// Backlot's function service: runs backend functions in Deno processes
#[derive(Debug, Parser)]
#[command(name = "runner", version)]
struct Cli {
    #[command(flatten)]
    args: runner::Args,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    proto::host::run_to_exit(runner::run(cli.args))
}
