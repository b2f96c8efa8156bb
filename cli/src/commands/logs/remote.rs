//! `backlot logs --remote`: what the functions of the deployed app printed.

use jiff::{SignedDuration, Timestamp, civil};
use serde_json::json;

use super::follow;
use crate::{
    args::{LineLevel, LogsArgs, Order, RemoteEnvironment},
    output::{CommandError, Done, Output},
    platform::{
        App, Surroundings,
        logs::{LogFilters, LogLine},
    },
};

/// Lines that the platform gives at most for one question, of which it may give fewer.
const MOST: u32 = 1000;

/// What to look at.
pub(super) struct Request {
    pub(super) app: App,
    /// As asked for; empty for all.
    pub(super) asked: Vec<String>,
    /// All of them by name.
    pub(super) functions: Vec<String>,
    pub(super) filters: LogFilters,
}

pub(super) async fn logs(args: &LogsArgs, output: Output) -> Result<Done, CommandError> {
    let filters = filters(args, Timestamp::now())?;
    let surroundings = Surroundings::of(&args.app.dir);
    let app = App::find(&surroundings, args.app.app_id.as_deref(), output)?;
    let asked = args.function.as_deref().unwrap_or_default().split(',');
    let asked: Vec<String> = asked
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let functions = if asked.is_empty() {
        let deployed = app.deployed_functions().await?.into_iter();
        deployed.map(|function| function.name).collect()
    } else {
        asked.clone()
    };
    if functions.is_empty() {
        return Ok(Done::new("No functions are deployed.", &json!([])));
    }
    let request = Request {
        app,
        asked,
        functions,
        filters,
    };
    if args.follow {
        return follow::follow(request, output).await;
    }
    let mut lines = request.lines(&request.filters).await?;
    if let Some(limit) = args.lines {
        lines.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(Done::new(text(&lines, args), &lines))
}

impl Request {
    /// The lines of all functions, in one order.
    pub(super) async fn lines(&self, filters: &LogFilters) -> Result<Vec<LogLine>, CommandError> {
        let mut lines = Vec::new();
        for name in &self.functions {
            match self.app.function_logs(name, filters).await {
                Ok(found) => lines.extend(found),
                Err(error) if error.status_code == Some(404) => {
                    return Err(self.unknown(name, error).await);
                }
                Err(error) => return Err(error),
            }
        }
        lines.retain(|line| self.shows(line));
        if self.functions.len() > 1 {
            lines.sort_by(|one, other| one.time.cmp(&other.time));
            if filters.order != Some("asc") {
                lines.reverse();
            }
        }
        Ok(lines)
    }

    /// Whether the level is the one that was asked for, if any was.
    pub(super) fn shows(&self, line: &LogLine) -> bool {
        self.filters.level.is_none_or(|level| level == line.level)
    }

    async fn unknown(&self, name: &str, error: CommandError) -> CommandError {
        let Ok(deployed) = self.app.deployed_functions().await else {
            return error;
        };
        let names: Vec<&str> = deployed.iter().map(|one| one.name.as_str()).collect();
        if names.contains(&name) {
            return error;
        }
        CommandError {
            status_code: error.status_code,
            request_id: error.request_id,
            ..CommandError::input(format!("the app has no function `{name}`"))
        }
        .with_hint(format!("it has: {}", names.join(", ")))
        .with_command("or deploy it first", "backlot functions deploy")
    }
}

fn filters(args: &LogsArgs, now: Timestamp) -> Result<LogFilters, CommandError> {
    if args.lines.is_some_and(|lines| !(1..=MOST).contains(&lines)) {
        let message = format!("--lines takes a number from 1 to {MOST} with --remote");
        return Err(CommandError::input(message));
    }
    let moment = |text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| moment(text, now)).transpose()
    };
    let order = if args.follow {
        Some(Order::Asc)
    } else {
        args.remote.order
    };
    Ok(LogFilters {
        since: moment(&args.remote.since)?,
        until: moment(&args.remote.until)?,
        level: args.level.map(|level| match level {
            LineLevel::Debug => "debug",
            LineLevel::Info => "info",
            LineLevel::Warn => "warning",
            LineLevel::Error => "error",
        }),
        limit: args.lines,
        order: order.map(|order| match order {
            Order::Asc => "asc",
            Order::Desc => "desc",
        }),
        env: args.remote.env.map(|env| match env {
            RemoteEnvironment::Preview => "preview",
            RemoteEnvironment::Prod => "prod",
        }),
    })
}

/// A moment, as the platform reads it: given as one, in UTC where it names no zone, or as how long ago.
fn moment(text: &str, now: Timestamp) -> Result<String, CommandError> {
    let text = text.trim();
    if let Some(ago) = duration(text) {
        let then = now.checked_sub(ago).unwrap_or(Timestamp::MIN);
        return Ok(format!("{then:.3}"));
    }
    if text.parse::<Timestamp>().is_ok() {
        return Ok(text.to_owned());
    }
    if text.len() == "2026-01-01".len() && text.parse::<civil::Date>().is_ok() {
        return Ok(format!("{text}T00:00:00Z"));
    }
    if text.parse::<civil::DateTime>().is_ok() {
        return Ok(format!("{text}Z"));
    }
    let message = format!("`{text}` is not a time");
    Err(CommandError::input(message)
        .with_hint("give a date and time like 2026-01-31T12:00:00Z, or how long ago: 30m, 1h, 2d"))
}

fn duration(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let count: i64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let seconds = count.checked_mul(seconds)?;
    (seconds >= 0).then(|| SignedDuration::from_secs(seconds))
}

fn text(lines: &[LogLine], args: &LogsArgs) -> String {
    if lines.is_empty() {
        return match args.remote.env {
            Some(RemoteEnvironment::Prod) => {
                "No lines. Has the app been published? `--env preview` reads the draft's."
                    .to_owned()
            }
            Some(RemoteEnvironment::Preview) | None => "No lines.".to_owned(),
        };
    }
    lines.iter().map(in_text).collect::<Vec<_>>().join("\n")
}

/// A line for people.
pub(super) fn in_text(line: &LogLine) -> String {
    let time = line.time.get(..19).unwrap_or(&line.time).replace('T', " ");
    let level = line.level.to_uppercase();
    let message = line.message.trim();
    match &line.function {
        Some(function) => format!("{time}  {level:<7}  {function}  {message}"),
        None => format!("{time}  {level:<7}  {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn times_are_moments_or_how_long_ago() {
        let now = "2026-01-10T12:00:00Z".parse().unwrap();
        for (given, expected) in [
            ("1h", Some("2026-01-10T11:00:00.000Z")),
            ("30m", Some("2026-01-10T11:30:00.000Z")),
            ("2d", Some("2026-01-08T12:00:00.000Z")),
            (
                "2026-01-01T00:00:00+02:00",
                Some("2026-01-01T00:00:00+02:00"),
            ),
            ("2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:00:00", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01", Some("2026-01-01T00:00:00Z")),
            ("yesterday", None),
            ("-1h", None),
            ("h", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(moment(given, now).ok().as_deref(), expected, "{given}");
        }
    }
}
