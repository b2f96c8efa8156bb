//! The query language on tables of conditions and records.

use serde_json::Value;

use super::Filter;
use crate::core::testing::object;

mod conditions;
mod queries;
mod refusals;

fn matches(query: &Value, record: &Value) -> bool {
    let filter = Filter::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    filter.matches(&object(record.clone())).unwrap()
}
