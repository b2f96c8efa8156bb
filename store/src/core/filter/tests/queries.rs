//! Whole queries: paths, combinators, unknown outcomes, hidden fields and hints.

use serde_json::json;

use super::matches;
use crate::core::filter::{Filter, Predicate, Truth};
use crate::core::path::FieldPath;
use crate::core::testing::object;
use crate::core::view::{Mask, View};

#[test]
fn paths_and_combinators() {
    let record = json!({
        "id": "r1", "a": {"b": 1}, "n": 5, "list": [{"x": 1, "y": [1, 2]}, {"x": 2}, 7], "empty": [], "deep": [[{"x": 1}]],
        "created_date": "2026-01-02T03:04:05.678Z",
    });
    let cases = [
        (json!({}), true),
        (json!({"a.b": 1, "n": 5}), true),
        (json!({"a.b": 1, "n": 6}), false),
        (json!({"_id": "r1"}), true),
        (json!({"a.b.c": null}), true),
        (json!({"list.x": 2}), true),
        (json!({"list.0.x": 2}), false),
        (json!({"list.1.x": 2}), true),
        (json!({"list.2": 7}), true),
        (json!({"list.y": 2}), true),
        (json!({"list.y": null}), true),
        (json!({"list.z": {"$exists": false}}), true),
        (json!({"list.x": {"$all": [1, 2]}}), true),
        (json!({"list.x": {"$ne": 2}}), false),
        (json!({"empty.x": {"$exists": true}}), false),
        (json!({"empty.x": {"$ne": null}}), true),
        (json!({"empty.x": null}), false),
        (json!({"deep.x": 1}), false),
        (json!({"deep.0.x": 1}), true),
        (json!({"n.0": null}), true),
        (json!({"is_deleted": false}), true),
        (json!({"is_deleted": {"$ne": true}}), true),
        (json!({"is_deleted": true}), false),
        (json!({"$comment": "why", "n": 5}), true),
        (json!({"$and": [{"n": 5}, {"a.b": 1}]}), true),
        (json!({"$or": [{"n": 6}, {"a.b": 1}]}), true),
        (json!({"$nor": [{"n": 6}, {"a.b": 1}]}), false),
        (json!({"$nor": [{"n": 6}]}), true),
        (json!({"$or": [{}]}), true),
        (json!({"$nor": [{}]}), false),
        (json!({"created_date": "2026-01-02T03:04:05.678000"}), true),
        (
            json!({"created_date": {"$gte": "2026-01-02T05:04:05.678+02:00"}}),
            true,
        ),
        (json!({"created_date": {"$gt": "2026-01-02"}}), true),
        (
            json!({"created_date": {"$in": ["2026-01-02T03:04:05.678+00:00"]}}),
            true,
        ),
        (json!({"created_date": {"$lt": "tomorrow"}}), true),
        (json!({"created_date": {"$gt": 0}}), false),
        (json!({"created_date": {"$regex": "^2026-01"}}), true),
    ];
    for (query, expected) in cases {
        assert_eq!(matches(&query, &record), expected, "{query}");
    }
}

#[test]
fn what_is_unknown_grants_nothing_however_negated() {
    let unknown = || Filter::constant(Truth::Unknown);
    let record = object(json!({"a": 1}));
    let field = |value| Filter::field("a", Predicate::equal(json!(value)));
    let cases = [
        (unknown(), Truth::Unknown),
        (Filter::nor(vec![unknown()]), Truth::Unknown),
        (
            Filter::nor(vec![Filter::nor(vec![unknown()])]),
            Truth::Unknown,
        ),
        (Filter::nor(vec![unknown(), field(1)]), Truth::False),
        (Filter::nor(vec![unknown(), field(2)]), Truth::Unknown),
        (Filter::and(vec![unknown(), field(1)]), Truth::Unknown),
        (Filter::and(vec![unknown(), field(2)]), Truth::False),
        (Filter::or(vec![unknown(), field(1)]), Truth::True),
        (Filter::or(vec![unknown(), field(2)]), Truth::Unknown),
        (
            Filter::field("a", Predicate::unknown().negate()),
            Truth::Unknown,
        ),
        (
            Filter::field(
                "a",
                Predicate::and([Predicate::unknown(), Predicate::equal(json!(2))]).negate(),
            ),
            Truth::True,
        ),
        (Filter::and(vec![]), Truth::True),
        (Filter::or(vec![]), Truth::False),
    ];
    for (filter, expected) in cases {
        assert_eq!(filter.evaluate(&record), Ok(expected), "{filter:?}");
        assert_eq!(filter.matches(&record), Ok(expected == Truth::True));
    }
}

#[test]
fn hidden_fields_are_missing_to_a_filter() {
    let record = object(json!({"id": "1", "salary": 9, "profile": {"tier": 1, "name": "x"}}));
    let hidden = ["salary", "profile.tier"].map(FieldPath::parse);
    let mask = Mask::new(&hidden);
    let cases = [
        (json!({"salary": 9}), false),
        (json!({"salary": null}), true),
        (json!({"profile.tier": 1}), false),
        (json!({"profile.name": "x"}), true),
        (json!({"profile": {"tier": 1, "name": "x"}}), false),
        (json!({"profile": {"name": "x"}}), true),
    ];
    for (query, expected) in cases {
        assert_eq!(
            Filter::parse(&query)
                .unwrap()
                .matches(View::masked(&record, &mask)),
            Ok(expected),
            "{query}"
        );
    }
}

#[test]
fn hints_name_the_equalities_that_must_hold() {
    let query = json!({"a": 1, "b": {"$in": [1, 2], "$exists": true}, "c": {"$gt": 1}, "d.e": 1, "created_date": "x", "$and": [{"f": ["y"]}], "$or": [{"g": 1}, {"h": 1}]});
    let filter = Filter::parse(&query).unwrap();
    let hints = filter.equality_hints();
    assert_eq!(
        hints,
        [
            ("a", &[json!(1)][..]),
            ("b", &[json!(1), json!(2)]),
            ("f", &[json!("y")])
        ]
    );
    assert!(
        Filter::parse(&json!({"a": {"$ne": 1}}))
            .unwrap()
            .equality_hints()
            .is_empty()
    );
    assert!(Filter::all().is_everything());
}
