//! A slow second reading of the update operators: each rebuilds the record along its target.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::parse;
use crate::core::{
    sort::oracle::order,
    testing::{any_record, scalar},
    value::equals,
};

/// What becomes of a target: refused, gone or never there, or a value.
type Outcome = Result<Option<Value>, ()>;

/// The value with what stands at the path replaced by what `change` makes of it.
fn edit(
    value: &Value,
    path: &[&str],
    change: &dyn Fn(Option<&Value>) -> Outcome,
) -> Result<Value, ()> {
    let (name, below) = path.split_first().unwrap();
    let next = |current: Option<&Value>| match (below.is_empty(), current) {
        (true, current) => change(current),
        (false, Some(current)) => edit(current, below, change).map(Some),
        (false, None) if change(None)?.is_none() => Ok(None),
        (false, None) => edit(&json!({}), below, change).map(Some),
    };
    match value {
        Value::Object(object) => {
            let mut object = object.clone();
            match next(object.get(*name))? {
                Some(value) => drop(object.insert((*name).to_owned(), value)),
                None => drop(object.shift_remove(*name)),
            }
            Ok(Value::Object(object))
        }
        Value::Array(items) => {
            let Ok(index) = name.parse::<usize>() else {
                return if change(None)?.is_none() {
                    Ok(value.clone())
                } else {
                    Err(())
                };
            };
            let mut items = items.clone();
            let made = next(items.get(index))?;
            if made.is_some() && index >= items.len() {
                items.resize(index + 1, Value::Null);
            }
            if index < items.len() {
                items[index] = made.unwrap_or(Value::Null);
            }
            Ok(Value::Array(items))
        }
        _ if change(None)?.is_none() => Ok(value.clone()),
        _ => Err(()),
    }
}

fn calculate(current: Option<&Value>, operand: &Value, sum: bool) -> Outcome {
    let current = current.cloned().unwrap_or_else(|| json!(0));
    match (
        current.as_i64(),
        operand.as_i64(),
        current.as_f64(),
        operand.as_f64(),
    ) {
        (Some(left), Some(right), ..) => {
            Ok(Some(json!(if sum { left + right } else { left * right })))
        }
        (.., Some(left), Some(right)) => {
            Ok(Some(json!(if sum { left + right } else { left * right })))
        }
        _ => Err(()),
    }
}

fn list(current: Option<&Value>) -> Result<Vec<Value>, ()> {
    match current {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(_) => Err(()),
    }
}

fn push(current: Option<&Value>, operand: &Value) -> Outcome {
    let mut items = list(current)?;
    let Some(more) = operand["$each"].as_array() else {
        items.push(operand.clone());
        return Ok(Some(items.into()));
    };
    let tail = match operand["$position"].as_u64() {
        Some(at) => items.split_off(items.len().min(usize::try_from(at).unwrap())),
        None => Vec::new(),
    };
    items.extend(more.iter().cloned());
    items.extend(tail);
    match operand["$sort"].as_i64() {
        Some(1) => items.sort_by(order),
        Some(_) => items.sort_by(|left, right| order(right, left)),
        None => {}
    }
    if let Some(slice) = operand["$slice"].as_i64() {
        let keep = usize::try_from(slice.unsigned_abs())
            .unwrap()
            .min(items.len());
        let from = if slice < 0 { items.len() - keep } else { 0 };
        items = items[from..from + keep].to_vec();
    }
    Ok(Some(items.into()))
}

fn change(operator: &str, operand: &Value, current: Option<&Value>) -> Outcome {
    match operator {
        "$set" => Ok(Some(operand.clone())),
        "$unset" => Ok(None),
        "$inc" => calculate(current, operand, true),
        "$mul" => calculate(current, operand, false),
        "$min" | "$max" => {
            let keeps = |current: &&Value| match operator {
                "$min" => order(current, operand).is_le(),
                _ => order(current, operand).is_ge(),
            };
            Ok(Some(current.filter(keeps).unwrap_or(operand).clone()))
        }
        "$push" => push(current, operand),
        "$addToSet" => {
            let mut items = list(current)?;
            if !items.iter().any(|item| equals(item, operand)) {
                items.push(operand.clone());
            }
            Ok(Some(items.into()))
        }
        "$pull" => match current {
            None => Ok(None),
            current => {
                let mut items = list(current)?;
                items.retain(|item| !equals(item, operand));
                Ok(Some(items.into()))
            }
        },
        other => panic!("no oracle for {other}"),
    }
}

fn modifiers() -> impl Strategy<Value = Value> {
    let optional = |values: std::ops::Range<i64>| prop::option::of(values);
    let each = prop::collection::vec(scalar(), 0..3);
    let sort = prop::option::of(prop::sample::select(vec![1, -1]));
    (each, optional(0..4), sort, optional(-3..3)).prop_map(|(each, position, sort, slice)| {
        let mut push = json!({"$each": each});
        let given = [("$position", position), ("$sort", sort), ("$slice", slice)];
        for (name, value) in given {
            if let Some(value) = value {
                push[name] = json!(value);
            }
        }
        push
    })
}

fn any_change() -> impl Strategy<Value = (&'static str, Value)> {
    let numbers = prop::sample::select(vec![json!(1), json!(-2), json!(0.5)]);
    prop_oneof![
        (
            prop::sample::select(vec!["$set", "$min", "$max", "$push", "$addToSet", "$pull"]),
            scalar()
        ),
        (Just("$unset"), Just(json!(""))),
        (prop::sample::select(vec!["$inc", "$mul"]), numbers),
        (Just("$push"), modifiers()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn prop_operators_do_what_the_manual_says(
        record in any_record(),
        target in "[abc](\\.[abc012]){0,2}",
        (operator, operand) in any_change(),
    ) {
        let path: Vec<_> = target.split('.').collect();
        let expected = edit(&Value::Object(record.clone()), &path, &|current| change(operator, &operand, current));
        let mut changed: Map<_, _> = record;
        let outcome = parse(&json!({operator: {&target: operand}})).unwrap().apply(&mut changed);
        match expected {
            Ok(expected) => {
                prop_assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
                prop_assert_eq!(Value::Object(changed), expected);
            }
            Err(()) => prop_assert!(outcome.is_err()),
        }
    }
}
