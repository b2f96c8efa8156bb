//! `backlot doctor`: what Backlot needs on this machine and in this project, one line for each, with what to do.

mod machine;
mod project;

use std::{fmt, process::ExitCode};

use owo_colors::{AnsiColors, OwoColorize as _};
use serde::Serialize;

use crate::{
    args::DoctorArgs,
    output::{self, CommandError, Done, Output},
    places::Places,
    platform::Surroundings,
};

/// Columns of the verdict and of the name of what was checked.
const VERDICT: usize = 7;
const NAME: usize = 10;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// Something is not there, and something can do without.
    Note,
    Broken,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Ok,
            found: found.into(),
            hint: None,
        }
    }

    fn note(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Note,
            hint: Some(hint.into()),
            ..Self::ok(name, found)
        }
    }

    fn broken(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Broken,
            ..Self::note(name, found, hint)
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, colour) = match self.verdict {
            Verdict::Ok => ("ok", AnsiColors::Green),
            Verdict::Note => ("note", AnsiColors::Yellow),
            Verdict::Broken => ("broken", AnsiColors::Red),
        };
        let word = format!("{word:<VERDICT$}");
        write!(
            f,
            "{}{:<NAME$} {}",
            word.color(colour),
            self.name,
            self.found
        )?;
        self.hint
            .as_ref()
            .map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

pub(crate) fn run(args: &DoctorArgs) -> ExitCode {
    output::run(Output::new(args.json), examine(args))
}

async fn examine(args: &DoctorArgs) -> Result<Done, CommandError> {
    let places = Places::of_this_user();
    let (known, mut of_project) = project::checks(&args.dir);
    let mut checks = machine::programs(&places, &known).await;
    checks.push(machine::port(known.root.as_deref()));
    let environment = Surroundings::of(&args.dir).environment;
    checks.push(machine::login(&environment, &places));
    checks.append(&mut of_project);
    checks.extend(machine::limits(&known));
    let ok = checks.iter().all(|check| check.verdict != Verdict::Broken);
    let lines: Vec<String> = checks.iter().map(ToString::to_string).collect();
    let done = Done::new(lines.join("\n"), &Report { ok, checks });
    Ok(done.with_exit(u8::from(!ok)))
}

#[cfg(test)]
mod tests {
    use super::Check;

    #[test]
    fn each_check_is_one_aligned_line_that_ends_in_what_to_do() {
        let lines = [
            Check::ok("Deno", "2.9.6, /bin/deno"),
            Check::note("Login", "nobody", "log in"),
            Check::broken("Open files", "64 at most", "ulimit -n 4096"),
        ];
        let lines = lines.map(|check| anstream::adapter::strip_str(&check.to_string()).to_string());
        insta::assert_snapshot!(lines.join("\n"), @r"
        ok     Deno       2.9.6, /bin/deno
        note   Login      nobody; log in
        broken Open files 64 at most; ulimit -n 4096
        ");
    }
}
