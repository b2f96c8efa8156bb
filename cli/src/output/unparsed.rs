//! A command line that clap does not take, told like every other failure where a program reads.

use std::{env, ffi::OsStr, process::ExitCode};

use clap::error::ErrorKind;

use super::{CommandError, Output};

/// Says what is wrong with the command line, or prints the help or the version that was asked for.
pub(crate) fn unparsed(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && asks_for_json(env::args_os().skip(1)) {
        return Output::Json.finish(Err(told(error)));
    }
    // Nobody is left to tell that the terminal is gone.
    let _ = error.print();
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// What comes after `--` is somebody else's.
fn asks_for_json(arguments: impl Iterator<Item = impl AsRef<OsStr>>) -> bool {
    let mut own = arguments.take_while(|argument| argument.as_ref() != "--");
    own.any(|argument| argument.as_ref() == "--json")
}

/// Clap's text in pieces: what is wrong, the arguments that it is about, and what to type instead.
fn told(error: &clap::Error) -> CommandError {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return CommandError::input("a command is missing")
            .with_command("see which there are", "backlot --help");
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let mut wrong = paragraphs.next().unwrap_or_default().lines();
    let message = wrong.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let told = CommandError::input(message.trim_end_matches(':'))
        .with_details(wrong.map(|line| line.trim().to_owned()));
    paragraphs.fold(told, |told, paragraph| match paragraph.split_once(": ") {
        Some(("Usage", usage)) => told.with_command("type it like this", usage),
        Some(("tip", tip)) => told.with_hint(tip),
        Some(_) | None => told.with_hint(paragraph.trim_end_matches('.')),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::{asks_for_json, told};
    use crate::args::Cli;

    #[test]
    fn json_is_asked_for_by_our_own_arguments_only() {
        assert!(asks_for_json(["status", "--json", "--", "x"].iter()));
        assert!(!asks_for_json(["exec", "a.ts", "--", "--json"].iter()));
    }

    #[test]
    fn what_is_wrong_comes_first_and_what_to_type_last() {
        for (arguments, error, details, hint) in [
            (
                ["backlot", "statsu"].as_slice(),
                "unrecognized subcommand 'statsu'",
                json!(null),
                json!({ "message": "a similar subcommand exists: 'status'" }),
            ),
            (
                &["backlot", "new", "entity"],
                "the following required arguments were not provided",
                json!(["<NAME>"]),
                json!({ "message": "type it like this", "command": "backlot new entity <NAME>" }),
            ),
            (
                &["backlot", "functions"],
                "a command is missing",
                json!(null),
                json!({ "message": "see which there are", "command": "backlot --help" }),
            ),
        ] {
            let told = told(&Cli::try_parse_from(arguments).unwrap_err()).to_json();
            assert_eq!(told["error"], error, "{told}");
            assert_eq!(told["code"], "INVALID_INPUT", "{told}");
            assert_eq!(told["details"], details, "{told}");
            assert_eq!(told["hints"][0], hint, "{told}");
        }
    }
}
