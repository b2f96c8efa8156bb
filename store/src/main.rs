//! The entity service as a program of its own.

use std::process::ExitCode;

use clap::Parser;

/// Serves the entities of a Base44 project from memory
#[derive(Debug, Parser)]
#[command(name = "store", version)]
struct Cli {
    #[command(flatten)]
    args: store::Args,
}

fn main() -> ExitCode {
    proto::host::run_to_exit(store::run(Cli::parse().args))
}
