//! What is refused, and in which words.

use serde_json::{Map, Value, json};

use crate::core::error::QueryError;
use crate::core::filter::Filter;
use crate::core::testing::{json, object, rows};

const MALFORMED: &str = r#"
[] | a query must be an object
{"$where": "1"} | unknown operator: $where
{"$expr": {}} | unknown operator: $expr
{"$gt": 1} | unknown operator: $gt (it belongs
{"a": {"$foo": 1}} | unknown operator: $foo
{"a": {"$type": "string"}} | unknown operator: $type
{"a": {"$gt": 1, "x": 2}} | $gt cannot stand beside the plain key "x"
{"a": {"x": 2, "$gt": 1}} | $gt cannot stand beside
{"$and": []} | $and needs a non-empty array
{"$or": {}} | $or needs a non-empty array
{"$nor": [1]} | $nor needs a non-empty array
{"a": {"$in": 1}} | $in needs an array
{"a": {"$nin": {}}} | $nin needs an array
{"a": {"$all": 1}} | $all needs an array
{"a": {"$all": [{"$gt": 1}]}} | $all cannot take the operator $gt
{"a": {"$in": [{"$gt": 1}]}} | $in cannot take the operator $gt
{"a": {"$ne": {"$gt": 1}}} | $ne cannot take the operator $gt
{"a": {"$regex": 1}} | $regex needs a string
{"a": {"$regex": "("}} | $regex does not compile
{"a": {"$regex": "a", "$options": "g"}} | letter "g"
{"a": {"$regex": "a", "$options": 1}} | $options needs a string
{"a": {"$options": "i"}} | $options needs a $regex
{"a": {"$not": {}}} | $not needs
{"a": {"$not": 1}} | $not needs
{"a": {"$not": "x"}} | $not needs
{"a": {"$size": -1}} | $size needs
{"a": {"$size": 1.5}} | $size needs
{"a": {"$size": "1"}} | $size needs
{"a": {"$elemMatch": [1]}} | $elemMatch needs an object
{"a": {"$elemMatch": {"$foo": 1}}} | unknown operator: $foo
{"$or": [{"a": 1}, {"$and": [{"b": {"$bar": 1}}]}]} | unknown operator: $bar
"#;

#[test]
fn malformed_queries_are_refused_by_name() {
    for [query, expected] in rows(MALFORMED) {
        let message = Filter::parse(&json(query)).expect_err(query).to_string();
        assert!(message.contains(expected), "{query}: {message}");
    }
}

#[test]
fn queries_have_bounds() {
    let nested = |levels| (0..levels).fold(json!({"a": 1}), |inner, _| json!({"$and": [inner]}));
    assert!(Filter::parse(&nested(40)).is_ok());
    assert!(matches!(
        Filter::parse(&nested(51)),
        Err(QueryError::LimitHit(_))
    ));
    let wide: Map<_, _> = (0..10_001)
        .map(|index| (format!("f{index}"), json!(1)))
        .collect();
    assert!(matches!(
        Filter::parse(&Value::Object(wide)),
        Err(QueryError::LimitHit(_))
    ));
}

#[test]
fn a_runaway_pattern_is_an_error_and_a_harmless_one_is_not() {
    let record = object(json!({"v": format!("{}!", "a".repeat(50_000))}));
    let outcome = |pattern: &str| {
        Filter::parse(&json!({"v": {"$regex": pattern}}))
            .unwrap()
            .matches(&record)
    };
    assert_eq!(outcome("(a+)+$"), Ok(false));
    assert!(matches!(
        outcome("(?=a)(a+)+\\1$"),
        Err(QueryError::LimitHit(_))
    ));
}
