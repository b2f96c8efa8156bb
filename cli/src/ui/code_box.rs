//! A code that would have been mailed, in a box that one cannot miss between the lines of the log.

use std::fmt;

use owo_colors::OwoColorize as _;

/// Columns of what is in the box, where there is room; a long address makes it wider.
const WIDTH: usize = 44;

/// Columns of the box around it.
const FRAME: usize = 6;

/// What somebody has to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeBox {
    /// `Verification code for ann@example.com`
    pub(crate) title: String,
    pub(crate) code: String,
}

impl CodeBox {
    /// The box in so many columns; only a code that is longer makes it wider.
    pub(crate) fn to_text(&self, columns: usize) -> String {
        let most = columns.saturating_sub(FRAME);
        let (title, code) = (cut(plain(&self.title), most), plain(&self.code));
        let width = WIDTH
            .min(most)
            .max(title.chars().count())
            .max(code.chars().count());
        let line = "─".repeat(width + 4);
        let row = |text: &str, shown: &dyn fmt::Display| {
            let room = width - text.chars().count();
            let left = room / 2;
            let right = room - left;
            format!("│  {:left$}{shown}{:right$}  │", "", "")
        };
        let rows = [row(&title, &title), row("", &""), row(&code, &code.bold())];
        format!("\n┌{line}┐\n{}\n└{line}┘", rows.join("\n"))
    }
}

/// An address is somebody's input, and must not steer the terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// At most so many characters: an address may have 254.
fn cut(mut text: String, most: usize) -> String {
    let longest = most.saturating_sub(1);
    if text.chars().count() > most
        && let Some((end, _)) = text.char_indices().nth(longest)
    {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::CodeBox;

    fn shown(title: &str, columns: usize) -> String {
        let shown = CodeBox {
            title: title.to_owned(),
            code: "123456".to_owned(),
        };
        anstream::adapter::strip_str(&shown.to_text(columns)).to_string()
    }

    #[test]
    fn a_code_stands_in_the_middle_of_its_box() {
        insta::assert_snapshot!(shown("Verification code for ann@example.com", 80), @r"

        ┌────────────────────────────────────────────────┐
        │     Verification code for ann@example.com      │
        │                                                │
        │                     123456                     │
        └────────────────────────────────────────────────┘
        ");
    }

    #[test]
    fn what_somebody_typed_neither_breaks_the_box_nor_steers_the_terminal() {
        let titles = ["x".repeat(300), "a\u{1b}[2J\r\nb".to_owned(), String::new()];
        for (title, columns) in titles.iter().flat_map(|title| [(title, 80), (title, 40)]) {
            let shown = shown(title, columns);
            let widths: Vec<_> = shown
                .lines()
                .skip(1)
                .map(|line| line.chars().count())
                .collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{shown}");
            assert!(
                widths.len() == 5 && widths[0] <= columns && !shown.contains('\u{1b}'),
                "{shown}"
            );
        }
    }
}
