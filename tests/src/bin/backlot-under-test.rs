//! The `backlot` command as the tests run it: the same `main`, in a binary that cargo builds along with them.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
