//! Projections: which fields of a record an answer shows. The id is always among them, because a record without it
//! cannot be addressed again.

use bytes::Bytes;
use serde_json::Value;

use super::body::{Body, write};
use super::path::FieldPath;
use super::view::Mask;

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

    /// The shown part of a record as JSON, in the record's own order and without what the mask hides.
    pub fn json(&self, record: &Body, mask: &Mask<'_>) -> Bytes {
        let mut json = Vec::with_capacity(record.json().len());
        for member in record.members() {
            let name = member.name();
            let share = self.share(&name);
            if mask.hides(&name) || matches!(share, Share::Nothing) {
                continue;
            }
            let begin = json.len();
            json.push(if begin == 0 { b'{' } else { b',' });
            match (share, mask.touches(&name)) {
                (Share::All, false) => json.extend_from_slice(member.text.as_bytes()),
                (share, _) => {
                    let mut value = member.value();
                    mask.reduce(&name, &mut value);
                    match share.of(value) {
                        Some(value) => {
                            write(&mut json, &name);
                            json.push(b':');
                            write(&mut json, &value);
                        }
                        None => json.truncate(begin),
                    }
                }
            }
        }
        if json.is_empty() {
            json.push(b'{');
        }
        json.push(b'}');
        json.into()
    }

    fn share(&self, name: &str) -> Share<'_> {
        let Some(shown) = &self.shown else {
            return Share::All;
        };
        if shown.iter().any(|path| path.single() == Some(name)) {
            return Share::All;
        }
        let dotted = shown.iter().filter(|path| path.first() == name);
        let below: Vec<_> = dotted.map(|path| &path.segments()[1..]).collect();
        match below.is_empty() {
            true => Share::Nothing,
            false => Share::Parts(below),
        }
    }
}

/// How much of a field is shown.
enum Share<'a> {
    All,
    Parts(Vec<&'a [Box<str>]>),
    Nothing,
}

impl Share<'_> {
    fn of(&self, value: Value) -> Option<Value> {
        match self {
            Self::All => Some(value),
            Self::Parts(paths) => part(&value, paths),
            Self::Nothing => None,
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
        let body = Body::from(&record);
        let shown = |fields: &str, mask: &Mask<'_>| {
            let json = Projection::parse(fields).json(&body, mask);
            serde_json::from_slice::<Value>(&json).unwrap()
        };
        for (fields, expected) in cases {
            assert_eq!(shown(fields, &Mask::NONE), expected, "{fields}");
        }
        let hidden = ["id", "list", "a.c.d"].map(FieldPath::parse);
        let mask = Mask::new(&hidden);
        assert_eq!(shown("a.c,list", &mask), json!({"a": {"c": {"e": 3}}}));
        assert_eq!(shown("list", &mask), json!({}));
        let rest = json!({"a": {"b": 1, "c": {"e": 3}}, "s": "x"});
        assert_eq!(shown("", &mask), rest);
    }
}
