//! What updates do to records.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{apply, parse};
use crate::core::path::FieldPath;
use crate::core::testing::{any_record, any_value, json, rows};
use crate::core::update::targets;
use crate::core::value::compare;

/// Each line an update, a record before it, and the record after it.
fn check(table: &str) {
    for [spec, before, after] in rows(table) {
        assert_eq!(
            apply(&json(spec), json(before)),
            Ok(json(after)),
            "{spec} on {before}"
        );
    }
}

const FIELDS: &str = r#"
{"$set": {"a": 1}} | {} | {"a": 1}
{"$set": {"a.b.c": 1}} | {"a": {"x": 0}} | {"a": {"x": 0, "b": {"c": 1}}}
{"$set": {"a.0": 9}} | {"a": [1, 2]} | {"a": [9, 2]}
{"$set": {"a.3": 9}} | {"a": [1]} | {"a": [1, null, null, 9]}
{"$set": {"a.0": 9}} | {} | {"a": {"0": 9}}
{"$set": {"a.1.b": 9}} | {"a": [1]} | {"a": [1, {"b": 9}]}
{"$set": {"a": {"b": 1}}} | {"a": {"c": 2}} | {"a": {"b": 1}}
{"$unset": {"a": ""}} | {"a": 1, "b": 2, "c": 3} | {"b": 2, "c": 3}
{"$unset": {"a.b": 1, "x.y": 1, "s.t": 1}} | {"a": {"b": 1}, "s": 1} | {"a": {}, "s": 1}
{"$unset": {"a.0": true, "a.7": true}} | {"a": [1, 2]} | {"a": [null, 2]}
{"$rename": {"a": "b"}} | {"a": 1, "b": 2} | {"b": 1}
{"$rename": {"a.x": "n.y"}} | {"a": {"x": 1}} | {"a": {}, "n": {"y": 1}}
{"$rename": {"none": "b"}} | {"b": 2} | {"b": 2}
{"$currentDate": {"a": true, "due": {"$type": "date"}}} | {} | {"a": "2026-01-02T03:04:05.678Z", "due": "2026-01-02"}
{"$set": {}} | {"a": 1} | {"a": 1}
"#;

#[test]
fn fields_are_set_unset_and_renamed() {
    check(FIELDS);
}

const NUMBERS: &str = r#"
{"$inc": {"a": 2, "n": -1}} | {"a": 1} | {"a": 3, "n": -1}
{"$inc": {"a": 0.5}} | {"a": 1} | {"a": 1.5}
{"$inc": {"a": 1}} | {"a": 9223372036854775807} | {"a": 9223372036854775808}
{"$inc": {"a.1": 1}} | {"a": [1, 1]} | {"a": [1, 2]}
{"$mul": {"a": 3, "n": 3}} | {"a": 2} | {"a": 6, "n": 0}
{"$mul": {"a": 0.5}} | {"a": 3} | {"a": 1.5}
{"$min": {"a": 1, "b": 9, "n": 5}} | {"a": 2, "b": 2} | {"a": 1, "b": 2, "n": 5}
{"$max": {"a": 1, "b": 9, "n": 5}} | {"a": 2, "b": 2} | {"a": 2, "b": 9, "n": 5}
{"$max": {"a": "x", "b": true}} | {"a": 2, "b": [1]} | {"a": "x", "b": true}
{"$min": {"a": "x", "b": null}} | {"a": 2, "b": 1} | {"a": 2, "b": null}
"#;

#[test]
fn numbers_are_counted_and_bounded() {
    check(NUMBERS);
}

const ARRAYS: &str = r#"
{"$push": {"a": 1, "n": [2]}} | {"a": [1]} | {"a": [1, 1], "n": [[2]]}
{"$push": {"a": {"$each": [3, 4]}}} | {"a": [1]} | {"a": [1, 3, 4]}
{"$push": {"a": {"$each": [8, 9], "$position": 1}}} | {"a": [1, 2]} | {"a": [1, 8, 9, 2]}
{"$push": {"a": {"$each": [9], "$position": -1}}} | {"a": [1, 2]} | {"a": [1, 9, 2]}
{"$push": {"a": {"$each": [9], "$position": 70}}} | {"a": [1]} | {"a": [1, 9]}
{"$push": {"a": {"$each": [2, 5], "$sort": -1, "$slice": 2}}} | {"a": [3, 1]} | {"a": [5, 3]}
{"$push": {"a": {"$each": [], "$slice": -1}}} | {"a": [1, 2]} | {"a": [2]}
{"$push": {"a": {"$each": [3], "$slice": 0}}} | {"a": [1]} | {"a": []}
{"$push": {"a": {"$each": [{"n": 1, "m": 1}], "$sort": {"n": 1, "m": -1}}}} | {"a": [{"n": 2}, {"n": 1, "m": 3}, 7]} | {"a": [7, {"n": 1, "m": 3}, {"n": 1, "m": 1}, {"n": 2}]}
{"$addToSet": {"a": 1, "n": 1}} | {"a": [1.0]} | {"a": [1.0], "n": [1]}
{"$addToSet": {"a": [1]}} | {"a": [1]} | {"a": [1, [1]]}
{"$addToSet": {"a": {"$each": [2, 2, 1]}}} | {"a": [1]} | {"a": [1, 2]}
{"$addToSet": {"a": {"x": 1, "y": 2}}} | {"a": [{"y": 2, "x": 1}]} | {"a": [{"y": 2, "x": 1}]}
{"$pull": {"a": 1, "n": 1}} | {"a": [1, 2, 1.0, [1]]} | {"a": [2, [1]]}
{"$pull": {"a": {"$gte": 2}}} | {"a": [1, 2, 3, "x"]} | {"a": [1, "x"]}
{"$pull": {"a": {"$in": [1, "x"]}}} | {"a": [1, 2, "x"]} | {"a": [2]}
{"$pull": {"a": [1, 2]}} | {"a": [1, [1, 2], 2]} | {"a": [1, 2]}
{"$pull": {"a": {"n": {"$gt": 1}, "m": null}}} | {"a": [{"n": 1}, {"n": 2}, {"n": 2, "m": 1}, 5]} | {"a": [{"n": 1}, {"n": 2, "m": 1}, 5]}
{"$pull": {"a": {"$or": [{"n": 1}, {"n": 2}]}}} | {"a": [{"n": 1}, {"n": 3}]} | {"a": [{"n": 3}]}
"#;

#[test]
fn arrays_grow_and_shrink() {
    check(ARRAYS);
}

proptest! {
    #[test]
    fn prop_updates_do_not_panic_and_sets_are_kept(record in any_record(), path in "[abc](\\.[ab012])?", value in any_value()) {
        for operator in ["$set", "$unset", "$inc", "$mul", "$min", "$max", "$currentDate", "$addToSet", "$push", "$pull"] {
            let Ok(update) = parse(&json!({operator: {&path: value}})) else { continue };
            let mut changed = record.clone();
            if update.apply(&mut changed).is_err() {
                continue;
            }
            let now = targets::get(&changed, &FieldPath::parse(&path));
            match operator {
                "$set" => prop_assert_eq!(now, Some(&value)),
                "$min" => prop_assert!(compare(now.unwrap(), &value).is_le()),
                "$max" => prop_assert!(compare(now.unwrap(), &value).is_ge()),
                "$unset" => prop_assert!(now.is_none_or(Value::is_null)),
                _ => {}
            }
        }
    }
}
