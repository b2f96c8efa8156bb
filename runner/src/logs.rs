//! What functions print: recent lines of each are kept, and whoever listens gets new ones as they come.
//!
//! Writing never waits. A listener that is too slow misses lines and is told how many.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use proto::v1::{LogLine, log_line::Level};
use tokio::sync::broadcast;

/// Lines that are kept of each function.
pub const KEPT: usize = 200;

/// Lines by which a listener may be behind.
const BACKLOG: usize = 4096;

/// Tells the time of a line.
pub type Clock = fn() -> jiff::Timestamp;

/// All functions' output.
#[derive(Debug)]
pub struct Logs {
    clock: Clock,
    recent: Mutex<Recent>,
    live: broadcast::Sender<Line>,
}

/// A line, with its place in the order of all lines.
pub type Line = Arc<(u64, LogLine)>;

#[derive(Debug, Default)]
struct Recent {
    written: u64,
    rings: HashMap<String, VecDeque<Line>>,
}

impl Logs {
    /// No lines yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            recent: Mutex::default(),
            live: broadcast::Sender::new(BACKLOG),
        }
    }

    /// Adds a line that belongs to no request.
    pub fn write(&self, function: &str, level: Level, message: impl Into<String>) {
        self.write_for(function, level, message.into(), String::new());
    }

    /// Adds a line that was printed while a request was handled; `request_id` may be empty.
    pub fn write_for(&self, function: &str, level: Level, message: String, request_id: String) {
        self.add(LogLine {
            request_id,
            ..self.line(function, level, message)
        });
    }

    /// Adds a line about a mistake in the code at `place`, which may be empty.
    pub fn write_of(&self, function: &str, level: Level, message: String, place: String) {
        self.add(LogLine {
            place,
            ..self.line(function, level, message)
        });
    }

    fn line(&self, function: &str, level: Level, message: String) -> LogLine {
        LogLine {
            time: self.now(),
            function: function.to_owned(),
            level: level.into(),
            message,
            ..LogLine::default()
        }
    }

    fn add(&self, line: LogLine) {
        let mut recent = self.recent.lock();
        recent.written += 1;
        let line = Arc::new((recent.written, line));
        let ring = recent.rings.entry(line.1.function.clone()).or_default();
        if ring.len() == KEPT {
            ring.pop_front();
        }
        ring.push_back(Arc::clone(&line));
        // Under the lock, so that listeners see lines in the order of their numbers. Nobody listening is no error.
        let _ = self.live.send(line);
    }

    /// Drops what was kept of a function that is gone.
    pub fn forget(&self, function: &str) {
        self.recent.lock().rings.remove(function);
    }

    /// The last `most` kept lines of one function, or of all when `function` is empty, oldest first; and a receiver of
    /// exactly those that come after.
    #[must_use]
    pub fn tail(&self, function: &str, most: usize) -> (Vec<Line>, broadcast::Receiver<Line>) {
        let recent = self.recent.lock();
        let live = self.live.subscribe();
        let mut lines: Vec<Line> = if function.is_empty() {
            recent.rings.values().flatten().map(Arc::clone).collect()
        } else {
            recent
                .rings
                .get(function)
                .into_iter()
                .flatten()
                .map(Arc::clone)
                .collect()
        };
        drop(recent);
        lines.sort_unstable_by_key(|line| line.0);
        lines.drain(..lines.len().saturating_sub(most));
        (lines, live)
    }

    /// What a listener is told that missed `lost` lines.
    #[must_use]
    pub fn gap(&self, lost: u64) -> LogLine {
        LogLine {
            time: self.now(),
            function: String::new(),
            level: Level::Warn.into(),
            message: format!("{lost} lines were left out"),
            ..LogLine::default()
        }
    }

    fn now(&self) -> String {
        let time = (self.clock)();
        time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::log_line::Level;

    use super::{KEPT, Logs};

    fn logs() -> Logs {
        Logs::new(|| jiff::Timestamp::from_millisecond(1_700_000_000_123).unwrap())
    }

    fn messages(lines: &[super::Line]) -> Vec<&str> {
        lines.iter().map(|line| line.1.message.as_str()).collect()
    }

    #[test]
    fn the_tail_is_in_order_across_functions() {
        let logs = logs();
        for (function, message) in [("a", "1"), ("b", "2"), ("a", "3")] {
            logs.write(function, Level::Info, message);
        }
        for (function, most, expected) in [
            ("", 9, vec!["1", "2", "3"]),
            ("", 2, vec!["2", "3"]),
            ("a", 9, vec!["1", "3"]),
            ("c", 9, vec![]),
        ] {
            assert_eq!(messages(&logs.tail(function, most).0), expected);
        }
    }

    #[test]
    fn old_lines_make_room() {
        let logs = logs();
        for number in 0..=KEPT {
            logs.write("a", Level::Info, number.to_string());
        }
        let (lines, _) = logs.tail("a", usize::MAX);
        assert_eq!(lines.len(), KEPT);
        assert_eq!(lines[0].1.message, "1");
    }

    #[test]
    fn a_listener_gets_what_comes_after_the_tail() {
        let logs = logs();
        logs.write("a", Level::Info, "before");
        let (_, mut live) = logs.tail("a", 9);
        logs.write("a", Level::Error, "after");
        let line = live.try_recv().unwrap();
        assert_eq!(line.1.message, "after");
        assert_eq!(line.1.time, "2023-11-14T22:13:20.123Z");
        assert!(live.try_recv().is_err());
    }

    #[test]
    fn nothing_is_kept_of_a_forgotten_function() {
        let logs = logs();
        logs.write("a", Level::Info, "line");
        logs.forget("a");
        assert!(logs.tail("a", 9).0.is_empty());
    }
}
