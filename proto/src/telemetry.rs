//! Logs: lower-case sentences with fields, on standard error, as text for a person or JSON for the parent.

use std::io;

use clap::ValueEnum;
use tracing::{Event, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext,
        format::{FormatEvent, FormatFields, Writer},
    },
    registry::LookupSpan,
};

use crate::request_id;

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
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let _ = match format {
        LogFormat::Text => logs.with_ansi(false).compact().try_init(),
        LogFormat::Json => logs
            .json()
            .map_event_format(|format| Tagged(format.flatten_event(true)))
            .try_init(),
    };
}

/// JSON lines with the id of the request that they were written for. The id is where the code that logs need not know
/// it, which is why it is no field of the event.
struct Tagged<F>(F);

impl<S, N, F> FormatEvent<S, N> for Tagged<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        match (request_id::current(), line.trim_end().strip_suffix('}')) {
            (Some(id), Some(fields)) => {
                let id = serde_json::Value::from(id.as_str());
                writeln!(writer, r#"{fields},"request_id":{id}}}"#)
            }
            _ => writer.write_str(&line),
        }
    }
}
