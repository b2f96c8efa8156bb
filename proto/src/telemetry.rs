//! Logs: lower-case sentences with fields, on standard error, as text for a person or JSON for the parent.

use std::io;

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, fmt};

/// Target of log lines that scripts wait for: verification codes. The parent prints their message as it is, on standard
/// output.
pub const CODE: &str = "backlot::code";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// One object a line, for a program.
    Json,
}

/// Sends this process' logs to standard error. `BACKLOT_LOG` chooses what is logged, in the syntax of
/// `tracing-subscriber`; without it, `level` and worse.
///
/// Call it once; a second call changes nothing.
pub fn init(format: LogFormat, level: LevelFilter) {
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .with_env_var("BACKLOT_LOG")
        .from_env_lossy();
    let logs = fmt().with_env_filter(filter).with_writer(io::stderr);
    let _ = match format {
        LogFormat::Text => logs.with_ansi(false).compact().try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
}
