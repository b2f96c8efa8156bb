//! Draws a diagnostic as a code frame: the message, the line it is about with its neighbours, what was expected, and a hint.
//! Lines are cut to the width asked for, so that a file on one long line stays readable.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::diagnose::{Diagnostic, Place, Severity};

/// Columns that the frame itself takes: line number, gutter, and the cut marks.
const GUTTER: usize = 12;
/// Columns between the middle of a mark and the label below it.
const ARROW: usize = 4;
/// Characters kept before the marked one when a line has to be cut; fewer in a narrow frame.
const LEAD: usize = 24;
/// Columns of a line of the file at least.
const LEAST: usize = 20;

impl Diagnostic {
    /// The code frame, `width` columns wide, ending in a line break. It is readable without colour.
    pub(crate) fn frame(&self, width: usize, colour: bool) -> String {
        let theme = if colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_context_lines(1)
            .with_links(false)
            .without_primary_span_start();
        let mut drawn = String::new();
        match handler.render_report(&mut drawn, &Report::of(self, width)) {
            Ok(()) => drawn,
            Err(fmt::Error) => format!("{self}\n"),
        }
    }
}

#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    excerpt: Option<(NamedSource<String>, LabeledSpan)>,
    help: Option<String>,
}

impl<'a> Report<'a> {
    fn of(diagnostic: &'a Diagnostic, width: usize) -> Self {
        let Some((place, source)) = diagnostic.place.zip(diagnostic.source.as_deref()) else {
            return Self {
                diagnostic,
                excerpt: None,
                help: diagnostic.hint.clone(),
            };
        };
        let room = width.saturating_sub(GUTTER).max(LEAST);
        let excerpt = Excerpt::cut(source, place, room);
        let (label, help) = excerpt.share_out(diagnostic, room);
        let name = format!("{}:{}:{}", diagnostic.file, place.line, place.column);
        let span = (excerpt.offset, excerpt.len);
        let label = LabeledSpan::new_primary_with_span(Some(label), span);
        Self {
            diagnostic,
            excerpt: Some((NamedSource::new(name, excerpt.text), label)),
            help,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic {
            file,
            place,
            message,
            expected,
            ..
        } = self.diagnostic;
        if self.excerpt.is_some() {
            return f.write_str(message);
        }
        write!(f, "{file}")?;
        if let Some(place) = place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {message}")?;
        expected
            .as_ref()
            .map_or(Ok(()), |expected| write!(f, "; expected {expected}"))
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt
            .as_ref()
            .map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.excerpt.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

/// The marked line and its neighbours, at their line numbers, cut to a width and without control characters.
#[derive(Debug)]
struct Excerpt {
    text: String,
    offset: usize,
    len: usize,
}

impl Excerpt {
    /// The label under the mark, and the help below the frame. What was expected is the label where there is room for it.
    fn share_out(&self, diagnostic: &Diagnostic, room: usize) -> (String, Option<String>) {
        let hint = diagnostic.hint.clone();
        let Some(expected) = diagnostic
            .expected
            .as_ref()
            .map(|expected| format!("expected {expected}"))
        else {
            return ("here".to_owned(), hint);
        };
        let indent = self.text[..self.offset]
            .rsplit('\n')
            .next()
            .map_or(0, |before| before.chars().count());
        let middle = self.text[self.offset..self.offset + self.len]
            .chars()
            .count()
            / 2;
        if indent + middle + ARROW + expected.chars().count() <= room {
            return (expected, hint);
        }
        let help = [Some(expected), hint]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        ("here".to_owned(), Some(help.join("\n")))
    }

    fn cut(source: &str, place: Place, width: usize) -> Self {
        let column = place.column - 1;
        let lead = LEAD.min(width / 2);
        let from = if column + lead > width {
            column - lead.min(column)
        } else {
            0
        };
        // The lines above are only counted, so that the frame's line numbers are those of the file.
        let mut text = "\n".repeat(place.line.saturating_sub(2));
        let (mut offset, mut len) = (0, 0);
        let first = place.line.saturating_sub(1).max(1);
        for (number, line) in (first..=place.line + 1).zip(source.split('\n').skip(first - 1)) {
            let line = line.trim_end_matches('\r');
            if number == place.line {
                let marked = source
                    .get(place.offset..place.offset + place.len)
                    .map_or(0, |marked| marked.chars().count());
                let shown = width.saturating_sub(column - from);
                offset = text.len() + window(line, from, column - from, Edge::Open).len();
                len = window(line, column, marked.min(shown), Edge::Closed).len();
            }
            text.push_str(&window(line, from, width, Edge::Marked));
            text.push('\n');
        }
        Self { text, offset, len }
    }
}

/// How a cut-out piece shows that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// At both ends.
    Marked,
    /// At its start only.
    Open,
    /// Not at all.
    Closed,
}

/// `width` characters of `line` from character `from`, without control characters: they could drive the terminal.
fn window(line: &str, from: usize, width: usize, edge: Edge) -> String {
    let mut piece = String::new();
    if from > 0 && edge != Edge::Closed {
        piece.push('…');
    }
    for c in line.chars().skip(from).take(width) {
        match c {
            '\t' => piece.push_str("  "),
            c if c.is_control() => piece.push('\u{fffd}'),
            c => piece.push(c),
        }
    }
    if edge == Edge::Marked && line.chars().count() > from + width {
        piece.push('…');
    }
    piece
}
