//! Aggregations over a handful of orders.

use serde_json::json;

use super::*;
use crate::core::testing::object;
use crate::core::view::Mask;

fn orders() -> Vec<Map<String, Value>> {
    [
        json!({"id": "1", "city": "A", "amount": 10, "tag": "x", "address": {"zip": 1}, "due": "2026-01-31", "created_date": "2026-01-01T23:59:59.000Z"}),
        json!({"id": "2", "city": "B", "amount": 0.25, "tag": "y", "address": {"zip": 2}, "due": "2026-02-01T00:30:00+02:00", "created_date": "2026-01-04T00:00:00.000Z"}),
        json!({"id": "3", "city": "A", "amount": 0.5, "tag": "x", "due": null, "created_date": "2026-01-05T00:00:00.000Z"}),
        json!({"id": "4", "amount": "n/a", "tag": null, "address": {"zip": 1.0}, "due": "soon", "created_date": "2026-02-01T00:00:00.000Z"}),
        json!({"id": "5", "city": null, "amount": null, "due": "2025-12-31", "created_date": "2025-12-31T00:00:00.000Z"}),
    ]
    .map(object)
    .into()
}

fn run(spec: &Value) -> Value {
    let aggregate = Aggregate::parse(spec).unwrap_or_else(|error| panic!("{spec}: {error}"));
    let orders = orders();
    let chosen = orders
        .iter()
        .filter(|order| aggregate.query().matches(*order).unwrap());
    serde_json::to_value(aggregate.run(chosen).unwrap()).unwrap()
}

#[test]
fn groups_are_counted_and_totalled() {
    let cases = [
        (json!({}), json!([{"count": 5}])),
        (
            json!({"query": {"city": "none"}, "sum": "amount", "avg": "amount", "min": "amount"}),
            json!([{"count": 0, "sum_amount": 0, "avg_amount": null, "min_amount": null}]),
        ),
        (
            json!({"query": {"city": "none"}, "groupBy": "city"}),
            json!([]),
        ),
        (
            json!({"groupBy": "city"}),
            json!([{"city": null, "count": 2}, {"city": "A", "count": 2}, {"city": "B", "count": 1}]),
        ),
        (
            json!({"groupBy": ["city", "tag"], "count": false, "query": {"city": ["A", "B"]}}),
            json!([{"city": "A", "tag": "x"}, {"city": "B", "tag": "y"}]),
        ),
        (
            json!({"query": {"amount": {"$lt": 1}}, "sum": "amount", "count": false}),
            json!([{"sum_amount": 0.75}]),
        ),
        (
            json!({"sum": ["amount"], "min": "amount", "max": "amount", "countDistinct": "tag"}),
            json!([{"count": 5, "sum_amount": 10.75, "min_amount": 0.25, "max_amount": "n/a", "count_distinct_tag": 2}]),
        ),
        (
            json!({"query": {"city": "A"}, "avg": "amount"}),
            json!([{"count": 2, "avg_amount": 5.25}]),
        ),
        (
            json!({"groupBy": "address.zip"}),
            json!([{"address.zip": null, "count": 2}, {"address.zip": 1, "count": 2}, {"address.zip": 2, "count": 1}]),
        ),
        (
            json!({"groupBy": "city", "having": {"count": {"$gt": 1}}, "sort": "-city"}),
            json!([{"city": "A", "count": 2}, {"city": null, "count": 2}]),
        ),
        (
            json!({"sum": "address.zip", "having": {"sum_address.zip": {"$gt": 3}}}),
            json!([{"count": 5, "sum_address.zip": 4}]),
        ),
        (
            json!({"groupBy": "city", "sort": "-count"}),
            json!([{"city": null, "count": 2}, {"city": "A", "count": 2}, {"city": "B", "count": 1}]),
        ),
        (
            json!({"groupBy": null, "limit": 0, "unknown": 1}),
            json!([{"count": 5}]),
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(
            run(&spec),
            json!({"rows": expected, "truncated": false}),
            "{spec}"
        );
    }
}

#[test]
fn more_groups_than_the_limit_are_cut_off() {
    let expected = json!({"rows": [{"city": null, "count": 2}], "truncated": true});
    assert_eq!(run(&json!({"groupBy": "city", "limit": 1})), expected);
    assert_eq!(
        run(&json!({"groupBy": "city", "limit": 9_999}))["truncated"],
        false
    );
}

#[test]
fn dates_fall_into_buckets() {
    let cases = [
        (
            "created_date",
            "day",
            json!([
                "2025-12-31",
                "2026-01-01",
                "2026-01-04",
                "2026-01-05",
                "2026-02-01"
            ]),
        ),
        (
            "created_date",
            "week",
            json!(["2025-12-29", "2026-01-05", "2026-01-26"]),
        ),
        (
            "created_date",
            "month",
            json!(["2025-12", "2026-01", "2026-02"]),
        ),
        ("created_date", "year", json!(["2025", "2026"])),
        (
            "due",
            "day",
            json!([null, "2025-12-31", "2026-01-31", "2026-02-01"]),
        ),
        (
            "due",
            "month",
            json!([null, "2025-12", "2026-01", "2026-02"]),
        ),
    ];
    for (field, unit, expected) in cases {
        let rows = run(&json!({"dateBucket": {"field": field, "unit": unit}}));
        let buckets: Vec<_> = rows["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[field].clone())
            .collect();
        assert_eq!(Value::from(buckets), expected, "{field} by {unit}");
    }
}

#[test]
fn hidden_fields_are_missing_to_an_aggregation() {
    let hidden = [FieldPath::parse("amount"), FieldPath::parse("city")];
    let mask = Mask::new(&hidden);
    let orders = orders();
    let aggregate = Aggregate::parse(&json!({"groupBy": "city", "sum": "amount"})).unwrap();
    let rows = aggregate
        .run(orders.iter().map(|order| View::masked(order, &mask)))
        .unwrap();
    assert_eq!(
        json!(rows.rows),
        json!([{"city": null, "count": 5, "sum_amount": 0}])
    );
}

#[test]
fn malformed_aggregations_are_refused() {
    let cases = [
        (json!([]), "must be an object"),
        (
            json!({"groupBy": ["a", "b", "c", "d", "e"]}),
            "at most 4 fields",
        ),
        (json!({"groupBy": 1}), "groupBy needs"),
        (json!({"groupBy": "$a"}), "without $"),
        (json!({"sum": [1]}), "sum needs"),
        (json!({"count": 1}), "count needs"),
        (json!({"dateBucket": {"unit": "day"}}), "as its \"field\""),
        (
            json!({"dateBucket": {"field": "due", "unit": "hour"}}),
            "as its \"unit\"",
        ),
        (
            json!({"dateBucket": {"field": "due", "unit": "week"}}),
            "created_date and updated_date only",
        ),
        (
            json!({"groupBy": "due", "dateBucket": {"field": "due", "unit": "day"}}),
            "called \"due\"",
        ),
        (json!({"groupBy": "count"}), "called \"count\""),
        (json!({"sort": "-city"}), "cannot sort rows by \"city\""),
        (json!({"sort": 1}), "sort needs"),
        (json!({"limit": "x"}), "limit needs"),
        (json!({"query": {"$where": 1}}), "unknown operator: $where"),
        (
            json!({"having": {"count": {"$foo": 1}}}),
            "unknown operator: $foo",
        ),
    ];
    for (spec, expected) in cases {
        let message = Aggregate::parse(&spec)
            .expect_err(&spec.to_string())
            .to_string();
        assert!(message.contains(expected), "{spec}: {message}");
    }
}
