//! JSON5 text to a value, and the parser's terse error codes to sentences with a place and a hint.

use std::sync::Arc;

use json5::ErrorCode;
use serde_json::Value;

use super::diagnose::{Diagnostic, Place};
use super::scan;

/// Deeper nesting is refused before it reaches the recursive parser. No real schema comes near it.
const MAX_DEPTH: usize = 100;

const QUOTE_KEY: &str = "keys with characters other than letters, digits, `_` and `$` need quotes";

/// Parses `text`; the error is boxed because it is large and rare.
pub(super) fn parse(file: &str, text: &Arc<str>) -> Result<Value, Box<Diagnostic>> {
    if let Some(offset) = scan::too_deep(text, MAX_DEPTH) {
        let problem = Diagnostic::error(file, "the values are nested too deeply")
            .expected(format!("at most {MAX_DEPTH} levels"));
        return Err(Box::new(problem.at(text, Place::of(text, offset, 1))));
    }
    if scan::is_empty(text) {
        let problem = Diagnostic::error(file, "the file is empty").expected("an object: `{ … }`");
        return Err(Box::new(problem.at(text, Place::of(text, 0, 0))));
    }
    json5::from_str(text).map_err(|error| Box::new(explain(file, text, &error)))
}

fn explain(file: &str, text: &Arc<str>, error: &json5::Error) -> Diagnostic {
    let offset = error
        .position()
        .map_or(text.len(), |at| offset_of(text, at.line, at.column));
    let Some(code) = error.code() else {
        return Diagnostic::error(file, error.to_string()).at(text, mark(text, offset));
    };
    if is_end_of_file(code) {
        return ended(file, text, code);
    }
    let wording = wording(code, &text[offset..]);
    let mut problem = Diagnostic::error(file, wording.message).at(text, mark(text, offset));
    problem.expected = wording.expected.map(str::to_owned);
    problem.hint = wording.hint.map(str::to_owned);
    problem
}

struct Wording {
    message: String,
    expected: Option<&'static str>,
    hint: Option<&'static str>,
}

fn wording(code: ErrorCode, rest: &str) -> Wording {
    let found = found(rest);
    let say = |expected, hint| Wording {
        message: format!("unexpected {found}"),
        expected: Some(expected),
        hint,
    };
    let fixed = |message: &str, hint| Wording {
        message: message.to_owned(),
        expected: None,
        hint,
    };
    match code {
        ErrorCode::ExpectedComma => say(
            "a comma, or the end of the list",
            Some("a comma is probably missing at the end of the value before this"),
        ),
        ErrorCode::ExpectedColon if rest.starts_with(['-', '.']) => say("a colon", Some(QUOTE_KEY)),
        ErrorCode::ExpectedColon => say("a colon", Some("write `key: value`")),
        ErrorCode::ExpectedIdentifier | ErrorCode::InvalidKey | ErrorCode::ExpectedString => {
            say("a key", Some(QUOTE_KEY))
        }
        ErrorCode::ExpectedValue
        | ErrorCode::ExpectedBool
        | ErrorCode::ExpectedNull
        | ErrorCode::ExpectedNumber
        | ErrorCode::ExpectedStringOrObject
        | ErrorCode::ExpectedOpeningBrace
        | ErrorCode::ExpectedOpeningBracket => say("a value", Some("text needs quotes: \"…\"")),
        ErrorCode::ExpectedClosingBrace => say("`}`", None),
        ErrorCode::ExpectedClosingBracket => say("`]`", None),
        ErrorCode::ExpectedComment => say("a comment", Some("comments are `// …` or `/* … */`")),
        ErrorCode::TrailingCharacters => Wording {
            message: format!("{found} after the end of the outermost value"),
            expected: Some("the end of the file"),
            hint: Some("a bracket was probably closed too early"),
        },
        ErrorCode::LineTerminatorInString => fixed(
            "the string does not end on its line",
            Some("close the quotes, or write a line break as \\n"),
        ),
        ErrorCode::InvalidEscapeSequence => fixed(
            "this escape sequence does not exist",
            Some("write a backslash as \\\\"),
        ),
        ErrorCode::LeadingZero => fixed(
            "a number cannot start with 0",
            Some("put it in quotes if it is an identifier"),
        ),
        ErrorCode::OverflowParsingNumber => {
            fixed("the number is too large", Some("put it in quotes"))
        }
        other => fixed(&other.to_string(), None),
    }
}

fn is_end_of_file(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::EofParsingArray
            | ErrorCode::EofParsingBool
            | ErrorCode::EofParsingComment
            | ErrorCode::EofParsingEscapeSequence
            | ErrorCode::EofParsingIdentifier
            | ErrorCode::EofParsingNull
            | ErrorCode::EofParsingNumber
            | ErrorCode::EofParsingObject
            | ErrorCode::EofParsingString
            | ErrorCode::EofParsingValue
    )
}

/// The end of the file is where the parser gave up, not where the mistake is: points at the bracket that was never closed.
fn ended(file: &str, text: &Arc<str>, code: ErrorCode) -> Diagnostic {
    let end = text.trim_end().len();
    match (code, scan::unclosed(text)) {
        (ErrorCode::EofParsingString | ErrorCode::EofParsingEscapeSequence, _) => {
            Diagnostic::error(file, "the file ends inside a string")
                .hint("close the quotes")
                .at(text, Place::of(text, end, 0))
        }
        (ErrorCode::EofParsingComment, _) => {
            Diagnostic::error(file, "the file ends inside a comment")
                .hint("close it with */")
                .at(text, Place::of(text, end, 0))
        }
        (_, Some(open)) => {
            let (bracket, close) = if text[open..].starts_with('{') {
                ('{', '}')
            } else {
                ('[', ']')
            };
            Diagnostic::error(file, format!("this `{bracket}` is never closed"))
                .expected(format!("`{close}` before the end of the file"))
                .at(text, Place::of(text, open, 1))
        }
        (_, None) => Diagnostic::error(file, "the file ends too early")
            .expected("a value")
            .at(text, Place::of(text, end, 0)),
    }
}

fn found(rest: &str) -> String {
    let word: String = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-'))
        .take(30)
        .collect();
    match (word.is_empty(), rest.chars().next()) {
        (false, _) => format!("`{word}`"),
        (true, Some(c)) if c.is_control() => format!("character {}", c.escape_unicode()),
        (true, Some(c)) => format!("`{c}`"),
        (true, None) => "end of the file".to_owned(),
    }
}

fn mark(text: &str, offset: usize) -> Place {
    let len = text[offset..]
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-'))
        .map(char::len_utf8)
        .sum();
    let one = text[offset..]
        .chars()
        .next()
        .filter(|c| *c != '\n' && *c != '\r')
        .map_or(0, char::len_utf8);
    Place::of(text, offset, one.max(len))
}

/// The byte offset of the parser's line and column, both counted from 0. It counts every JSON5 line terminator as a line.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let mut at = (0, 0);
    let mut chars = text.char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        if at == (line, column) {
            return offset;
        }
        if !matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
            at.1 += 1;
            continue;
        }
        if c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n') {
            chars.next();
        }
        at = (at.0 + 1, 0);
    }
    text.len()
}
