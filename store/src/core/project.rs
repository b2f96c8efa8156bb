//! Projections: which fields of a record an answer shows. The id is always among them, because a record without it
//! cannot be addressed again.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::path::FieldPath;
use super::view::View;

/// The fields to show, or all of them.
#[derive(Debug, Clone, Default)]
pub struct Projection {
    shown: Option<Vec<FieldPath>>,
}

impl Projection {
    /// Reads names and dotted paths joined by commas; no name at all shows everything.
    pub fn parse(fields: &str) -> Self {
        let names = fields
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let mut shown: Vec<_> = names.map(FieldPath::parse).collect();
        if shown.is_empty() {
            return Self::default();
        }
        shown.push(FieldPath::literal("id"));
        Self { shown: Some(shown) }
    }

    /// Whether every field is shown.
    pub fn is_everything(&self) -> bool {
        self.shown.is_none()
    }

    /// The shown part of a record, in the record's own order.
    pub fn apply(&self, record: View<'_>) -> Map<String, Value> {
        self.fields(record)
            .map(|(name, value)| (name.clone(), value.into_owned()))
            .collect()
    }

    /// The shown part of a record, to be serialized without copying it.
    pub fn show<'a>(&'a self, record: View<'a>) -> Projected<'a> {
        Projected {
            projection: self,
            record,
        }
    }

    fn fields<'a>(&self, record: View<'a>) -> impl Iterator<Item = (&'a String, Cow<'a, Value>)> {
        record
            .fields()
            .filter_map(|(name, value)| Some((name, self.project(name, value)?)))
    }

    fn project<'a>(&self, name: &str, value: Cow<'a, Value>) -> Option<Cow<'a, Value>> {
        let Some(shown) = &self.shown else {
            return Some(value);
        };
        if shown.iter().any(|path| path.single() == Some(name)) {
            return Some(value);
        }
        let dotted = shown.iter().filter(|path| path.first() == name);
        let below: Vec<_> = dotted.map(|path| &path.segments()[1..]).collect();
        if below.is_empty() {
            None
        } else {
            part(&value, &below).map(Cow::Owned)
        }
    }
}

/// The parts of a value that the paths name. Below a dotted path a scalar has no parts, and inside arrays only objects
/// are kept, as in MongoDB's projections.
fn part(value: &Value, paths: &[&[Box<str>]]) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let members = object.iter().filter_map(|(name, member)| {
                let below: Vec<_> = paths
                    .iter()
                    .filter(|path| *path[0] == **name)
                    .map(|path| &path[1..])
                    .collect();
                let shown = match below.iter().any(|path| path.is_empty()) {
                    true => member.clone(),
                    false if below.is_empty() => return None,
                    false => part(member, &below)?,
                };
                Some((name.clone(), shown))
            });
            Some(Value::Object(members.collect()))
        }
        Value::Array(items) => Some(items.iter().filter_map(|item| part(item, paths)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A record as a projection shows it.
#[derive(Debug, Clone, Copy)]
pub struct Projected<'a> {
    projection: &'a Projection,
    record: View<'a>,
}

impl Serialize for Projected<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.projection.is_everything() {
            return self.record.serialize(serializer);
        }
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in self.projection.fields(self.record) {
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
    fn projections_show_named_fields_and_the_id() {
        let record = object(
            json!({"id": "1", "a": {"b": 1, "c": {"d": 2, "e": 3}}, "list": [{"n": 1, "m": 2}, 5, [{"n": 3}]], "s": "x"}),
        );
        let cases = [
            ("", Value::Object(record.clone())),
            (" , ", Value::Object(record.clone())),
            ("s", json!({"id": "1", "s": "x"})),
            ("_id", json!({"id": "1"})),
            ("s, missing,id", json!({"id": "1", "s": "x"})),
            (
                "a.c.d,a.b",
                json!({"id": "1", "a": {"b": 1, "c": {"d": 2}}}),
            ),
            (
                "a,a.b",
                json!({"id": "1", "a": {"b": 1, "c": {"d": 2, "e": 3}}}),
            ),
            ("list.n", json!({"id": "1", "list": [{"n": 1}, [{"n": 3}]]})),
            ("s.deep", json!({"id": "1"})),
            ("a.none", json!({"id": "1", "a": {}})),
        ];
        for (fields, expected) in cases {
            let projection = Projection::parse(fields);
            let view = View::from(&record);
            assert_eq!(Value::Object(projection.apply(view)), expected, "{fields}");
            assert_eq!(
                serde_json::to_value(projection.show(view)).unwrap(),
                expected,
                "{fields}, serialized"
            );
        }
    }
}
