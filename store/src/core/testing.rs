//! Values and records for the tests of the core.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The object that a `json!` literal denotes.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

/// The value that a JSON text denotes.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The cells of a table of cases, one a line, with ` | ` between them.
pub(crate) fn rows<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
    let lines = table.lines().filter(|line| !line.is_empty());
    lines.map(|line| {
        let cells: Vec<_> = line.split(" | ").collect();
        cells
            .try_into()
            .unwrap_or_else(|cells| panic!("not {N} cells: {cells:?}"))
    })
}

/// A value of few distinct scalars, so that equal ones turn up often.
pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..4).prop_map(Value::from),
        prop_oneof![Just(0.0), Just(1.0), Just(1.5), Just(-2.0)].prop_map(|double| json!(double)),
        "[a-b]{0,2}".prop_map(Value::from),
    ]
}

/// Any JSON value of little depth over few keys.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A record over the fields `a`, `b` and `c`.
pub(crate) fn any_record() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(("[a-c]", any_value()), 0..4)
        .prop_map(|members| members.into_iter().collect())
}
