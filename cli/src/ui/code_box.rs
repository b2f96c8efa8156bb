//! A code that would have been mailed, in a box that one cannot miss between the lines of the log.

use std::fmt;

use owo_colors::OwoColorize as _;

/// Columns of the box at least; a long address makes it wider.
const WIDTH: usize = 44;

/// Longer titles are cut: an address may have 254 characters.
const TITLE: usize = 72;

/// What somebody has to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeBox {
    /// `Verification code for ann@example.com`
    pub(crate) title: String,
    pub(crate) code: String,
}

impl fmt::Display for CodeBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = plain(&self.title);
        let code = plain(&self.code);
        let width = WIDTH.max(title.chars().count()).max(code.chars().count());
        let line = "─".repeat(width + 4);
        let row = |text: &str, shown: &dyn fmt::Display| {
            let room = width - text.chars().count();
            let left = room / 2;
            format!(
                "│  {:left$}{shown}{:right$}  │",
                "",
                "",
                right = room - left
            )
        };
        writeln!(f, "\n┌{line}┐")?;
        writeln!(f, "{}", row(&title, &title))?;
        writeln!(f, "{}", row("", &""))?;
        writeln!(f, "{}", row(&code, &code.bold()))?;
        write!(f, "└{line}┘")
    }
}

/// An address is somebody's input, and must not steer the terminal.
fn plain(text: &str) -> String {
    let mut plain: String = text.chars().filter(|c| !c.is_control()).collect();
    if let Some((end, _)) = plain.char_indices().nth(TITLE) {
        plain.truncate(end);
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::CodeBox;

    fn shown(title: &str) -> String {
        let shown = CodeBox {
            title: title.to_owned(),
            code: "123456".to_owned(),
        }
        .to_string();
        anstream::adapter::strip_str(&shown).to_string()
    }

    #[test]
    fn a_code_stands_in_the_middle_of_its_box() {
        insta::assert_snapshot!(shown("Verification code for ann@example.com"), @r"

        ┌────────────────────────────────────────────────┐
        │     Verification code for ann@example.com      │
        │                                                │
        │                     123456                     │
        └────────────────────────────────────────────────┘
        ");
    }

    #[test]
    fn what_somebody_typed_neither_breaks_the_box_nor_steers_the_terminal() {
        for title in ["x".repeat(300), "a\u{1b}[2J\r\nb".to_owned(), String::new()] {
            let shown = shown(&title);
            let widths: Vec<_> = shown
                .lines()
                .skip(1)
                .map(|line| line.chars().count())
                .collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{shown}");
            assert!(
                widths.len() == 5 && widths[0] <= 80 && !shown.contains('\u{1b}'),
                "{shown}"
            );
        }
    }
}
