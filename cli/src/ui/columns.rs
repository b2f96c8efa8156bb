//! How wide lines may be.

use std::io;

use terminal_size::{Width, terminal_size_of};

/// Of files and pipes, and of terminals that do not tell. Wider ones are not filled: a person reads no wider lines.
const MOST: usize = 80;

/// Layout for fewer would not be readable: there the terminal folds lines.
const LEAST: usize = 40;

/// The columns to lay out text for.
pub(crate) fn columns() -> usize {
    of_terminal().max(LEAST)
}

/// The columns of the terminal, as far as they matter.
pub(super) fn of_terminal() -> usize {
    let size = terminal_size_of(io::stderr());
    size.map_or(MOST, |(Width(columns), _)| usize::from(columns).min(MOST))
}
