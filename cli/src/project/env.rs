//! `.env.local` and `.env`, read as dotenv reads them: quotes, `export`, comments, values over several lines.
//! The environment that the server was started with always wins, then `.env.local`, then `.env`.

use std::{ops::Range, path::Path};

use super::diagnose::{Diagnostic, Place};
use super::document::{read_text, relative};

/// Variables that several projects may set side by side, as `BASE44_PROJECTS_<NAME>`.
const SHARED: [&str; 4] = [
    "BASE44_APP_ID",
    "BASE44_ACCESS_TOKEN",
    "BASE44_REFRESH_TOKEN",
    "BASE44_API_URL",
];

/// Mistakes of one file that are told; what has more is no env file.
const MOST_TOLD: usize = 20;

/// What may stand around a value.
pub(super) const QUOTES: [char; 3] = ['"', '\'', '`'];

/// The variables that the two files add to `ambient`, in the order of the files.
pub(super) fn read(
    root: &Path,
    ambient: impl Fn(&str) -> Option<String>,
    out: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let mut added: Vec<(String, String)> = Vec::new();
    for name in [".env.local", ".env"] {
        let path = root.join(name);
        if path.symlink_metadata().is_err() {
            continue;
        }
        let file = relative(root, &path);
        let Some(text) = read_text(&file, &path, out) else {
            continue;
        };
        let variables = parse(&file, &text, out);
        for (key, value) in variables {
            if ambient(&key).is_none() && !added.iter().any(|(known, _)| *known == key) {
                added.push((key, value));
            }
        }
    }
    copy_shared(&ambient, &mut added);
    added
}

fn copy_shared(ambient: &impl Fn(&str) -> Option<String>, added: &mut Vec<(String, String)>) {
    let copies: Vec<_> = {
        let lookup = |name: &str| {
            let in_files = || {
                added
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.clone())
            };
            ambient(name).or_else(in_files)
        };
        let copy = |name: &&str| {
            Some((
                (*name).to_owned(),
                lookup(&format!("BASE44_PROJECTS_{name}"))?,
            ))
        };
        SHARED
            .iter()
            .filter(|name| lookup(name).is_none())
            .filter_map(copy)
            .collect()
    };
    added.extend(copies);
}

/// The assignments of one file; of two with the same name the last counts, in the place of the first.
pub(super) fn parse(file: &str, text: &str, out: &mut Vec<Diagnostic>) -> Vec<(String, String)> {
    let text = text.trim_start_matches('\u{feff}');
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut variables: Vec<(String, String)> = Vec::new();
    let (mut at, told) = (0, out.len());
    while at < text.len() {
        let may_tell = out.len() - told < MOST_TOLD;
        let line = text[at..].lines().next().unwrap_or_default();
        let content = line.trim();
        let mut used = line.len();
        if !content.is_empty() && !content.starts_with('#') {
            match assignment(&text[at..], line) {
                Some(found) => {
                    used = found.used;
                    if found.unclosed && may_tell {
                        out.push(unclosed(file, &text, at));
                    }
                    match variables.iter_mut().find(|(key, _)| key == found.key) {
                        Some((_, value)) => *value = found.value,
                        None => variables.push((found.key.to_owned(), found.value)),
                    }
                }
                None if may_tell => out.push(not_assigned(file, &text, at, content)),
                None => {}
            }
        }
        at += used + 1;
    }
    variables
}

#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub(super) key: &'a str,
    pub(super) value: String,
    /// Where the value stands with its quotes, in bytes from the start of the line.
    pub(super) place: Range<usize>,
    /// Bytes from the start of the line to the end of the last line it takes.
    pub(super) used: usize,
    unclosed: bool,
}

/// Reads the assignment that begins with `line`, the first line of `rest`.
pub(super) fn assignment<'a>(rest: &'a str, line: &'a str) -> Option<Assignment<'a>> {
    let start = line.trim_start();
    let start = match start.strip_prefix("export") {
        Some(after) if after.starts_with([' ', '\t']) => after.trim_start(),
        _ => start,
    };
    let key_len =
        start.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))?;
    let (key, after) = start.split_at(key_len);
    let after = after.trim_start();
    // `KEY: value` is accepted as well, with a blank after the colon.
    let value = after.strip_prefix('=').or_else(|| {
        after
            .strip_prefix(':')
            .filter(|value| value.starts_with([' ', '\t']))
    });
    let value_at = line.len() - value.filter(|_| !key.is_empty())?.len();
    let (value, value_len, unclosed) = read_value(&rest[value_at..]);
    let raw = &rest[value_at..value_at + value_len];
    let begin = value_at + raw.len() - raw.trim_start_matches([' ', '\t']).len();
    let is_bare = !raw[begin - value_at..].starts_with(QUOTES) || unclosed;
    let end = if is_bare {
        begin + value.len()
    } else {
        value_at + value_len
    };
    let used = rest[value_at + value_len..]
        .find('\n')
        .map_or(rest.len(), |end| value_at + value_len + end);
    Some(Assignment {
        key,
        value,
        place: begin..end,
        used,
        unclosed,
    })
}

/// The value at the start of `rest`, its length in bytes, and whether its quotes are never closed.
fn read_value(rest: &str) -> (String, usize, bool) {
    let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let quote = rest[blank..].chars().next().filter(|c| QUOTES.contains(c));
    let body = quote.and_then(|quote| quoted(&rest[blank + 1..], quote));
    match (quote, body) {
        (Some('"'), Some(body)) => (
            body.replace("\\n", "\n").replace("\\r", "\r"),
            blank + body.len() + 2,
            false,
        ),
        (Some(_), Some(body)) => (body.to_owned(), blank + body.len() + 2, false),
        (quote, _) => {
            let line = rest.lines().next().unwrap_or_default();
            let value = line.split('#').next().unwrap_or_default().trim();
            (value.to_owned(), line.len(), quote.is_some())
        }
    }
}

/// The text up to the closing quote. A quote after a backslash does not close; the backslash stays, as dotenv leaves it.
fn quoted(rest: &str, quote: char) -> Option<&str> {
    let mut escaped = false;
    for (offset, c) in rest.char_indices() {
        if c == quote && !escaped {
            return Some(&rest[..offset]);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn not_assigned(file: &str, text: &str, at: usize, content: &str) -> Diagnostic {
    let indent = text[at..].len() - text[at..].trim_start().len();
    // The source is left out: a line of this file may be a secret.
    let mut problem = Diagnostic::warning(file, "this line assigns nothing and is ignored")
        .expected("`NAME=value`");
    problem.place = Some(Place::of(text, at + indent, content.len()));
    problem
}

fn unclosed(file: &str, text: &str, at: usize) -> Diagnostic {
    let mut problem = Diagnostic::warning(
        file,
        "the quotes are never closed; the value ends with its line",
    );
    problem.place = Some(Place::of(text, at, 0));
    problem.hint("close the quotes, or put others around a value that contains them")
}
