//! One line of the log: where it comes from, how bad it is, what it says.

use jiff::Timestamp;
use owo_colors::{AnsiColors, OwoColorize as _};
use proto::telemetry;
use serde::Serialize;
use serde_json::{Map, Value};

use super::CodeBox;

/// Columns of the label in front of each line, where no function's name is longer.
pub(crate) const LABEL: usize = 10;

/// The most that labels take of a line; longer names lose their beginning.
pub(super) const WIDEST_LABEL: usize = 20;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// Grows with how bad it is.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Debug => 0,
            Self::Info => 1,
            Self::Warn => 2,
            Self::Error => 3,
        }
    }
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
    /// More of it, for programs only.
    #[serde(flatten)]
    pub(crate) facts: Map<String, Value>,
    /// A code that somebody has to type; scripts wait for exactly the message then.
    #[serde(skip)]
    pub(crate) code: Option<CodeBox>,
}

impl Entry {
    /// An entry of now.
    pub(crate) fn new(component: &str, level: Level, message: impl Into<String>) -> Self {
        Self {
            time: milliseconds(Timestamp::now()),
            level,
            component: component.to_owned(),
            function: None,
            request_id: None,
            message: message.into(),
            facts: Map::new(),
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
        // The others keep the order in which they were written.
        let mut text = |name: &str| fields.shift_remove(name).and_then(as_text);
        let level = text("level").map_or(Level::Info, |name| level(&name));
        let mut message = text("message").unwrap_or_default();
        let request_id = text("request_id");
        let time = text("timestamp").and_then(|time| time.parse::<Timestamp>().ok());
        let is_code = text("target").is_some_and(|target| target == telemetry::CODE);
        let code = is_code.then(|| CodeBox {
            title: text("title").unwrap_or_default(),
            code: text("code").unwrap_or_default(),
        });
        let mut facts = Map::new();
        if let Some(code) = &code {
            facts.insert("event".to_owned(), "code".into());
            facts.insert("code".to_owned(), code.code.clone().into());
            facts.extend(fields);
        } else if !fields.is_empty() {
            append(&mut message, fields.clone());
            facts.insert("fields".to_owned(), fields.into());
        }
        let mut entry = Self::new(component, level, message);
        entry.code = code;
        entry.facts = facts;
        entry.request_id = request_id;
        entry.time = time.map_or(entry.time, milliseconds);
        entry
    }

    /// Adds a fact for programs.
    pub(crate) fn tell(&mut self, name: &str, fact: impl Into<Value>) {
        self.facts.insert(name.to_owned(), fact.into());
    }

    /// Says that it is about a mistake in a file, at this line and column.
    pub(crate) fn tell_mistake(&mut self, file: &str, place: Option<(usize, usize)>) {
        self.tell("event", "diagnostic");
        self.tell("file", file);
        if let Some((line, column)) = place {
            self.tell("line", line);
            self.tell("column", column);
        }
    }

    /// True for what functions and the frontend print: its layout is not ours.
    pub(crate) fn is_of_others(&self) -> bool {
        self.function.is_some() || self.component == "frontend"
    }

    /// One JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry is plain data")
    }

    /// `summary    text`, with a word for what is worse than information, and a label of `width` columns. Further lines of
    /// the text stand below the first.
    pub(crate) fn to_text(&self, width: usize) -> String {
        let name = self.function.as_deref().unwrap_or(&self.component);
        let label = label(name, width);
        let label = label.color(colour(name));
        let message = self.message.replace('\n', &format!("\n{:width$} ", ""));
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

fn milliseconds(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// The end of a name says more than its beginning, which is often a folder that many share.
fn label(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return format!("{name:<width$}");
    }
    let kept = name.chars().skip(length - width + 1);
    std::iter::once('…').chain(kept).collect()
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
    use serde_json::json;

    use super::{Entry, Level, Value};

    #[test]
    fn a_service_log_line_keeps_its_fields() {
        let line = r#"{"timestamp":"2026-01-02T03:04:05.678901Z","level":"WARN","message":"rule refused","entity":"Task","operation":"read","rule":"false","target":"store","request_id":"r1"}"#;
        let entry = Entry::from_service("store", line);
        assert_eq!(
            entry.message,
            "rule refused entity=Task operation=read rule=false"
        );
        let fields = json!({ "entity": "Task", "operation": "read", "rule": "false" });
        assert_eq!(entry.facts["fields"], fields);
        assert_eq!(entry.level, Level::Warn);
        assert_eq!(entry.request_id.as_deref(), Some("r1"));
        assert_eq!(entry.time, "2026-01-02T03:04:05.678Z");
    }

    #[test]
    fn a_verification_code_is_for_scripts_and_keeps_its_sentence() {
        let line = r#"{"level":"WARN","message":"the code: 123456","title":"Code for a@b.c","email":"a@b.c","code":"123456","target":"backlot::code"}"#;
        let entry = Entry::from_service("gateway", line);
        let code = entry.code.unwrap();
        assert_eq!(
            (code.title.as_str(), code.code.as_str()),
            ("Code for a@b.c", "123456")
        );
        assert_eq!(entry.message, "the code: 123456");
        let facts = json!({ "event": "code", "code": "123456", "email": "a@b.c" });
        assert_eq!(Value::from(entry.facts), facts);
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
    fn a_function_keeps_its_colour_and_its_standard_error_is_red() {
        let line = |function: &str, level, message: &str| {
            let entry = Entry::new("function", level, message);
            let function = Some(function.to_owned());
            Entry { function, ..entry }.to_text(10)
        };
        let (one, other) = (
            "\u{1b}[35msummary   \u{1b}[39m",
            "\u{1b}[34memail/send\u{1b}[39m",
        );
        assert_eq!(line("summary", Level::Info, "one"), format!("{one} one"));
        let red = "\u{1b}[31mtwo\u{1b}[39m";
        assert_eq!(line("summary", Level::Error, "two"), format!("{one} {red}"));
        assert_eq!(line("email/send", Level::Info, "x"), format!("{other} x"));
    }

    #[test]
    fn json_leaves_out_what_does_not_apply() {
        let mut entry = Entry::new("store", Level::Info, "hello");
        entry.time = "2026-01-02T03:04:05.678Z".to_owned();
        let expected = r#"{"time":"2026-01-02T03:04:05.678Z","level":"info","component":"store","message":"hello"}"#;
        assert_eq!(entry.to_json(), expected);
    }

    #[test]
    fn labels_are_aligned_and_cut_at_their_beginning_and_further_lines_stand_below() {
        let text = |name: &str, message: &str| {
            let mut entry = Entry::new("function", Level::Info, message);
            entry.function = Some(name.to_owned());
            anstream::adapter::strip_str(&entry.to_text(10)).to_string()
        };
        assert_eq!(text("hello", "a\nb"), "hello      a\n           b");
        assert_eq!(text("tasks/tidy", "a"), "tasks/tidy a");
        assert_eq!(text("shop/storefront-cart", "a"), "…ront-cart a");
    }

    #[test]
    fn facts_stand_beside_the_message() {
        let mut entry = Entry::new("backlot", Level::Info, "hello");
        entry.time = "t".to_owned();
        entry.tell("event", "reload");
        let expected = r#"{"time":"t","level":"info","component":"backlot","message":"hello","event":"reload"}"#;
        assert_eq!(entry.to_json(), expected);
    }
}
