//! How the query language sees a record: its fields, less those the caller may not read. A hidden field behaves as
//! missing in filters, sort orders, distinct values and aggregations, so that none of them discloses it.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::path::FieldPath;

/// The fields of a record that its reader may not see.
#[derive(Debug, Clone, Default)]
pub struct Mask<'a> {
    hidden: Vec<&'a FieldPath>,
}

impl<'a> Mask<'a> {
    /// Hides nothing.
    pub const NONE: Mask<'static> = Mask { hidden: Vec::new() };

    /// Hides the given fields; a dotted path hides that part of its top-level field, inside arrays too.
    pub fn new(hidden: impl IntoIterator<Item = &'a FieldPath>) -> Self {
        Self {
            hidden: hidden.into_iter().collect(),
        }
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.hidden.is_empty()
    }

    /// Whether the top-level field is hidden as a whole.
    pub fn hides(&self, name: &str) -> bool {
        self.hidden.iter().any(|path| path.single() == Some(name))
    }

    /// Removes what is hidden from a record.
    pub fn strip(&self, record: &mut Map<String, Value>) {
        for path in &self.hidden {
            remove(record, path.segments());
        }
    }

    fn hides_part_of(&self, name: &str) -> bool {
        self.hidden
            .iter()
            .any(|path| path.first() == name && path.single().is_none())
    }

    /// The field's value without its hidden parts.
    fn reduced(&self, name: &str, value: &Value) -> Value {
        let mut value = value.clone();
        for path in self.hidden.iter().filter(|path| path.first() == name) {
            remove_below(&mut value, &path.segments()[1..]);
        }
        value
    }
}

fn remove(object: &mut Map<String, Value>, segments: &[Box<str>]) {
    match segments {
        [] => {}
        [last] => {
            object.shift_remove(&**last);
        }
        [first, rest @ ..] => {
            if let Some(value) = object.get_mut(&**first) {
                remove_below(value, rest);
            }
        }
    }
}

fn remove_below(value: &mut Value, segments: &[Box<str>]) {
    match value {
        Value::Object(object) => remove(object, segments),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| remove_below(item, segments)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A record as one reader sees it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    record: &'a Map<String, Value>,
    mask: &'a Mask<'a>,
}

impl<'a> View<'a> {
    /// The record without what the mask hides.
    pub fn masked(record: &'a Map<String, Value>, mask: &'a Mask<'a>) -> Self {
        Self { record, mask }
    }

    /// The whole record, hidden fields included.
    pub fn record(self) -> &'a Map<String, Value> {
        self.record
    }

    /// The value of a top-level field; owned only when a part of it is hidden.
    pub fn get(self, name: &str) -> Option<Cow<'a, Value>> {
        let value = self.record.get(name)?;
        if self.mask.is_empty() {
            return Some(Cow::Borrowed(value));
        }
        self.show(name, value)
    }

    /// The visible fields in the record's own order.
    pub fn fields(self) -> impl Iterator<Item = (&'a String, Cow<'a, Value>)> {
        self.record
            .iter()
            .filter_map(move |(name, value)| Some((name, self.show(name, value)?)))
    }

    fn show(self, name: &str, value: &'a Value) -> Option<Cow<'a, Value>> {
        if self.mask.hides(name) {
            None
        } else if self.mask.hides_part_of(name) {
            Some(Cow::Owned(self.mask.reduced(name, value)))
        } else {
            Some(Cow::Borrowed(value))
        }
    }
}

impl<'a> From<&'a Map<String, Value>> for View<'a> {
    fn from(record: &'a Map<String, Value>) -> Self {
        Self {
            record,
            mask: const { &Mask::NONE },
        }
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.mask.is_empty() {
            return self.record.serialize(serializer);
        }
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in self.fields() {
            object.serialize_entry(name, &value)?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::testing::object;

    #[test]
    fn hidden_fields_and_parts_are_missing() {
        let record = object(
            json!({"id": "1", "salary": 9, "profile": {"tier": 1, "name": "x"}, "items": [{"cost": 1, "n": 2}, 3]}),
        );
        let hidden = ["salary", "profile.tier", "items.cost", "absent.deep"].map(FieldPath::parse);
        let mask = Mask::new(&hidden);
        let view = View::masked(&record, &mask);
        assert_eq!(view.get("salary"), None);
        assert_eq!(view.get("profile").as_deref(), Some(&json!({"name": "x"})));
        assert!(matches!(view.get("id"), Some(Cow::Borrowed(_))));

        let expected = json!({"id": "1", "profile": {"name": "x"}, "items": [{"n": 2}, 3]});
        assert_eq!(serde_json::to_value(view).unwrap(), expected);
        let mut stripped = record.clone();
        mask.strip(&mut stripped);
        assert_eq!(Value::Object(stripped), expected);
        assert_eq!(
            serde_json::to_value(View::from(&record)).unwrap(),
            Value::Object(record)
        );
    }
}
