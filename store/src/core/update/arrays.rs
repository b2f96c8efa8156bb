//! The operators on arrays: `$push` and `$addToSet` append, `$pull` removes.

use serde_json::{Map, Value};

use crate::core::error::QueryError;
use crate::core::filter::{Filter, Predicate};
use crate::core::path::FieldPath;
use crate::core::sort::{Direction, Sort};
use crate::core::value::{compare, equals};
use crate::core::view::View;

/// Elements to append, and what happens to the array then.
#[derive(Debug, Clone)]
pub(super) enum Addition {
    /// `$addToSet`: only what no element equals.
    Distinct(Vec<Value>),
    /// `$push`.
    All {
        values: Vec<Value>,
        position: Option<i64>,
        order: Option<Order>,
        slice: Option<i64>,
    },
}

/// How `$push` sorts the array.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// By the elements themselves.
    Elements(Direction),
    /// By fields of the elements.
    Fields(Sort),
}

impl Addition {
    pub(super) fn apply(&self, current: &mut Value, target: &FieldPath) -> Result<(), QueryError> {
        let items = as_array(current, target, self.operator())?;
        match self {
            Self::Distinct(values) => add_distinct(items, values),
            Self::All {
                values,
                position,
                order,
                slice,
            } => {
                let at = position.map_or(items.len(), |position| {
                    from_either_end(position, items.len())
                });
                items.splice(at..at, values.iter().cloned());
                if let Some(order) = order {
                    order.sort(items);
                }
                if let Some(slice) = slice {
                    keep_slice(items, *slice);
                }
            }
        }
        Ok(())
    }

    fn operator(&self) -> &'static str {
        match self {
            Self::Distinct(_) => "$addToSet",
            Self::All { .. } => "$push",
        }
    }
}

fn as_array<'v>(
    value: &'v mut Value,
    target: &FieldPath,
    operator: &str,
) -> Result<&'v mut Vec<Value>, QueryError> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(QueryError::invalid(format!(
            "{operator} needs an array at \"{target}\""
        ))),
    }
}

fn add_distinct(items: &mut Vec<Value>, values: &[Value]) {
    for value in values {
        if !items.iter().any(|item| equals(item, value)) {
            items.push(value.clone());
        }
    }
}

/// An index counted from the start, or from the end when negative, within the array.
fn from_either_end(position: i64, length: usize) -> usize {
    let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    if position < 0 {
        length.saturating_sub(distance)
    } else {
        distance.min(length)
    }
}

/// The first elements, or the last ones when negative.
fn keep_slice(items: &mut Vec<Value>, slice: i64) {
    let boundary = from_either_end(slice, items.len());
    if slice < 0 {
        items.drain(..boundary);
    } else {
        items.truncate(boundary);
    }
}

impl Order {
    fn sort(&self, items: &mut [Value]) {
        fn view<'v>(item: &'v Value, empty: &'v Map<String, Value>) -> View<'v> {
            View::from(item.as_object().unwrap_or(empty))
        }
        let none = Map::new();
        match self {
            Self::Elements(Direction::Ascending) => items.sort_by(compare),
            Self::Elements(Direction::Descending) => {
                items.sort_by(|left, right| compare(right, left));
            }
            Self::Fields(sort) => items.sort_by(|left, right| {
                sort.compare((view(left, &none), 0), (view(right, &none), 0))
            }),
        }
    }
}

/// Which elements `$pull` removes.
#[derive(Debug, Clone)]
pub(super) enum Removal {
    /// Those that equal a value.
    Equal(Value),
    /// Those that satisfy operators.
    Satisfying(Predicate),
    /// Those objects that match a query.
    Matching(Box<Filter>),
}

impl Removal {
    pub(super) fn apply(&self, current: &mut Value, target: &FieldPath) -> Result<(), QueryError> {
        let items = as_array(current, target, "$pull")?;
        let mut failure = None;
        items.retain(|item| match self.removes(item) {
            Ok(removes) => !removes,
            Err(error) => {
                failure = Some(error);
                true
            }
        });
        failure.map_or(Ok(()), Err)
    }

    fn removes(&self, item: &Value) -> Result<bool, QueryError> {
        match (self, item) {
            (Self::Equal(value), item) => Ok(equals(item, value)),
            (Self::Satisfying(predicate), item) => predicate.matches_value(item),
            (Self::Matching(filter), Value::Object(object)) => filter.matches(object),
            (Self::Matching(_), _) => Ok(false),
        }
    }
}
