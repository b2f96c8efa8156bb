//! Conditions on one field.

use serde_json::json;

use super::matches;
use crate::core::testing::{json, rows};

/// Each line a condition on the field `v`, the values that satisfy it, and those that do not; `"MISSING"` is no value.
fn check(table: &str) {
    for [condition, yes, no] in rows(table) {
        for (values, expected) in [(yes, true), (no, false)] {
            for value in json(values).as_array().unwrap() {
                let record = if value == "MISSING" {
                    json!({})
                } else {
                    json!({"v": value})
                };
                assert_eq!(
                    matches(&json!({"v": json(condition)}), &record),
                    expected,
                    "{condition} on {record}"
                );
            }
        }
    }
}

const EQUALITY: &str = r#"
1 | [1, 1.0, [0, 1]] | ["1", true, [[1]], "MISSING"]
{"$eq": "a"} | ["a", ["a"]] | ["A", null]
null | [null, "MISSING", [1, null]] | [0, "", []]
{"$eq": [1, 2]} | [[1, 2], [[1, 2]]] | [[2, 1], 1]
{"a": 1, "b": 2} | [{"b": 2, "a": 1}] | [{"a": 1}, {"a": 1, "b": 2, "c": 3}]
{} | [{}] | [{"a": 1}, null, "MISSING"]
{"$ne": 1} | [2, "MISSING", []] | [1, [2, 1]]
{"$ne": null} | [0, []] | [null, "MISSING", [null]]
"#;

#[test]
fn equality_looks_into_arrays_and_takes_missing_for_null() {
    check(EQUALITY);
}

const LISTS: &str = r#"
[1, "a"] | [1, "a", [5, "a"]] | [2, [], "MISSING"]
[] | [] | [1, [], null, "MISSING"]
{"$in": [null, 3]} | [null, 3, "MISSING"] | [0]
{"$in": [[1, 2]]} | [[1, 2], [[1, 2]]] | [[1], 1]
{"$nin": [1, 2]} | [3, "MISSING", [3]] | [1, [3, 2]]
{"$nin": [null]} | [3] | [null, "MISSING"]
{"$nin": []} | [3, "MISSING"] | []
"#;

#[test]
fn lists_offer_alternatives() {
    check(LISTS);
}

const COMPARISONS: &str = r#"
{"$gt": 1} | [1.5, [0, 2]] | [1, "2", true, null, "MISSING"]
{"$gt": 1, "$lt": 3} | [2, [0, 5]] | [3, [3, 4]]
{"$lte": "b"} | ["b", "B"] | ["c", 1]
{"$gt": false} | [true] | [false, 1]
{"$gte": null} | [null, "MISSING"] | [0, ""]
{"$lte": null} | [null, "MISSING"] | [0]
{"$gt": null} | [] | [null, "MISSING", 1]
{"$lt": null} | [] | [null, "MISSING", 1]
{"$gt": [1]} | [[2], [1, 0]] | [2, [0, 9]]
{"$gte": 9007199254740993} | [9007199254740993] | [9007199254740992.0]
"#;

#[test]
fn comparisons_stay_within_one_type() {
    check(COMPARISONS);
}

const OTHER_OPERATORS: &str = r#"
{"$exists": true} | [null, [], 0] | ["MISSING"]
{"$exists": 1} | [null] | ["MISSING"]
{"$exists": false} | ["MISSING"] | [null, []]
{"$exists": null} | ["MISSING"] | [0]
{"$regex": "b+"} | ["abba", [1, "b"]] | ["B", 1, null, "MISSING", [["b"]]]
{"$regex": "^B$", "$options": "im"} | ["a\nb\nc"] | ["ab"]
{"$regex": "a.b", "$options": "s"} | ["a\nb"] | ["ab"]
{"$options": "x", "$regex": "a b # c"} | ["ab"] | ["a b"]
{"$regex": "é.", "$options": "u"} | ["aéb"] | ["é"]
{"$regex": "^(?=.*a)(?!.*z).*$"} | ["cab"] | ["caz"]
{"$regex": "(.)\\1"} | ["xoox"] | ["xo"]
{"$not": {"$gt": 1}} | [1, "x", "MISSING"] | [2, [0, 2]]
{"$not": {"$regex": "a"}} | ["b", 1, "MISSING"] | ["a"]
{"$all": [1, 2]} | [[2, 3, 1]] | [[1], 1, "MISSING"]
{"$all": [1]} | [1, [1]] | [2]
{"$all": []} | [] | [[], 1, "MISSING"]
{"$all": [null]} | [null, "MISSING"] | [1]
{"$all": [{"$elemMatch": {"a": 1}}, {"$elemMatch": {"b": 1}}]} | [[{"a": 1}, {"b": 1}]] | [[{"a": 1}]]
{"$size": 2} | [[1, [2]]] | [[1], [[1, 2]], 2, "MISSING"]
{"$size": 0.0} | [[]] | ["MISSING"]
{"$elemMatch": {"$gt": 1, "$lt": 3}} | [[0, 2]] | [[0, 5], 2, []]
{"$elemMatch": {"a": 1, "b": {"$gt": 1}}} | [[{"a": 1, "b": 2}]] | [[{"a": 1}, {"b": 2}], {"a": 1, "b": 2}]
{"$elemMatch": {"$or": [{"a": 1}, {"b": 1}]}} | [[{"b": 1}]] | [[{"c": 1}]]
{"$elemMatch": {}} | [[{}]] | [[], [1]]
{"$elemMatch": {"$eq": 1}} | [[1]] | [[[1]]]
{"$not": {"$elemMatch": {"$eq": 1}}} | [[2], "MISSING"] | [[1]]
"#;

#[test]
fn operators_on_presence_text_and_arrays() {
    check(OTHER_OPERATORS);
}
