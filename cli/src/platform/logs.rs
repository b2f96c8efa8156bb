//! The platform's calls about what deployed functions print: pages of lines, and a stream of new ones.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    App, Unsent,
    http::{Answer, Call, segment},
};
use crate::output::CommandError;

/// A line of a stream that is longer than this is nobody's output.
const LINE_LIMIT: usize = 1 << 20;

/// One line that a function printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LogLine {
    /// ISO 8601, as the platform writes it: text that sorts by time.
    pub(crate) time: String,
    /// `debug`, `info`, `warning` or `error`.
    pub(crate) level: String,
    /// Absent in lines of the platform itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function: Option<String>,
    pub(crate) message: String,
}

/// Which lines to ask for; what is absent is the platform's choice.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogFilters {
    /// ISO 8601.
    pub(crate) since: Option<String>,
    /// ISO 8601.
    pub(crate) until: Option<String>,
    pub(crate) level: Option<&'static str>,
    pub(crate) limit: Option<u32>,
    pub(crate) order: Option<&'static str>,
    pub(crate) env: Option<&'static str>,
}

/// What comes through a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogEvent {
    Line(LogLine),
    /// Nothing happened, and the platform is there.
    Ping,
    /// The platform ends the stream; whether another one may be opened.
    End {
        reason: String,
        retriable: bool,
    },
}

#[derive(Deserialize)]
struct Entry {
    time: String,
    level: Option<String>,
    function: Option<String>,
    message: String,
}

#[derive(Deserialize)]
struct End {
    reason: String,
    retriable: bool,
}

impl From<Entry> for LogLine {
    fn from(entry: Entry) -> Self {
        let level = match entry.level.as_deref() {
            Some("warn") => "warning",
            None | Some("" | "log") => "info",
            Some(level) => level,
        };
        Self {
            level: level.to_owned(),
            time: entry.time,
            function: entry.function,
            message: entry.message,
        }
    }
}

/// How the opening of a stream went.
pub(crate) enum Opened {
    Stream(Box<LogStream>),
    /// Not now.
    Later,
    /// Not for this app or this caller.
    Refused,
}

impl App {
    /// Lines of one function.
    ///
    /// # Errors
    ///
    /// As [`super::Platform::send`]; 404 for a function that is not deployed.
    pub(crate) async fn function_logs(
        &self,
        name: &str,
        filters: &LogFilters,
    ) -> Result<Vec<LogLine>, CommandError> {
        let path = format!("functions-mgmt/{}/logs", segment(name));
        let mut call = Call::get(path, format!("read the logs of the function `{name}`"));
        let limit = filters.limit.map(|limit| limit.to_string());
        for (key, value) in [
            ("since", filters.since.as_deref()),
            ("until", filters.until.as_deref()),
            ("level", filters.level),
            ("limit", limit.as_deref()),
            ("order", filters.order),
            ("env", filters.env),
        ] {
            if let Some(value) = value {
                call = call.query(key, value);
            }
        }
        let answer: Answer = self.send(call).await?;
        let entries: Vec<Entry> = answer.json()?;
        let named = |entry: Entry| LogLine {
            function: Some(name.to_owned()),
            ..LogLine::from(entry)
        };
        Ok(entries.into_iter().map(named).collect())
    }

    /// Opens a stream of new lines, of all functions where none is named.
    ///
    /// # Errors
    ///
    /// When nobody is logged in.
    pub(crate) async fn log_stream(
        &self,
        functions: &[String],
        env: Option<&'static str>,
    ) -> Result<Opened, CommandError> {
        let mut call = Call::get("functions-mgmt/logs/stream", "follow the logs");
        if !functions.is_empty() {
            call = call.query("function", functions.join(","));
        }
        if let Some(env) = env {
            call = call.query("env", env);
        }
        match self.stream(call).await {
            Ok(response) if response.status().is_success() => {
                Ok(Opened::Stream(Box::new(LogStream::new(response))))
            }
            Ok(response) if response.status() >= StatusCode::INTERNAL_SERVER_ERROR => {
                Ok(Opened::Later)
            }
            Ok(_) => Ok(Opened::Refused),
            Err(Unsent::Connection(_)) => Ok(Opened::Later),
            Err(Unsent::Session(error)) => Err(error),
        }
    }
}

/// A stream of lines.
pub(crate) struct LogStream {
    response: reqwest::Response,
    events: Events,
    ready: std::vec::IntoIter<LogEvent>,
}

impl LogStream {
    fn new(response: reqwest::Response) -> Self {
        Self {
            response,
            events: Events::default(),
            ready: Vec::new().into_iter(),
        }
    }

    /// The next event; `None` when the connection is gone. Whoever waits decides for how long.
    pub(crate) async fn next(&mut self) -> Option<LogEvent> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some(event);
            }
            let piece = self.response.chunk().await.ok().flatten()?;
            self.ready = self.events.take(&piece)?.into_iter();
        }
    }
}

/// Bytes of an event stream, as events. Every `data` line is one, as the official tool reads them.
#[derive(Debug, Default)]
struct Events {
    /// An unfinished line.
    rest: Vec<u8>,
    name: String,
}

impl Events {
    /// The events that `piece` completes; `None` when it is no event stream.
    fn take(&mut self, piece: &[u8]) -> Option<Vec<LogEvent>> {
        let mut events = Vec::new();
        self.rest.extend_from_slice(piece);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            events.extend(self.line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n'])));
        }
        (self.rest.len() <= LINE_LIMIT).then_some(events)
    }

    fn line(&mut self, line: &str) -> Option<LogEvent> {
        if line.starts_with(':') {
            return Some(LogEvent::Ping);
        }
        if let Some(name) = line.strip_prefix("event:") {
            name.trim().clone_into(&mut self.name);
            return None;
        }
        let name = std::mem::take(&mut self.name);
        let data = line.strip_prefix("data:")?;
        match name.as_str() {
            "" | "message" => {
                let entry: Entry = serde_json::from_str(data).ok()?;
                Some(LogEvent::Line(entry.into()))
            }
            "end" => {
                let End { reason, retriable } = serde_json::from_str(data).ok()?;
                Some(LogEvent::End { reason, retriable })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Events, LogEvent, LogLine};

    proptest! {
        #[test]
        fn prop_any_stream_is_read_the_same_however_it_is_cut(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..60).boxed(),
                "(data:|event:|end|message|id:|:|\\{|\\}|\"(time|message|level|reason|retriable)\":(\"x\"|true|1)|,|\n|\r\n|\r| ){0,30}"
                    .prop_map(String::into_bytes).boxed(),
            ],
            size in 1_usize..9,
        ) {
            let mut whole = Events::default();
            let mut cut = Events::default();
            let pieces: Vec<LogEvent> = bytes.chunks(size).flat_map(|piece| cut.take(piece).unwrap()).collect();
            prop_assert_eq!(whole.take(&bytes).unwrap(), pieces);
        }
    }

    const STREAM: &str = ": ping\n\ndata: {\"time\":\"1\",\"level\":\"warn\",\"function\":\"f\",\"message\":\"ü\"}\r\n\n\
        data: garbage\n\nevent: other\ndata: {}\n\nevent: end\ndata: {\"reason\":\"r\",\"retriable\":true}\n\n\
        data:{\"time\":\"2\",\"function\":null,\"message\":\"m\"}\n";

    #[test]
    fn events_are_read_however_the_bytes_are_cut() {
        let line = |time: &str, level: &str, function: Option<&str>, message: &str| {
            LogEvent::Line(LogLine {
                time: time.to_owned(),
                level: level.to_owned(),
                function: function.map(str::to_owned),
                message: message.to_owned(),
            })
        };
        let end = LogEvent::End {
            reason: "r".to_owned(),
            retriable: true,
        };
        let expected = [
            LogEvent::Ping,
            line("1", "warning", Some("f"), "ü"),
            end,
            line("2", "info", None, "m"),
        ];
        for size in [1, 7, STREAM.len()] {
            let mut events = Events::default();
            let pieces = STREAM.as_bytes().chunks(size);
            let found: Vec<LogEvent> = pieces
                .flat_map(|piece| events.take(piece).unwrap())
                .collect();
            assert_eq!(found, expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_no_event_stream() {
        let mut events = Events::default();
        assert!(events.take(&vec![b'x'; super::LINE_LIMIT + 1]).is_none());
    }
}
