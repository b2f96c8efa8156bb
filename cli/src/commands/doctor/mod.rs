//! `backlot doctor`.

use std::process::ExitCode;

use crate::args::DoctorArgs;

pub(crate) fn run(_args: &DoctorArgs) -> ExitCode {
    ExitCode::SUCCESS
}
