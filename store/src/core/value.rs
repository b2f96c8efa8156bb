//! The total order of JSON values and the equality that goes with it: MongoDB's comparison order restricted to JSON,
//! except that the order of an object's keys does not matter, because JSON clients do not control it.

mod lent;

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

pub use self::lent::{Lent, ValueRef};

/// The classes that values of different types sort in, lowest first; a missing field counts as null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TypeOrder {
    /// `null`, and no value at all.
    Null,
    /// Integers and doubles alike.
    Number,
    /// Text.
    String,
    /// Objects.
    Object,
    /// Arrays.
    Array,
    /// `false` and `true`.
    Boolean,
}

/// The class in which a value sorts; `None` stands for a missing field.
pub fn type_order(value: Option<&Value>) -> TypeOrder {
    match value {
        None | Some(Value::Null) => TypeOrder::Null,
        Some(Value::Number(_)) => TypeOrder::Number,
        Some(Value::String(_)) => TypeOrder::String,
        Some(Value::Object(_)) => TypeOrder::Object,
        Some(Value::Array(_)) => TypeOrder::Array,
        Some(Value::Bool(_)) => TypeOrder::Boolean,
    }
}

/// The total order of values; `Equal` exactly when [`equals`] holds.
///
/// Numbers compare by value without loss of precision, strings by code point, arrays and objects member by member.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => compare_arrays(left, right),
        (Value::Object(left), Value::Object(right)) => compare_objects(left, right),
        _ => type_order(Some(left)).cmp(&type_order(Some(right))),
    }
}

/// [`compare`] where a missing value counts as null.
pub fn compare_options(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    compare(left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null))
}

/// Whether two values are the same: `1` is `1.0`, and the order of an object's keys does not matter.
pub fn equals(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| equals(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equals(value, other)))
        }
        _ => false,
    }
}

/// Levels to which MongoDB lets a document, and a query, nest.
pub const MAX_DEPTH: usize = 100;

/// How many arrays and objects are nested in each other at most.
pub fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(object) => object.values().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
    };
    1 + inner.unwrap_or(0)
}

fn compare_arrays(left: &[Value], right: &[Value]) -> Ordering {
    let shared = left
        .iter()
        .zip(right)
        .map(|(left, right)| compare(left, right));
    first_difference(shared).then_with(|| left.len().cmp(&right.len()))
}

fn compare_objects(left: &Map<String, Value>, right: &Map<String, Value>) -> Ordering {
    let (left_members, right_members) = (sorted_members(left), sorted_members(right));
    let shared =
        left_members
            .iter()
            .zip(&right_members)
            .map(|((left_key, left), (right_key, right))| {
                type_order(Some(left))
                    .cmp(&type_order(Some(right)))
                    .then_with(|| left_key.cmp(right_key))
                    .then_with(|| compare(left, right))
            });
    first_difference(shared).then_with(|| left.len().cmp(&right.len()))
}

fn first_difference(mut orderings: impl Iterator<Item = Ordering>) -> Ordering {
    orderings
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn sorted_members(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    members
}

/// Compares numbers by value, however each is held.
pub fn compare_numbers(left: &Number, right: &Number) -> Ordering {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(left), None) => compare_mixed(left, double(right)),
        (None, Some(right)) => compare_mixed(right, double(left)).reverse(),
        (None, None) => double(left)
            .partial_cmp(&double(right))
            .unwrap_or(Ordering::Equal),
    }
}

/// The number as an integer when it is held as one.
pub(crate) fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

/// The number as a double, rounded when it is a large integer.
pub(crate) fn double(number: &Number) -> f64 {
    number.as_f64().unwrap_or(0.0)
}

/// Rounding to a double keeps the order, so only a tie after rounding needs the exact look.
fn compare_mixed(integer: i128, double: f64) -> Ordering {
    let rounded = integer as f64;
    match rounded.partial_cmp(&double) {
        Some(Ordering::Equal) | None => integer.cmp(&whole(double)),
        Some(unequal) => unequal,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only called for doubles within the range of 64-bit integers"
)]
fn whole(double: f64) -> i128 {
    double as i128
}

/// Appends a text form of the value such that two values have the same bytes exactly when they are equal.
///
/// Meant as the key of hash tables; the bytes are not meant to be read back.
pub fn write_key(value: &Value, key: &mut Vec<u8>) {
    match value {
        Value::Null => key.push(b'n'),
        Value::Bool(false) => key.push(b'f'),
        Value::Bool(true) => key.push(b't'),
        Value::Number(number) => write_number_key(number, key),
        Value::String(text) => write_text_key(b's', text, key),
        Value::Array(items) => {
            key.push(b'[');
            items.iter().for_each(|item| write_key(item, key));
            key.push(b']');
        }
        Value::Object(object) => {
            key.push(b'{');
            for (name, member) in sorted_members(object) {
                write_text_key(b'k', name, key);
                write_key(member, key);
            }
            key.push(b'}');
        }
    }
}

/// The length goes first, so that no text can imitate what follows it.
fn write_text_key(tag: u8, text: &str, key: &mut Vec<u8>) {
    key.push(tag);
    key.extend_from_slice(&text.len().to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

fn write_number_key(number: &Number, key: &mut Vec<u8>) {
    const EXACT: std::ops::Range<f64> = -9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0;
    let double = double(number);
    let whole_double = || (double.fract() == 0.0 && EXACT.contains(&double)).then(|| whole(double));
    if let Some(integer) = integer(number).or_else(whole_double) {
        key.push(b'i');
        key.extend_from_slice(&integer.to_le_bytes());
    } else {
        key.push(b'd');
        key.extend_from_slice(&double.to_le_bytes());
    }
}

#[cfg(test)]
mod tests;
