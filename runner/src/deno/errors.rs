//! Why a process did not come up, in words for the caller and for the log.

use std::{path::Path, time::Duration};

use proto::v1::log_line::Level;

use crate::{
    logs::Logs,
    pool::{Cause, LoadError, LoadErrorKind},
};

/// Deno itself did not come up; the first line of `message` says why.
pub(super) fn boot_error(message: &str) -> LoadError {
    let (message, detail) = message.split_once('\n').unwrap_or((message, ""));
    LoadError {
        kind: LoadErrorKind::Failed,
        message: message.to_owned(),
        detail: detail.to_owned(),
        place: String::new(),
        printed: false,
    }
}

/// The module does not load, as our own code in the process says.
pub(super) fn load_error(message: String, frame: &str, stack: &str, place: String) -> LoadError {
    let parts = [frame, stack].into_iter().filter(|part| !part.is_empty());
    LoadError {
        kind: LoadErrorKind::Failed,
        message,
        detail: parts.collect::<Vec<_>>().join("\n"),
        place,
        printed: false,
    }
}

/// A process that ended while it loaded, most likely by an error that nobody caught: Deno prints that as `error: …`.
pub(super) fn exit_error(how: &str, tail: &str, root: &Path) -> LoadError {
    let reason = tail
        .lines()
        .find_map(|line| line.strip_prefix("error: "))
        .or_else(|| tail.lines().last());
    let message = match reason {
        Some(reason) => format!("its process ended ({how}): {}", relative(reason, root)),
        None => format!("its process ended ({how})"),
    };
    LoadError {
        kind: LoadErrorKind::Failed,
        message,
        detail: tail.to_owned(),
        place: String::new(),
        printed: true,
    }
}

fn relative(text: &str, root: &Path) -> String {
    let root = root.display();
    text.replace(&format!("file://{root}/"), "")
        .replace(&format!("{root}/"), "")
}

/// Shows the developer what the caller gets, and more. Where nobody calls it is said quietly: it will be said again to
/// who does.
pub(super) fn log_failure(logs: &Logs, function: &str, cause: Cause, error: &LoadError) {
    let level = match cause {
        Cause::Call => Level::Error,
        Cause::Forecast => Level::Debug,
    };
    let heading = format!("failed to start: {}", error.message);
    logs.write_of(function, level, heading, error.place.clone());
    if !error.printed {
        for line in error.detail.lines() {
            logs.write(function, level, line);
        }
    }
}

/// A process that is neither ready nor gone.
pub(super) fn timeout_error(limit: Duration, tail: String) -> LoadError {
    LoadError {
        kind: LoadErrorKind::TimedOut,
        message: format!(
            "was not ready within {} s: its module is still being loaded; an `await` at its top level may never end",
            limit.as_secs_f32()
        ),
        detail: tail,
        place: String::new(),
        printed: true,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::exit_error;

    #[test]
    fn an_exit_is_explained_by_what_deno_printed() {
        let tail = "noise\nerror: Uncaught (in promise) Error: x\n    at file:///p/e.ts:1:2";
        for (tail, expected) in [
            (
                tail,
                "its process ended (1): Uncaught (in promise) Error: x",
            ),
            ("", "its process ended (1)"),
            ("at file:///p/e.ts", "its process ended (1): at e.ts"),
        ] {
            assert_eq!(exit_error("1", tail, Path::new("/p")).message, expected);
        }
    }
}
