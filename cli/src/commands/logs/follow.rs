//! `backlot logs --remote --follow`: new lines as they come, through a stream that is opened again when it breaks, or
//! by asking again and again where there is no stream.

use std::{collections::HashSet, future::Future, time::Duration};

use tokio::time::{sleep, timeout};

use super::remote::{Request, in_text};
use crate::{
    output::{CommandError, Done, ErrorCode, Output},
    platform::logs::{LogEvent, LogFilters, LogLine, LogStream, Opened},
};

/// The platform sends something every few seconds; one that is silent for so long is gone. As the official tool has it.
const SILENCE: Duration = Duration::from_secs(60);

/// Between two questions where there is no stream.
const POLL: Duration = Duration::from_secs(2);

/// Before a stream that broke is opened again.
const REOPEN: Duration = Duration::from_secs(1);

/// Waits between tries to open a stream while the platform says that it cannot just now.
const RETRIES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// A stream that breaks so often in a row without having carried anything is none.
const DROPS: u32 = 2;

pub(super) async fn follow(request: Request, output: Output) -> Result<Done, CommandError> {
    let mut tail = Tail {
        request,
        output,
        last: Last::default(),
    };
    if tail.request.filters.since.is_some() {
        output.note("--since reads the past: asking every 2 s instead of streaming");
        return tail.poll().await;
    }
    match tail.stream().await? {
        Ended::ByReader => Ok(Done::silent()),
        Ended::Unavailable => {
            output.note("there is no stream of lines: asking every 2 s, which lags a little");
            tail.poll().await
        }
        Ended::ByPlatform(reason) => Err(CommandError::new(
            ErrorCode::Api,
            format!("the platform ended the stream: {reason}"),
        )
        .with_command("follow again", "backlot logs --remote --follow")),
    }
}

/// Why there are no more lines.
enum Ended {
    /// Nobody reads what is printed.
    ByReader,
    /// There is no stream, or none that holds.
    Unavailable,
    /// For good, for this reason.
    ByPlatform(String),
}

/// How one stream ended.
enum Break {
    Reader,
    /// Broken or silent; whether anything had come.
    Dropped {
        was_alive: bool,
    },
    /// Told to end: why, and whether another may be opened.
    Told {
        reason: String,
        retriable: bool,
    },
}

struct Tail {
    request: Request,
    output: Output,
    last: Last,
}

impl Tail {
    async fn stream(&mut self) -> Result<Ended, CommandError> {
        let mut drops = 0;
        loop {
            let Some(stream) = self.open().await? else {
                return Ok(Ended::Unavailable);
            };
            match self.print_all(stream).await {
                Break::Reader => return Ok(Ended::ByReader),
                Break::Told {
                    reason,
                    retriable: false,
                } => return Ok(Ended::ByPlatform(reason)),
                Break::Told { .. } => drops = 0,
                Break::Dropped { was_alive: true } => drops = 1,
                Break::Dropped { was_alive: false } => drops += 1,
            }
            if drops >= DROPS {
                return Ok(Ended::Unavailable);
            }
            self.output.note("the stream broke: opening it again");
            sleep(REOPEN).await;
        }
    }

    /// A stream, unless there is none to be had.
    async fn open(&self) -> Result<Option<LogStream>, CommandError> {
        let mut waits = RETRIES.iter();
        loop {
            let opened = self
                .request
                .app
                .log_stream(&self.request.asked, self.request.filters.env);
            match opened.await? {
                Opened::Stream(stream) => return Ok(Some(*stream)),
                Opened::Refused => return Ok(None),
                Opened::Later => match waits.next() {
                    Some(wait) => sleep(*wait).await,
                    None => return Ok(None),
                },
            }
        }
    }

    async fn print_all(&mut self, mut stream: LogStream) -> Break {
        let mut was_alive = false;
        loop {
            let Some(event) = in_time(stream.next()).await else {
                return Break::Dropped { was_alive };
            };
            was_alive = true;
            match event {
                LogEvent::Ping => {}
                LogEvent::End { reason, retriable } => return Break::Told { reason, retriable },
                LogEvent::Line(line) => {
                    self.last.saw(&line);
                    if self.request.shows(&line) && self.print(&line).is_err() {
                        return Break::Reader;
                    }
                }
            }
        }
    }

    /// Asks again and again. A platform that is away for a while is waited for.
    async fn poll(&mut self) -> Result<Done, CommandError> {
        let mut said = false;
        loop {
            let filters = LogFilters {
                since: self
                    .last
                    .since()
                    .or_else(|| self.request.filters.since.clone()),
                ..self.request.filters.clone()
            };
            match self.request.lines(&filters).await {
                Ok(mut lines) => {
                    said = false;
                    lines.sort_by(|one, other| one.time.cmp(&other.time));
                    for line in lines {
                        if self.last.is_new(&line) && self.print(&line).is_err() {
                            return Ok(Done::silent());
                        }
                        self.last.saw(&line);
                    }
                }
                Err(error) if error.may_pass() => {
                    if !said {
                        self.output
                            .note(&format!("{error}; asking again every 2 s"));
                    }
                    said = true;
                }
                Err(error) => return Err(error),
            }
            sleep(POLL).await;
        }
    }

    fn print(&self, line: &LogLine) -> std::io::Result<()> {
        if self.output.is_json() {
            let json = serde_json::to_string(line).expect("a line is plain data");
            self.output.line(&json)
        } else {
            self.output.line(&in_text(line))
        }
    }
}

/// The next event of a stream; `None` when the stream is gone, or has been silent for so long that it must be.
async fn in_time(next: impl Future<Output = Option<LogEvent>>) -> Option<LogEvent> {
    timeout(SILENCE, next).await.ok().flatten()
}

/// How far lines have been printed. Several may bear the same time, and a question by time gives all of them again.
#[derive(Debug, Default)]
struct Last {
    time: String,
    /// Lines of exactly that time.
    lines: HashSet<(Option<String>, String)>,
}

impl Last {
    fn since(&self) -> Option<String> {
        (!self.time.is_empty()).then(|| self.time.clone())
    }

    fn is_new(&self, line: &LogLine) -> bool {
        line.time > self.time || (line.time == self.time && !self.lines.contains(&key(line)))
    }

    fn saw(&mut self, line: &LogLine) {
        if line.time < self.time {
            return;
        }
        if line.time > self.time {
            self.time.clone_from(&line.time);
            self.lines.clear();
        }
        self.lines.insert(key(line));
    }
}

fn key(line: &LogLine) -> (Option<String>, String) {
    (line.function.clone(), line.message.clone())
}

#[cfg(test)]
mod tests {
    use std::{future, time::Duration};

    use tokio::time::{Instant, sleep};

    use super::{Last, LogEvent, LogLine, SILENCE, in_time};

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_says_nothing_for_a_minute_is_gone_and_a_late_word_keeps_it() {
        let begin = Instant::now();
        let late = async {
            sleep(SILENCE - Duration::from_millis(1)).await;
            Some(LogEvent::Ping)
        };
        assert_eq!(in_time(late).await, Some(LogEvent::Ping));
        assert_eq!(in_time(future::ready(None)).await, None, "it broke");
        let spoken = Instant::now();
        assert_eq!(in_time(future::pending()).await, None);
        assert_eq!(spoken.elapsed(), SILENCE);
        assert_eq!(
            (SILENCE, begin.elapsed().as_secs()),
            (Duration::from_secs(60), 119)
        );
    }

    #[test]
    fn lines_that_were_printed_are_not_printed_again() {
        let line = |time: &str, message: &str| LogLine {
            time: time.to_owned(),
            level: "info".to_owned(),
            function: Some("f".to_owned()),
            message: message.to_owned(),
        };
        let mut last = Last::default();
        for (time, message, is_new) in [
            ("1", "a", true),
            ("2", "a", true),
            ("2", "b", true),
            ("2", "a", false),
            ("1", "z", false),
            ("3", "a", true),
        ] {
            let line = line(time, message);
            assert_eq!(last.is_new(&line), is_new, "{time} {message}");
            last.saw(&line);
        }
        assert_eq!(last.since().as_deref(), Some("3"));
    }
}
