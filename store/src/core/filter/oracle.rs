//! A slow second reading of the query language, straight from its manual, to hold the compiled one against.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::core::testing::{any_record, scalar};
use crate::core::value::{compare, equals, type_order};

/// Everything at the path: `None` for a place that lacks it. The flag tells that an array may unfold.
pub(crate) fn find(value: &Value, segments: &[&str]) -> Vec<Option<(Value, bool)>> {
    let Some((name, below)) = segments.split_first() else {
        return vec![Some((value.clone(), true))];
    };
    match value {
        Value::Object(object) => object
            .get(*name)
            .map_or(vec![None], |member| find(member, below)),
        Value::Array(items) => {
            let index = name
                .parse::<usize>()
                .ok()
                .filter(|index| *index < items.len());
            let objects = items
                .iter()
                .filter(|item| item.is_object() && (index.is_none() || item.get(name).is_some()));
            let mut found: Vec<_> = objects.flat_map(|item| find(item, segments)).collect();
            match index {
                Some(index) if below.is_empty() => found.push(Some((items[index].clone(), false))),
                Some(index) => found.extend(find(&items[index], below)),
                None => {}
            }
            found
        }
        _ => vec![None],
    }
}

fn unfolded(found: &[Option<(Value, bool)>]) -> Vec<Value> {
    let mut values = Vec::new();
    for (value, unfolds) in found.iter().flatten() {
        values.push(value.clone());
        if let (Value::Array(items), true) = (value, *unfolds) {
            values.extend(items.iter().cloned());
        }
    }
    values
}

fn condition_holds(found: &[Option<(Value, bool)>], condition: &Value) -> bool {
    match condition {
        Value::Array(_) => operator_holds(found, "$in", condition),
        Value::Object(operators) if operators.keys().any(|key| key.starts_with('$')) => operators
            .iter()
            .all(|(operator, operand)| operator_holds(found, operator, operand)),
        value => operator_holds(found, "$eq", value),
    }
}

fn operator_holds(found: &[Option<(Value, bool)>], operator: &str, operand: &Value) -> bool {
    let values = unfolded(found);
    let lacks = found.contains(&None);
    let arrays = || {
        found
            .iter()
            .flatten()
            .filter_map(|(value, _)| value.as_array())
    };
    let entries = || operand.as_array().unwrap().iter();
    let ordered = |test: fn(std::cmp::Ordering) -> bool| {
        let mut comparable = values.clone();
        comparable.extend(lacks.then_some(Value::Null));
        comparable.iter().any(|value| {
            type_order(Some(value)) == type_order(Some(operand)) && test(compare(value, operand))
        })
    };
    match operator {
        "$eq" => values.iter().any(|value| equals(value, operand)) || (lacks && operand.is_null()),
        "$ne" => !operator_holds(found, "$eq", operand),
        "$gt" => ordered(std::cmp::Ordering::is_gt),
        "$gte" => ordered(std::cmp::Ordering::is_ge),
        "$lt" => ordered(std::cmp::Ordering::is_lt),
        "$lte" => ordered(std::cmp::Ordering::is_le),
        "$in" => entries().any(|entry| operator_holds(found, "$eq", entry)),
        "$nin" => !operator_holds(found, "$in", operand),
        "$exists" => values.is_empty() != operand.as_bool().unwrap(),
        "$not" => !condition_holds(found, operand),
        "$all" => {
            entries().count() > 0 && entries().all(|entry| operator_holds(found, "$eq", entry))
        }
        "$size" => arrays().any(|items| json!(items.len()) == *operand),
        "$elemMatch" => {
            arrays()
                .flatten()
                .any(|item| match operand.as_object().unwrap().keys().next() {
                    Some(key) if key.starts_with('$') => {
                        condition_holds(&[Some((item.clone(), false))], operand)
                    }
                    _ => item.is_object() && query_holds(item, operand),
                })
        }
        other => panic!("no oracle for {other}"),
    }
}

fn query_holds(record: &Value, query: &Value) -> bool {
    query.as_object().unwrap().iter().all(|(name, condition)| {
        let queries = || condition.as_array().unwrap().iter();
        match name.as_str() {
            "$and" => queries().all(|inner| query_holds(record, inner)),
            "$or" => queries().any(|inner| query_holds(record, inner)),
            "$nor" => !queries().any(|inner| query_holds(record, inner)),
            path => condition_holds(
                &find(record, &path.split('.').collect::<Vec<_>>()),
                condition,
            ),
        }
    })
}

fn operand() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
        1 => ("[a-c]", scalar()).prop_map(|(key, value)| json!({key: value})),
    ]
}

fn list() -> impl Strategy<Value = Value> {
    prop::collection::vec(operand(), 0..3).prop_map(Value::from)
}

fn operators() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (
            prop::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]),
            operand()
        ),
        (prop::sample::select(vec!["$in", "$nin", "$all"]), list()),
        (Just("$exists"), any::<bool>().prop_map(Value::from)),
        (Just("$size"), (0..3).prop_map(Value::from)),
    ];
    let object = prop::collection::vec(leaf, 1..3).prop_map(|members| {
        Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    });
    object.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| json!({"$not": inner})),
            inner.clone().prop_map(|inner| json!({"$elemMatch": inner})),
            ("[a-c]", inner).prop_map(|(name, inner)| json!({"$elemMatch": {name: inner}})),
        ]
    })
}

fn any_query() -> impl Strategy<Value = Value> {
    let leaf = (
        "[abc](\\.[abc01]){0,2}",
        prop_oneof![2 => operators(), 1 => operand()],
    )
        .prop_map(|(path, condition)| json!({path: condition}));
    leaf.prop_recursive(2, 6, 3, |inner| {
        let combinator = prop::sample::select(vec!["$and", "$or", "$nor"]);
        (combinator, prop::collection::vec(inner, 1..3))
            .prop_map(|(name, queries)| json!({name: queries}))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prop_the_compiled_filter_agrees_with_the_manual(record in any_record(), query in any_query()) {
        let filter = Filter::parse(&query).unwrap();
        prop_assert_eq!(filter.matches(&record).unwrap(), query_holds(&Value::Object(record), &query));
    }
}
