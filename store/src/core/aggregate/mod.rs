//! Aggregations: records grouped by fields and by spans of time, counted and totalled, as in MongoDB's `$group`.

mod bucket;
mod parse;
mod run;
mod total;

use serde::Serialize;
use serde_json::{Map, Value};

use self::bucket::Bucket;
use self::total::Measure;
use super::error::QueryError;
use super::filter::Filter;
use super::path::FieldPath;
use super::sort::Sort;
use super::view::View;

/// A parsed specification of an aggregation.
#[derive(Debug, Clone)]
pub struct Aggregate {
    query: Filter,
    groups: Vec<GroupKey>,
    has_count: bool,
    totals: Vec<TotalColumn>,
    having: Filter,
    order: Option<Sort>,
    limit: usize,
}

/// A column whose values tell the groups apart.
#[derive(Debug, Clone)]
struct GroupKey {
    column: String,
    path: FieldPath,
    bucket: Option<Bucket>,
}

/// A computed column.
#[derive(Debug, Clone)]
struct TotalColumn {
    column: String,
    path: FieldPath,
    measure: Measure,
}

/// What an aggregation answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rows {
    /// One object a group: its group fields under their names, then the computed columns.
    pub rows: Vec<Map<String, Value>>,
    /// Whether there were more groups than the limit.
    pub truncated: bool,
}

impl Aggregate {
    /// Parses a specification as the SDK sends it; unknown keys are ignored.
    pub fn parse(spec: &Value) -> Result<Self, QueryError> {
        parse::parse(spec)
    }

    /// The query that selects the records to aggregate.
    pub fn query(&self) -> &Filter {
        &self.query
    }

    /// Aggregates the given records, which are those that match [`query`](Self::query) and that the caller may read.
    ///
    /// Without group fields there is exactly one row, even for no records at all. Fails only when a regular expression
    /// in `having` exceeds its step limit.
    pub fn run<'a, V: Into<View<'a>>>(
        &self,
        records: impl IntoIterator<Item = V>,
    ) -> Result<Rows, QueryError> {
        run::run(self, records.into_iter().map(Into::into))
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
