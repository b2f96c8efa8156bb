//! What was started, in one compact block of label and value.

use std::fmt;

use owo_colors::OwoColorize as _;

/// Columns of a line; longer lists are cut with a count.
const WIDTH: usize = 80;
const LABEL: usize = 11;

/// Rows that are empty are not shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct StartBlock {
    rows: Vec<(&'static str, String)>,
}

impl StartBlock {
    /// Adds a row.
    pub(crate) fn row(&mut self, label: &'static str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.rows.push((label, value));
        }
    }

    /// Adds a row of names, as many as a line takes.
    pub(crate) fn names(&mut self, label: &'static str, names: &[&str]) {
        let room = WIDTH - LABEL - 4;
        let mut value = String::new();
        for (index, name) in names.iter().enumerate() {
            let rest = format!(" and {} more", names.len() - index);
            if value.len() + name.len() + 2 + rest.len() > room && index > 0 {
                value.push_str(&rest);
                break;
            }
            if index > 0 {
                value.push_str(", ");
            }
            value.push_str(name);
        }
        self.row(label, value);
    }
}

impl fmt::Display for StartBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n  {} {}\n",
            "Backlot".bold(),
            env!("CARGO_PKG_VERSION")
        )?;
        for (label, value) in &self.rows {
            writeln!(f, "  {} {value}", format_args!("{label:<LABEL$}").dimmed())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::StartBlock;

    #[test]
    fn long_lists_are_cut_with_a_count_and_fit_80_columns() {
        let names: Vec<String> = (0..40).map(|index| format!("Entity{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut block = StartBlock::default();
        block.names("Entities", &names);
        block.row("Empty", "");
        let text = anstream::adapter::strip_str(&block.to_string()).to_string();
        assert!(
            text.contains("Entity0, Entity1, ") && text.contains(" more\n"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(!text.contains("Empty"));
    }
}
