//! What was started, in one compact block of label and value.

use std::{fmt, time::Duration};

use owo_colors::OwoColorize as _;

const LABEL: usize = 11;

/// Rows that are empty are not shown.
#[derive(Clone, Debug)]
pub(crate) struct StartBlock {
    took: Duration,
    /// Columns of a row's value; longer lists are cut with a count, other rows go on below.
    room: usize,
    rows: Vec<(&'static str, String)>,
}

impl StartBlock {
    /// A block about a start that took so long, for a terminal of so many columns.
    pub(crate) const fn new(took: Duration, columns: usize) -> Self {
        Self {
            took,
            room: columns.saturating_sub(LABEL + 4),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, label: &'static str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.rows.push((label, value));
        }
    }

    /// Adds a row of names, as many as a line takes.
    pub(crate) fn names(&mut self, label: &'static str, names: &[&str]) {
        let mut value = String::new();
        for (index, name) in names.iter().enumerate() {
            let rest = format!(" and {} more", names.len() - index);
            if value.len() + name.len() + 2 + rest.len() > self.room && index > 0 {
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
        let took = format!("started in {} ms", self.took.as_millis());
        writeln!(
            f,
            "\n  {} {}  {}\n",
            "Backlot".bold(),
            env!("CARGO_PKG_VERSION"),
            took.dimmed()
        )?;
        for (label, value) in &self.rows {
            let mut label = *label;
            for line in wrapped(value, self.room) {
                writeln!(f, "  {} {line}", format_args!("{label:<LABEL$}").dimmed())?;
                label = "";
            }
        }
        Ok(())
    }
}

/// Lines of at most `room` columns, broken at spaces; a longer word is broken where it has to be.
fn wrapped(value: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = vec![String::new()];
    let mut columns = 0;
    for word in value.split_inclusive(' ') {
        let mut length = word.trim_end().chars().count();
        if columns > 0 && columns + length > room {
            lines.push(String::new());
            columns = 0;
        }
        let mut word: Vec<char> = word.chars().collect();
        while length > room {
            let rest = word.split_off(room);
            lines.extend([word.iter().collect(), String::new()]);
            length -= room;
            word = rest;
        }
        columns += word.len();
        if let Some(line) = lines.last_mut() {
            line.extend(word);
        }
    }
    lines.retain(|line| !line.is_empty());
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::StartBlock;

    #[test]
    fn long_lists_are_cut_with_a_count_and_fit_the_terminal() {
        let names: Vec<String> = (0..40).map(|index| format!("Entity{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for columns in [80, 40] {
            let mut block = StartBlock::new(Duration::ZERO, columns);
            block.names("Entities", &names);
            block.row("Empty", "");
            let text = anstream::adapter::strip_str(&block.to_string()).to_string();
            assert!(
                text.contains(" Entity0") && text.contains(" more\n"),
                "{text}"
            );
            assert!(text.lines().all(|line| line.len() <= columns), "{text}");
            assert!(!text.contains("Empty"));
        }
    }

    #[test]
    fn long_values_go_on_below_at_80_columns() {
        let mut block = StartBlock::new(Duration::from_millis(84), 80);
        block.row("App", "Tasks (not linked)");
        block.row("Frontend", "cd ../web && npm install --no-audit --no-fund && npm run dev -- --host 127.0.0.1 --port 5173");
        block.row(
            "Forwarded",
            format!("to https://{}.example.com", "a".repeat(90)),
        );
        let text = anstream::adapter::strip_str(&block.to_string()).to_string();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r"

        Backlot VERSION  started in 84 ms

        App         Tasks (not linked)
        Frontend    cd ../web && npm install --no-audit --no-fund && npm run dev --
                    --host 127.0.0.1 --port 5173
        Forwarded   to
                    https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
                    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com
        ");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
