//! One line of the log: where it comes from, how bad it is, what it says.

use jiff::Timestamp;
use owo_colors::{AnsiColors, OwoColorize as _};
use proto::telemetry;
use serde::Serialize;
use serde_json::{Map, Value};

use super::CodeBox;

/// Columns of the label in front of each line; longer labels push their own line only.
const LABEL: usize = 10;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// ISO 8601, UTC, milliseconds.
    pub(crate) time: String,
    pub(crate) level: Level,
    /// `store`, `runner`, `gateway`, `frontend`, `function` or `backlot`.
    pub(crate) component: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    pub(crate) message: String,
    /// A code that somebody has to type; scripts wait for exactly the message then.
    #[serde(skip)]
    pub(crate) code: Option<CodeBox>,
}

impl Entry {
    /// An entry of now.
    pub(crate) fn new(component: &str, level: Level, message: impl Into<String>) -> Self {
        Self {
            time: format!("{:.3}", Timestamp::now()),
            level,
            component: component.to_owned(),
            function: None,
            request_id: None,
            message: message.into(),
            code: None,
        }
    }

    /// An entry of this command itself.
    pub(crate) fn of_cli(level: Level, message: impl Into<String>) -> Self {
        Self::new("backlot", level, message)
    }

    /// Reads a line of a service's log. What is no log line, a panic for example, is an error as it stands.
    pub(crate) fn from_service(component: &str, line: &str) -> Self {
        let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else {
            return Self::new(component, Level::Error, line);
        };
        let mut text = |name: &str| fields.remove(name).and_then(as_text);
        let level = text("level").map_or(Level::Info, |name| level(&name));
        let mut message = text("message").unwrap_or_default();
        let request_id = text("request_id");
        let time = text("timestamp");
        let is_code = text("target").is_some_and(|target| target == telemetry::CODE);
        let code = is_code.then(|| CodeBox {
            title: text("title").unwrap_or_default(),
            code: text("code").unwrap_or_default(),
        });
        if code.is_none() {
            append(&mut message, fields);
        }
        let mut entry = Self::new(component, level, message);
        entry.code = code;
        entry.request_id = request_id;
        entry.time = time.unwrap_or(entry.time);
        entry
    }

    /// One JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry is plain data")
    }

    /// `summary   │ text`, with a word for what is worse than information.
    pub(crate) fn to_text(&self) -> String {
        let label = self.function.as_deref().unwrap_or(&self.component);
        let label = format!("{label:<LABEL$}");
        let label = label.color(colour(label.trim_end()));
        let message = &self.message;
        match self.level {
            Level::Debug => format!("{label} {}", message.dimmed()),
            Level::Info => format!("{label} {message}"),
            Level::Warn => format!("{label} {} {message}", "warning:".yellow()),
            // What a function writes to its standard error is its author's text, not a judgement of ours.
            Level::Error if self.function.is_some() => format!("{label} {}", message.red()),
            Level::Error => format!("{label} {} {message}", "error:".red().bold()),
        }
    }
}

fn level(name: &str) -> Level {
    match name {
        "ERROR" => Level::Error,
        "WARN" => Level::Warn,
        "INFO" => Level::Info,
        _ => Level::Debug,
    }
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Fields follow their message as `name=value`.
fn append(message: &mut String, fields: Map<String, Value>) {
    for (name, value) in fields {
        let Some(text) = as_text(value).filter(|text| !text.is_empty()) else {
            continue;
        };
        if !message.is_empty() {
            message.push(' ');
        }
        message.push_str(&name);
        message.push('=');
        message.push_str(&text);
    }
}

/// A label keeps its colour from run to run.
fn colour(label: &str) -> AnsiColors {
    const COLOURS: [AnsiColors; 6] = [
        AnsiColors::Cyan,
        AnsiColors::Green,
        AnsiColors::Magenta,
        AnsiColors::Blue,
        AnsiColors::BrightCyan,
        AnsiColors::BrightMagenta,
    ];
    let sum = label.bytes().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    COLOURS[sum % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::{Entry, Level};

    #[test]
    fn a_service_log_line_keeps_its_fields() {
        let line = r#"{"timestamp":"2026-01-02T03:04:05.678Z","level":"WARN","message":"rule refused","entity":"Task","request_id":"r1","target":"store"}"#;
        let entry = Entry::from_service("store", line);
        assert_eq!(entry.message, "rule refused entity=Task");
        assert_eq!(entry.level, Level::Warn);
        assert_eq!(entry.request_id.as_deref(), Some("r1"));
        assert_eq!(entry.time, "2026-01-02T03:04:05.678Z");
    }

    #[test]
    fn a_verification_code_is_for_scripts_and_keeps_its_sentence() {
        let line = r#"{"level":"WARN","message":"the code: 123456","title":"Code for a@b.c","code":"123456","target":"backlot::code"}"#;
        let entry = Entry::from_service("gateway", line);
        let code = entry.code.unwrap();
        assert_eq!(
            (code.title.as_str(), code.code.as_str()),
            ("Code for a@b.c", "123456")
        );
        assert_eq!(entry.message, "the code: 123456");
    }

    #[test]
    fn other_output_of_a_service_is_an_error_as_it_stands() {
        let entry = Entry::from_service("store", "thread 'main' panicked");
        assert_eq!(
            (entry.level, entry.message.as_str()),
            (Level::Error, "thread 'main' panicked")
        );
    }

    #[test]
    fn json_leaves_out_what_does_not_apply() {
        let mut entry = Entry::new("store", Level::Info, "hello");
        entry.time = "2026-01-02T03:04:05.678Z".to_owned();
        let expected = r#"{"time":"2026-01-02T03:04:05.678Z","level":"info","component":"store","message":"hello"}"#;
        assert_eq!(entry.to_json(), expected);
    }
}
