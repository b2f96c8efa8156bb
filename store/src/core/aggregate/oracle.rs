//! A slow second reading of aggregations: groups found by comparing everything with everything.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::Aggregate;
use crate::core::{sort::oracle::order, testing::any_record, value::equals};

/// The value of a path in an expression: through an array, the array of what its objects hold there.
fn get(value: &Value, path: &[&str]) -> Option<Value> {
    let Some((name, below)) = path.split_first() else {
        return Some(value.clone());
    };
    match value {
        Value::Object(object) => get(object.get(*name)?, below),
        Value::Array(items) => Some(items.iter().filter_map(|item| get(item, path)).collect()),
        _ => None,
    }
}

fn values(records: &[Value], path: &str) -> Vec<Value> {
    let path: Vec<_> = path.split('.').collect();
    let values = records.iter().filter_map(|record| get(record, &path));
    values.filter(|value| !value.is_null()).collect()
}

fn total(measure: &str, mut values: Vec<Value>) -> Value {
    let sum = |values: &[Value]| values.iter().filter_map(Value::as_f64).sum::<f64>();
    values.sort_by(order);
    match measure {
        "sum" => json!(sum(&values)),
        "avg" => match values.iter().filter(|value| value.is_number()).count() {
            0 => Value::Null,
            count => json!(sum(&values) / f64::from(u32::try_from(count).unwrap())),
        },
        "min" => values.first().cloned().unwrap_or_default(),
        "max" => values.last().cloned().unwrap_or_default(),
        "countDistinct" => {
            values.dedup_by(|left, right| equals(left, right));
            json!(values.len())
        }
        other => panic!("no oracle for {other}"),
    }
}

fn rows(
    records: &[Map<String, Value>],
    group_by: &[&str],
    measures: &[(&str, &str, &str)],
) -> Vec<Value> {
    let key = |record: &Value| {
        let names = group_by
            .iter()
            .map(|name| get(record, &name.split('.').collect::<Vec<_>>()).unwrap_or_default());
        names.collect::<Vec<Value>>()
    };
    let mut groups: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    if group_by.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    for record in records.iter().cloned().map(Value::Object) {
        let key = key(&record);
        let same = |other: &Vec<Value>| {
            key.iter()
                .zip(other)
                .all(|(left, right)| equals(left, right))
        };
        match groups.iter_mut().find(|(other, _)| same(other)) {
            Some((_, members)) => members.push(record),
            None => groups.push((key, vec![record])),
        }
    }
    groups.sort_by(|left, right| order(&json!(left.0), &json!(right.0)));
    let row = |(key, members): (Vec<Value>, Vec<Value>)| {
        let mut row: Map<_, _> = group_by
            .iter()
            .map(|name| (*name).to_owned())
            .zip(key)
            .collect();
        row.insert("count".to_owned(), json!(members.len()));
        for (measure, prefix, path) in measures {
            let value = total(measure, values(&members, path));
            row.insert(format!("{prefix}_{path}"), value);
        }
        Value::Object(row)
    };
    groups.into_iter().map(row).collect()
}

const MEASURES: [(&str, &str); 5] = [
    ("sum", "sum"),
    ("avg", "avg"),
    ("min", "min"),
    ("max", "max"),
    ("countDistinct", "count_distinct"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn prop_groups_and_totals_are_what_the_manual_says(
        records in prop::collection::vec(any_record(), 0..12),
        group_by in prop::sample::subsequence(vec!["a", "b", "a.b"], 0..3),
        path in "[abc](\\.[abc])?",
    ) {
        let measures = MEASURES.map(|(measure, prefix)| (measure, prefix, &*path));
        let mut spec = json!({"groupBy": group_by});
        for (measure, _) in MEASURES {
            spec[measure] = json!(path);
        }
        let ours = Aggregate::parse(&spec).unwrap().run(&records).unwrap().rows;
        let expected = rows(&records, &group_by, &measures);
        prop_assert!(equals(&json!(ours), &json!(expected)), "{spec}\n{}\n{}", json!(ours), json!(expected));
    }
}
