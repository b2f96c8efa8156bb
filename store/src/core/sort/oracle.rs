//! A slow second reading of sort orders: every record's keys written out, and all records sorted by them.

use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::Sort;
use crate::core::{filter::oracle::find, testing::any_record, view::View};

/// Where a type stands in MongoDB's order; an empty array comes before everything.
fn rank(key: &Value) -> usize {
    let is_empty_array = *key == json!([]);
    let ranks = [
        is_empty_array,
        key.is_null(),
        key.is_number(),
        key.is_string(),
        key.is_object(),
        key.is_array(),
        key.is_boolean(),
    ];
    ranks.iter().position(|is| *is).unwrap()
}

pub(crate) fn order(left: &Value, right: &Value) -> Ordering {
    let by_rank = type_rank(left).cmp(&type_rank(right));
    by_rank.then_with(|| match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().unwrap().total_cmp(&right.as_f64().unwrap())
        }
        (Value::String(left), Value::String(right)) => left.chars().cmp(right.chars()),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            let pairs = left
                .iter()
                .zip(right)
                .map(|(left, right)| order(left, right));
            first(pairs).then(left.len().cmp(&right.len()))
        }
        (Value::Object(left), Value::Object(right)) => order_objects(left, right),
        _ => Ordering::Equal,
    })
}

/// As [`rank`], for values inside others, where an empty array is one of the arrays.
fn type_rank(value: &Value) -> usize {
    match value.as_array() {
        Some(_) => rank(&json!([1])),
        None => rank(value),
    }
}

/// By the members in the order of their keys: type, key and value of each.
fn order_objects(left: &Map<String, Value>, right: &Map<String, Value>) -> Ordering {
    let sorted = |object: &Map<String, Value>| {
        let mut members: Vec<_> = object.clone().into_iter().collect();
        members.sort_by(|left, right| left.0.cmp(&right.0));
        members
    };
    let (left, right) = (sorted(left), sorted(right));
    let pairs = left.iter().zip(&right).map(|(left, right)| {
        let by_type = type_rank(&left.1).cmp(&type_rank(&right.1));
        by_type
            .then(left.0.cmp(&right.0))
            .then_with(|| order(&left.1, &right.1))
    });
    first(pairs).then(left.len().cmp(&right.len()))
}

fn first(mut orderings: impl Iterator<Item = Ordering>) -> Ordering {
    orderings
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A key, and whether it is the empty array that sorts below null.
type Key = (bool, Value);

fn order_keys(left: &Key, right: &Key) -> Ordering {
    right.0.cmp(&left.0).then_with(|| match left.0 {
        true => Ordering::Equal,
        false => order(&left.1, &right.1),
    })
}

/// The least of what the path finds when ascending, the greatest when descending.
fn key(record: &Map<String, Value>, path: &str, falls: bool) -> Key {
    let segments: Vec<_> = path.split('.').collect();
    let mut keys: Vec<Key> = Vec::new();
    for found in find(&Value::Object(record.clone()), &segments) {
        match found {
            None => keys.push((false, Value::Null)),
            Some((Value::Array(items), true)) if items.is_empty() => keys.push((true, json!([]))),
            Some((Value::Array(items), true)) => {
                keys.extend(items.into_iter().map(|item| (false, item)));
            }
            Some((value, _)) => keys.push((false, value)),
        }
    }
    keys.sort_by(order_keys);
    let best = if falls {
        keys.pop()
    } else {
        keys.into_iter().next()
    };
    best.unwrap_or((false, Value::Null))
}

/// The places of all records in the order that `text` names.
pub(crate) fn sorted(text: &str, records: &[Map<String, Value>]) -> Vec<u64> {
    let fields: Vec<_> = text
        .split(',')
        .map(|name| match name.strip_prefix('-') {
            Some(path) => (path, true),
            None => (name, false),
        })
        .collect();
    let turn = |falls: bool, ordering: Ordering| if falls { ordering.reverse() } else { ordering };
    let mut rows: Vec<_> = (0_u64..)
        .zip(records)
        .map(|(place, record)| {
            let keys = fields.iter().map(|(path, falls)| key(record, path, *falls));
            (place, keys.collect::<Vec<_>>())
        })
        .collect();
    rows.sort_by(|left, right| {
        let keys = left.1.iter().zip(&right.1).zip(&fields);
        let by_keys = keys.map(|((left, right), (_, falls))| turn(*falls, order_keys(left, right)));
        first(by_keys).then_with(|| turn(fields[0].1, left.0.cmp(&right.0)))
    });
    rows.into_iter().map(|(place, _)| place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn prop_records_sort_as_the_manual_says(
        sort in "-?[abc](\\.[abc01])?(,-?[abc])?",
        records in prop::collection::vec(any_record(), 0..12),
    ) {
        let rows = (0_u64..).zip(&records).map(|(place, record)| (View::from(record), place, place));
        let selected = Sort::parse(&sort).unwrap().select(rows, 0, usize::MAX);
        prop_assert_eq!(selected, sorted(&sort, &records));
    }
}
