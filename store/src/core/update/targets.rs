//! Where an update writes: the walk to a target, creating what is missing on the way.

use serde_json::map::Entry;
use serde_json::{Map, Value};

use crate::core::error::QueryError;
use crate::core::path::{FieldPath, array_index};

/// A numeric segment beyond an array's end fills the gap with nulls; this bounds how many.
const MAX_GAP: usize = 1_000;

/// The place of a target's value, there or not yet.
pub(super) enum Slot<'r> {
    /// A member of an object.
    Member(Entry<'r>),
    /// An element of an array that is long enough.
    Element(&'r mut Value),
    /// Past the end of an array.
    Beyond(&'r mut Vec<Value>, usize),
}

impl<'r> Slot<'r> {
    /// The value that is there.
    pub(super) fn current(&self) -> Option<&Value> {
        match self {
            Self::Member(Entry::Occupied(entry)) => Some(entry.get()),
            Self::Member(Entry::Vacant(_)) | Self::Beyond(..) => None,
            Self::Element(value) => Some(value),
        }
    }

    /// Puts a value there.
    pub(super) fn set(self, value: Value) {
        match self {
            Self::Member(Entry::Occupied(mut entry)) => {
                entry.insert(value);
            }
            Self::Member(Entry::Vacant(entry)) => {
                entry.insert(value);
            }
            Self::Element(element) => *element = value,
            Self::Beyond(items, index) => *extend(items, index) = value,
        }
    }

    /// The value that is there, or else the given one put there.
    pub(super) fn get_or_insert_with(self, value: impl FnOnce() -> Value) -> &'r mut Value {
        match self {
            Self::Member(entry) => entry.or_insert_with(value),
            Self::Element(element) => element,
            Self::Beyond(items, index) => {
                let element = extend(items, index);
                *element = value();
                element
            }
        }
    }
}

fn extend(items: &mut Vec<Value>, index: usize) -> &mut Value {
    items.resize(index + 1, Value::Null);
    &mut items[index]
}

/// Finds the place of the target, creating objects as its parents.
pub(super) fn slot<'r>(
    record: &'r mut Map<String, Value>,
    target: &FieldPath,
) -> Result<Slot<'r>, QueryError> {
    let (name, below) = target
        .segments()
        .split_first()
        .expect("a path has at least one segment");
    let mut slot = Slot::Member(record.entry(&**name));
    for segment in below {
        let parent = slot.get_or_insert_with(|| Value::Object(Map::new()));
        slot = child(parent, segment, target)?;
    }
    Ok(slot)
}

fn child<'r>(
    parent: &'r mut Value,
    segment: &str,
    target: &FieldPath,
) -> Result<Slot<'r>, QueryError> {
    match parent {
        Value::Object(object) => Ok(Slot::Member(object.entry(segment))),
        Value::Array(items) => match array_index(segment) {
            Some(index) if index < items.len() => Ok(Slot::Element(&mut items[index])),
            Some(index) if index - items.len() <= MAX_GAP => Ok(Slot::Beyond(items, index)),
            Some(index) => Err(QueryError::LimitHit(format!(
                "cannot write \"{target}\": index {index} is more than {MAX_GAP} past the end of the array"
            ))),
            None => Err(QueryError::invalid(format!(
                "cannot write \"{target}\": \"{segment}\" is not an index of the array there"
            ))),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(QueryError::invalid(format!(
                "cannot write \"{target}\": \"{segment}\" would be a field of a value that is not an object"
            )))
        }
    }
}

/// The target's value.
pub(super) fn get<'r>(record: &'r Map<String, Value>, target: &FieldPath) -> Option<&'r Value> {
    let (name, below) = target.segments().split_first()?;
    below
        .iter()
        .try_fold(record.get(&**name)?, |value, segment| match value {
            Value::Object(object) => object.get(&**segment),
            Value::Array(items) => items.get(array_index(segment)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
}

/// The target's value, to be changed in place.
pub(super) fn get_mut<'r>(
    record: &'r mut Map<String, Value>,
    target: &FieldPath,
) -> Option<&'r mut Value> {
    let (name, below) = target.segments().split_first()?;
    descend(record.get_mut(&**name)?, below)
}

fn descend<'r>(value: &'r mut Value, below: &[Box<str>]) -> Option<&'r mut Value> {
    below.iter().try_fold(value, |value, segment| match value {
        Value::Object(object) => object.get_mut(&**segment),
        Value::Array(items) => items.get_mut(array_index(segment)?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// Removes the target; an element of an array becomes null instead, so that the others keep their places.
pub(super) fn unset(record: &mut Map<String, Value>, target: &FieldPath) {
    let (last, parents) = target
        .segments()
        .split_last()
        .expect("a path has at least one segment");
    let Some((name, below)) = parents.split_first() else {
        record.shift_remove(&**last);
        return;
    };
    match record
        .get_mut(&**name)
        .and_then(|value| descend(value, below))
    {
        Some(Value::Object(object)) => {
            object.shift_remove(&**last);
        }
        Some(Value::Array(items)) => {
            if let Some(element) = array_index(last).and_then(|index| items.get_mut(index)) {
                *element = Value::Null;
            }
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {}
    }
}

/// Takes the target out of the object that holds it.
pub(super) fn take(record: &mut Map<String, Value>, target: &FieldPath) -> Option<Value> {
    let (last, parents) = target.segments().split_last()?;
    let mut object = record;
    for name in parents {
        object = object.get_mut(&**name)?.as_object_mut()?;
    }
    object.shift_remove(&**last)
}

/// Whether one of the values on the way to the target is an array.
pub(super) fn leads_through_array(record: &Map<String, Value>, target: &FieldPath) -> bool {
    let (name, below) = target
        .segments()
        .split_first()
        .expect("a path has at least one segment");
    let mut current = record.get(&**name);
    for segment in below {
        match current {
            Some(Value::Array(_)) => return true,
            Some(Value::Object(object)) => current = object.get(&**segment),
            _ => return false,
        }
    }
    false
}
