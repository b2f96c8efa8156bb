//! Each update operator on a table of records.

use serde_json::{Value, json};

use super::Update;
use crate::core::error::QueryError;
use crate::core::testing::object;

mod effects;
mod oracle;
mod refusals;

const NOW: &str = "2026-01-02T03:04:05.678Z";

fn parse(spec: &Value) -> Result<Update, QueryError> {
    Update::parse(spec, NOW, |field| field == "due")
}

fn apply(spec: &Value, record: Value) -> Result<Value, QueryError> {
    let mut record = object(record);
    parse(spec)?.apply(&mut record)?;
    Ok(Value::Object(record))
}

#[test]
fn touched_fields_are_listed_and_unknown_ones_can_be_left_out() {
    let mut update =
        parse(&json!({"$set": {"a.b": 1, "x": 1}, "$rename": {"c": "d", "e": "y"}})).unwrap();
    assert_eq!(
        update.touched().collect::<Vec<_>>(),
        ["a", "x", "c", "d", "e", "y"]
    );
    update.retain(|field| !matches!(field, "x" | "y"));
    assert_eq!(update.touched().collect::<Vec<_>>(), ["a", "c", "d"]);
}
