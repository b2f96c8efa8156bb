//! Rows of text in aligned columns, for commands that list something.

use std::fmt;

use owo_colors::OwoColorize as _;

/// Spaces between two columns.
const GAP: usize = 2;

/// A heading and rows of as many cells.
#[derive(Clone, Debug)]
pub(crate) struct Table<const N: usize> {
    heading: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub(crate) const fn new(heading: [&'static str; N]) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    fn widths(&self) -> [usize; N] {
        std::array::from_fn(|column| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.fold(self.heading[column].len(), usize::max)
        })
    }
}

/// Without a line break at the end.
impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let heading = line(&self.heading.map(str::to_owned), &widths);
        write!(f, "{}", heading.dimmed())?;
        for row in &self.rows {
            write!(f, "\n{}", line(row, &widths))?;
        }
        Ok(())
    }
}

fn line<const N: usize>(cells: &[String; N], widths: &[usize; N]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(&format!("{cell:<width$}{:GAP$}", ""));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["name", "n"]);
        for (name, count) in [("a", "1"), ("längster", "10")] {
            table.row([name.to_owned(), count.to_owned()]);
        }
        let plain = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(plain, "name      n\na         1\nlängster  10");
    }
}
