//! How the query language sees a record: its fields, less those the caller may not read. A hidden field behaves as
//! missing in filters, sort orders, distinct values and aggregations, so that none of them discloses it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{body::Body, path::FieldPath, record::Record, value::Lent};

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

    /// Whether the top-level field is hidden as a whole or in part.
    pub fn touches(&self, name: &str) -> bool {
        self.hidden.iter().any(|path| path.first() == name)
    }

    /// Removes the hidden parts of the top-level field `name` from its value.
    pub fn reduce(&self, name: &str, value: &mut Value) {
        for path in self.hidden.iter().filter(|path| path.first() == name) {
            remove_below(value, &path.segments()[1..]);
        }
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
    source: Source<'a>,
    mask: &'a Mask<'a>,
}

/// Where the fields are: in the text of a record, or in an object that is none.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Body(&'a Body),
    Object(&'a Map<String, Value>),
}

impl<'a> View<'a> {
    /// The record without what the mask hides.
    pub fn masked(record: impl Into<Self>, mask: &'a Mask<'a>) -> Self {
        let source = record.into().source;
        Self { source, mask }
    }

    /// The value of a top-level field, without its hidden parts.
    pub fn get(self, name: &str) -> Option<Lent<'a>> {
        if self.mask.hides(name) {
            return None;
        }
        let value = match self.source {
            Source::Body(body) => body.get(name),
            Source::Object(object) => object.get(name).map(Lent::from),
        }?;
        if !self.mask.touches(name) {
            return Some(value);
        }
        let mut value = value.into_value();
        self.mask.reduce(name, &mut value);
        Some(Lent::Owned(value))
    }
}

impl<'a> From<&'a Map<String, Value>> for View<'a> {
    fn from(object: &'a Map<String, Value>) -> Self {
        Self {
            source: Source::Object(object),
            mask: const { &Mask::NONE },
        }
    }
}

impl<'a> From<&'a Body> for View<'a> {
    fn from(body: &'a Body) -> Self {
        Self {
            source: Source::Body(body),
            mask: const { &Mask::NONE },
        }
    }
}

impl<'a> From<&'a Arc<Record>> for View<'a> {
    fn from(record: &'a Arc<Record>) -> Self {
        Self::from(&***record)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::testing::object;

    #[test]
    fn hidden_fields_and_parts_are_missing() {
        let fields = object(
            json!({"id": "1", "salary": 9, "profile": {"tier": 1, "name": "x"}, "items": [{"cost": 1, "n": 2}, 3]}),
        );
        let body = Body::from(&fields);
        let hidden = ["salary", "profile.tier", "items.cost", "absent.deep"].map(FieldPath::parse);
        let mask = Mask::new(&hidden);
        for view in [View::from(&fields), View::from(&body)] {
            let masked = View::masked(view, &mask);
            let get = |view: View<'_>, name| view.get(name).map(Lent::into_value);
            assert_eq!(get(masked, "salary"), None);
            assert_eq!(get(masked, "profile"), Some(json!({"name": "x"})));
            assert_eq!(get(masked, "items"), Some(json!([{"n": 2}, 3])));
            assert_eq!(get(masked, "id"), Some(json!("1")));
            assert_eq!(get(view, "salary"), Some(json!(9)));
            assert_eq!(get(view, "absent"), None);
        }
    }
}
