//! Finds places in JSON5 text: where a value or its key stands, keys that are given twice, and brackets that are never closed.
//! The parser keeps no positions, so this scans the text again, and only when there is something to report.
//! It accepts any input and never fails: what it cannot follow, it does not find.

use std::collections::HashSet;
use std::ops::Range;

/// One step from a value to a value inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Into an object.
    Key(&'a str),
    /// Into an array.
    Index(usize),
}

/// Byte ranges of a value, and of its key where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) key: Option<Range<usize>>,
    pub(super) value: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Colon,
    Comma,
    Text,
    Word,
}

type Token = (Kind, Range<usize>);

#[derive(Debug, Clone)]
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blank();
        let start = self.at;
        let first = self.text[start..].chars().next()?;
        let kind = match first {
            '{' | '[' => Kind::Open,
            '}' | ']' => Kind::Close,
            ':' => Kind::Colon,
            ',' => Kind::Comma,
            '"' | '\'' => Kind::Text,
            _ => Kind::Word,
        };
        self.at += match kind {
            Kind::Open | Kind::Close | Kind::Colon | Kind::Comma => 1,
            Kind::Text => text_len(&self.text[start..], first),
            Kind::Word => word_len(&self.text[start..]),
        };
        Some((kind, start..self.at))
    }
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blank = rest.trim_start_matches(is_blank);
            self.at += rest.len() - blank.len();
            let comment = comment_len(blank);
            if comment == 0 {
                return;
            }
            self.at += comment;
        }
    }

    /// Passes over one value and gives its range.
    fn skip_value(&mut self) -> Option<Range<usize>> {
        let (kind, first) = self.next()?;
        match kind {
            Kind::Text | Kind::Word => return Some(first),
            Kind::Close | Kind::Colon | Kind::Comma => return None,
            Kind::Open => {}
        }
        let mut depth = 1_usize;
        for (kind, range) in self.by_ref() {
            match kind {
                Kind::Open => depth += 1,
                Kind::Close if depth == 1 => return Some(first.start..range.end),
                Kind::Close => depth -= 1,
                Kind::Colon | Kind::Comma | Kind::Text | Kind::Word => {}
            }
        }
        None
    }

    /// Enters the object that starts here and stops before the value of `key`, the last one where it is given twice.
    fn enter_key(&mut self, key: &str) -> Option<Range<usize>> {
        self.next().filter(|(kind, _)| *kind == Kind::Open)?;
        let mut found = None;
        while let Some((kind, range)) = self.next() {
            match kind {
                Kind::Close => break,
                Kind::Comma => {}
                Kind::Text | Kind::Word => {
                    self.next().filter(|(kind, _)| *kind == Kind::Colon)?;
                    let value_at = self.at;
                    self.skip_value()?;
                    if decode_key(&self.text[range.clone()]) == key {
                        found = Some((range, value_at));
                    }
                }
                Kind::Open | Kind::Colon => return None,
            }
        }
        let (range, value_at) = found?;
        self.at = value_at;
        Some(range)
    }

    /// Enters the array that starts here and stops before its item `index`.
    fn enter_index(&mut self, index: usize) -> Option<()> {
        self.next().filter(|(kind, _)| *kind == Kind::Open)?;
        for _ in 0..index {
            self.skip_value()?;
            self.next().filter(|(kind, _)| *kind == Kind::Comma)?;
        }
        Some(())
    }
}

/// Where the value at `steps` stands in `text`.
pub(super) fn locate(text: &str, steps: &[Step<'_>]) -> Option<Located> {
    let mut scanner = Scanner::new(text);
    let mut key = None;
    for step in steps {
        key = match step {
            Step::Key(name) => Some(scanner.enter_key(name)?),
            Step::Index(index) => {
                scanner.enter_index(*index)?;
                None
            }
        };
    }
    let value = scanner.skip_value()?;
    Some(Located { key, value })
}

/// Where the comma after `offset` stands, when nothing but blanks and comments comes before it.
pub(super) fn comma_after(text: &str, offset: usize) -> Option<usize> {
    let (kind, range) = Scanner::new(&text[offset..]).next()?;
    (kind == Kind::Comma).then_some(offset + range.start)
}

/// Every key that an object already had, in the order of the text. The parser silently takes the last one.
pub(super) fn repeated_keys(text: &str) -> Vec<(String, Range<usize>)> {
    let mut repeated = Vec::new();
    let mut objects: Vec<HashSet<String>> = Vec::new();
    let mut scanner = Scanner::new(text);
    while let Some((kind, range)) = scanner.next() {
        match kind {
            Kind::Open => objects.push(HashSet::new()),
            Kind::Close => {
                objects.pop();
            }
            Kind::Text | Kind::Word
                if scanner
                    .clone()
                    .next()
                    .is_some_and(|(next, _)| next == Kind::Colon) =>
            {
                let key = decode_key(&text[range.clone()]);
                if objects
                    .last_mut()
                    .is_some_and(|keys| !keys.insert(key.clone()))
                {
                    repeated.push((key, range));
                }
            }
            Kind::Text | Kind::Word | Kind::Colon | Kind::Comma => {}
        }
    }
    repeated
}

/// The innermost bracket that is opened and never closed, as its offset.
pub(super) fn unclosed(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (kind, range) in Scanner::new(text) {
        match kind {
            Kind::Open => open.push(range.start),
            Kind::Close => {
                open.pop();
            }
            Kind::Colon | Kind::Comma | Kind::Text | Kind::Word => {}
        }
    }
    open.pop()
}

/// The offset of the first bracket that is nested deeper than `limit`.
pub(super) fn too_deep(text: &str, limit: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (kind, range) in Scanner::new(text) {
        match kind {
            Kind::Open if depth == limit => return Some(range.start),
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Colon | Kind::Comma | Kind::Text | Kind::Word => {}
        }
    }
    None
}

/// True when there is nothing but blanks and comments.
pub(super) fn is_empty(text: &str) -> bool {
    Scanner::new(text).next().is_none()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn comment_len(text: &str) -> usize {
    if text.starts_with("//") {
        text.find(['\n', '\r', '\u{2028}', '\u{2029}'])
            .unwrap_or(text.len())
    } else if text.starts_with("/*") {
        text.get(2..)
            .and_then(|body| body.find("*/"))
            .map_or(text.len(), |end| end + 4)
    } else {
        0
    }
}

fn text_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return offset + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn word_len(text: &str) -> usize {
    let ends = |(offset, c): (usize, char)| {
        let comment = c == '/' && offset > 0 && comment_len(&text[offset..]) > 0;
        (is_blank(c) || comment || matches!(c, '{' | '}' | '[' | ']' | ':' | ',' | '"' | '\''))
            .then_some(offset)
    };
    text.char_indices().find_map(ends).unwrap_or(text.len())
}

fn decode_key(raw: &str) -> String {
    if raw.starts_with(['"', '\'']) {
        json5::from_str(raw).unwrap_or_else(|_| raw.to_owned())
    } else {
        raw.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// top {\n{ name: 'a}', \"li\\u0073t\": [1, /* ] */ {x: [true]}, 'c',], deep: {name: 2, name: 3} }";

    /// The key and the value that were found.
    type Found<'a> = Option<(Option<&'a str>, &'a str)>;

    fn found<'a>(text: &'a str, steps: &[Step<'_>]) -> Found<'a> {
        locate(text, steps).map(|at| (at.key.map(|key| &text[key]), &text[at.value]))
    }

    #[test]
    fn paths_lead_to_keys_and_values() {
        use Step::{Index, Key};
        let cases: [(&[Step<'_>], Found<'_>); 8] = [
            (&[Key("name")], Some((Some("name"), "'a}'"))),
            (&[Key("list"), Index(0)], Some((None, "1"))),
            (
                &[Key("list"), Index(1), Key("x")],
                Some((Some("x"), "[true]")),
            ),
            (&[Key("list"), Index(2)], Some((None, "'c'"))),
            (&[Key("list"), Index(3)], None),
            (&[Key("deep"), Key("name")], Some((Some("name"), "3"))),
            (&[Key("deep"), Key("none")], None),
            (&[Key("name"), Key("none")], None),
        ];
        for (steps, expected) in cases {
            assert_eq!(found(TEXT, steps), expected, "{steps:?}");
        }
    }

    #[test]
    fn repeated_keys_are_found_per_object() {
        let keys: Vec<_> = repeated_keys(TEXT)
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(keys, ["name"]);
    }

    #[test]
    fn brackets_in_comments_and_strings_do_not_count() {
        assert_eq!(unclosed(TEXT), None);
        assert_eq!(unclosed("{ a: [ /* ] */ '}' "), Some(5));
        assert_eq!(too_deep("[[['[[[']]]", 3), None);
        assert_eq!(too_deep("[[[[", 3), Some(3));
        assert!(is_empty("// a\n /* b"));
    }

    #[test]
    fn no_prefix_of_a_text_makes_it_fail() {
        for end in 0..=TEXT.len() {
            let text = &TEXT[..end];
            locate(text, &[Step::Key("list"), Step::Index(1)]);
            repeated_keys(text);
            unclosed(text);
        }
    }
}
