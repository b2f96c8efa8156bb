//! The operands of the operators on arrays, with the modifiers that `$push` and `$addToSet` take.

use serde_json::{Map, Value};

use super::arrays::{Addition, Order, Removal};
use crate::core::error::QueryError;
use crate::core::filter::{Budget, Filter, Predicate};
use crate::core::path::FieldPath;
use crate::core::sort::{Direction, Sort};

type Result<T> = std::result::Result<T, QueryError>;

/// The keys of a `$push` or `$addToSet` that has any of its own.
struct Modifiers<'v> {
    keys: &'v Map<String, Value>,
    values: &'v [Value],
}

impl<'v> Modifiers<'v> {
    fn parse(operator: &str, operand: &'v Value, known: &[&str]) -> Result<Option<Self>> {
        let Value::Object(keys) = operand else {
            return Ok(None);
        };
        let Some(modifier) = keys.keys().find(|key| key.starts_with('$')) else {
            return Ok(None);
        };
        if let Some(stray) = keys.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(QueryError::invalid(format!(
                "{operator} does not know the modifier \"{stray}\""
            )));
        }
        match keys.get("$each") {
            Some(Value::Array(values)) => Ok(Some(Self { keys, values })),
            Some(_) => Err(QueryError::invalid("$each needs an array")),
            None => Err(QueryError::invalid(format!(
                "{modifier} needs $each beside it"
            ))),
        }
    }

    fn integer(&self, name: &str) -> Result<Option<i64>> {
        let invalid = || QueryError::invalid(format!("{name} needs an integer"));
        self.keys
            .get(name)
            .map(|value| value.as_i64().ok_or_else(invalid))
            .transpose()
    }
}

pub(super) fn parse_add_to_set(operand: &Value) -> Result<Addition> {
    let values = match Modifiers::parse("$addToSet", operand, &["$each"])? {
        Some(modifiers) => modifiers.values.to_vec(),
        None => vec![operand.clone()],
    };
    Ok(Addition::Distinct(values))
}

pub(super) fn parse_push(operand: &Value) -> Result<Addition> {
    let known = ["$each", "$position", "$slice", "$sort"];
    let Some(modifiers) = Modifiers::parse("$push", operand, &known)? else {
        return Ok(Addition::All {
            values: vec![operand.clone()],
            position: None,
            order: None,
            slice: None,
        });
    };
    Ok(Addition::All {
        values: modifiers.values.to_vec(),
        position: modifiers.integer("$position")?,
        order: modifiers.keys.get("$sort").map(parse_order).transpose()?,
        slice: modifiers.integer("$slice")?,
    })
}

fn parse_order(operand: &Value) -> Result<Order> {
    let invalid = || QueryError::invalid("$sort needs 1, -1, or an object of fields with 1 or -1");
    let direction = |value: &Value| match value.as_i64() {
        Some(1) => Ok(Direction::Ascending),
        Some(-1) => Ok(Direction::Descending),
        _ => Err(invalid()),
    };
    let Value::Object(fields) = operand else {
        return direction(operand).map(Order::Elements);
    };
    let fields = fields
        .iter()
        .map(|(name, value)| Ok((FieldPath::nested(name), direction(value)?)));
    let sort = Sort::by_paths(fields.collect::<Result<Vec<_>>>()?);
    sort.map(Order::Fields).ok_or_else(invalid)
}

pub(super) fn parse_pull(operand: &Value, budget: &Budget) -> Result<Removal> {
    match operand {
        Value::Object(object) if object.keys().any(|key| is_condition(key)) => {
            Ok(Removal::Satisfying(Predicate::parse(operand, budget)?))
        }
        Value::Object(_) => Ok(Removal::Matching(Box::new(Filter::parse_for_elements(
            operand, budget,
        )?))),
        value => Ok(Removal::Equal(value.clone())),
    }
}

/// An operator on the elements themselves, as against one that combines queries on them.
fn is_condition(key: &str) -> bool {
    key.starts_with('$') && !matches!(key, "$and" | "$or" | "$nor" | "$comment")
}
