//! Sort orders: which record comes before which, the page of a sorted list without sorting all of it, and the position
//! from which a walk with a cursor goes on.

mod key;
mod position;

use std::cmp::Ordering;

use self::key::Key;
pub use self::position::Position;
use super::error::QueryError;
use super::path::FieldPath;
use super::view::View;

/// MongoDB's bound on the fields of a compound sort.
const MAX_FIELDS: usize = 32;

/// Which end of the order comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Lowest first.
    Ascending,
    /// Highest first.
    Descending,
}

impl Direction {
    fn apply(self, ordering: Ordering) -> Ordering {
        match self {
            Self::Ascending => ordering,
            Self::Descending => ordering.reverse(),
        }
    }
}

/// A total order of records: one or more fields, and the sequence of creation among equals.
#[derive(Debug, Clone)]
pub struct Sort {
    first: Field,
    others: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Field {
    path: FieldPath,
    direction: Direction,
}

impl Field {
    fn parse(text: &str, path: impl Fn(&str) -> FieldPath) -> Result<Self, QueryError> {
        let (direction, name) = match text.strip_prefix('-') {
            Some(name) => (Direction::Descending, name),
            None => (Direction::Ascending, text.strip_prefix('+').unwrap_or(text)),
        };
        if name.is_empty() || name.starts_with(['+', '-', '$']) {
            return Err(QueryError::invalid(format!(
                "cannot sort by \"{text}\"; write a field's name, with - in front for descending order"
            )));
        }
        Ok(Self {
            path: path(name),
            direction,
        })
    }

    fn key<'a>(&self, view: View<'a>) -> Key<'a> {
        Key::of(&self.path, self.direction, view)
    }

    fn compare_keys(&self, left: &Key<'_>, right: &Key<'_>) -> Ordering {
        self.direction.apply(left.cmp(right))
    }

    fn compare(&self, left: View<'_>, right: View<'_>) -> Ordering {
        self.compare_keys(&self.key(left), &self.key(right))
    }
}

/// The latest record first.
impl Default for Sort {
    fn default() -> Self {
        let first = Field {
            path: FieldPath::parse("created_date"),
            direction: Direction::Descending,
        };
        Self {
            first,
            others: Vec::new(),
        }
    }
}

impl Sort {
    /// Reads `field`, `+field` or `-field`, or several separated by commas; nothing at all is the default order.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        Self::parse_with(text, FieldPath::parse)
    }

    /// An order of rows whose columns may have dots in their names.
    pub(crate) fn parse_for_columns(text: &str) -> Result<Self, QueryError> {
        Self::parse_with(text, FieldPath::literal)
    }

    fn parse_with(text: &str, path: impl Fn(&str) -> FieldPath) -> Result<Self, QueryError> {
        // A plus sign that was not percent-encoded reaches us as a space.
        let names: Vec<_> = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if names.len() > MAX_FIELDS {
            return Err(QueryError::LimitHit(format!(
                "cannot sort by more than {MAX_FIELDS} fields"
            )));
        }
        let mut fields = names.into_iter().map(|name| Field::parse(name, &path));
        match fields.next() {
            None => Ok(Self::default()),
            Some(first) => Ok(Self {
                first: first?,
                others: fields.collect::<Result<_, _>>()?,
            }),
        }
    }

    /// An order by the given paths, without a check of their number.
    pub(crate) fn by_paths(
        paths: impl IntoIterator<Item = (FieldPath, Direction)>,
    ) -> Option<Self> {
        let mut fields = paths
            .into_iter()
            .map(|(path, direction)| Field { path, direction });
        fields.next().map(|first| Self {
            first,
            others: fields.collect(),
        })
    }

    /// The direction when the order is simply that of creation, which an index by creation holds already.
    pub fn creation_order(&self) -> Option<Direction> {
        let is_creation =
            self.others.is_empty() && self.first.path.single() == Some("created_date");
        is_creation.then_some(self.first.direction)
    }

    /// The names of the fields, in order of weight.
    pub fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        self.fields().map(|field| &field.path)
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Compares two records, each with its number in the sequence of creation. Equal fields leave the decision to the
    /// sequence, in the direction of the first field.
    pub fn compare(&self, left: (View<'_>, u64), right: (View<'_>, u64)) -> Ordering {
        self.first
            .compare(left.0, right.0)
            .then_with(|| self.compare_rest(left, right))
    }

    fn compare_rest(&self, left: (View<'_>, u64), right: (View<'_>, u64)) -> Ordering {
        let others = self
            .others
            .iter()
            .map(|field| field.compare(left.0, right.0));
        let ordering = others
            .into_iter()
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal);
        ordering.then_with(|| self.first.direction.apply(left.1.cmp(&right.1)))
    }

    /// The page of `limit` rows after the first `skip` in this order.
    ///
    /// Keeps at most twice `skip + limit` rows at a time, and looks at most rows once.
    pub fn select<'a, T>(
        &self,
        rows: impl IntoIterator<Item = (View<'a>, u64, T)>,
        skip: usize,
        limit: usize,
    ) -> Vec<T> {
        let wanted = skip.saturating_add(limit);
        if limit == 0 {
            return Vec::new();
        }
        let capacity = wanted.saturating_mul(2).max(64);
        let mut kept: Vec<Row<'a, T>> = Vec::new();
        let mut is_full = false;
        for (view, sequence, item) in rows {
            let row = Row {
                key: self.first.key(view),
                view,
                sequence,
                item,
            };
            // The last of the wanted rows stands at `wanted - 1` after every selection.
            if is_full && self.compare_rows(&kept[wanted - 1], &row).is_lt() {
                continue;
            }
            kept.push(row);
            if kept.len() >= capacity {
                kept.select_nth_unstable_by(wanted - 1, |left, right| {
                    self.compare_rows(left, right)
                });
                kept.truncate(wanted);
                is_full = true;
            }
        }
        kept.sort_unstable_by(|left, right| self.compare_rows(left, right));
        kept.into_iter()
            .skip(skip)
            .take(limit)
            .map(|row| row.item)
            .collect()
    }

    fn compare_rows<T>(&self, left: &Row<'_, T>, right: &Row<'_, T>) -> Ordering {
        self.first
            .compare_keys(&left.key, &right.key)
            .then_with(|| {
                self.compare_rest((left.view, left.sequence), (right.view, right.sequence))
            })
    }
}

/// A row with the key that most comparisons need.
struct Row<'a, T> {
    key: Key<'a>,
    view: View<'a>,
    sequence: u64,
    item: T,
}

#[cfg(test)]
pub(crate) mod oracle;
#[cfg(test)]
mod tests;
