//! Dotted field paths, parsed once and walked with MongoDB's array semantics: on meeting an array a path applies to each
//! of its objects, and a numeric segment may also index the array.

use std::convert::Infallible;
use std::fmt::{self, Display};

use serde_json::Value;

use super::value::{Lent, ValueRef};
use super::view::View;

/// A field name, or several joined by dots.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldPath {
    segments: Vec<Box<str>>,
}

/// What a walk comes upon at the end of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'v> {
    /// `None` where an object, or the record, does not have the field.
    pub(crate) value: Option<ValueRef<'v>>,
    /// Whether an array here also stands for each of its elements; not so where the path indexed an array to get here.
    pub(crate) unfolds: bool,
}

impl<'v> Found<'v> {
    /// A value that stands for itself alone.
    pub(crate) fn exactly(value: &'v Value) -> Self {
        Self {
            value: Some(value.into()),
            unfolds: false,
        }
    }

    /// Whether the value, or one of its elements where it unfolds, passes the test; a missing value does not.
    pub(crate) fn any(self, mut test: impl FnMut(ValueRef<'v>) -> bool) -> bool {
        match self.value {
            None => false,
            Some(value) => {
                test(value) || self.elements().iter().any(|element| test(element.into()))
            }
        }
    }

    /// The elements that the value also stands for.
    pub(crate) fn elements(self) -> &'v [Value] {
        match self.value {
            Some(value) if self.unfolds => value.as_array().unwrap_or_default(),
            Some(_) | None => &[],
        }
    }
}

impl FieldPath {
    /// Reads a path into a record; a leading `_id` is the record's `id`.
    pub fn parse(text: &str) -> Self {
        let mut path = Self::nested(text);
        if &*path.segments[0] == "_id" {
            path.segments[0] = "id".into();
        }
        path
    }

    /// Reads a path into an element of an array, whose own `_id` means nothing special.
    pub(crate) fn nested(text: &str) -> Self {
        Self {
            segments: text.split('.').map(Box::from).collect(),
        }
    }

    /// A single name, dots included.
    pub(crate) fn literal(name: &str) -> Self {
        Self {
            segments: vec![name.into()],
        }
    }

    /// The top-level field that the path starts at.
    pub fn first(&self) -> &str {
        &self.segments[0]
    }

    /// The field's name when the path is no more than that.
    pub fn single(&self) -> Option<&str> {
        match &*self.segments {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether this path is the other one or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.segments.starts_with(&other.segments)
    }

    /// The names between the dots; never empty.
    pub fn segments(&self) -> &[Box<str>] {
        &self.segments
    }

    /// Whether the database stores the field as an instant.
    pub(crate) fn is_stored_date(&self) -> bool {
        matches!(self.single(), Some("created_date" | "updated_date"))
    }

    /// The one value of the field in a record. Through an array it is the array of what its objects hold there, as in
    /// the expressions of MongoDB's aggregations.
    pub fn resolve<'a>(&self, view: View<'a>) -> Option<Lent<'a>> {
        let value = view.get(self.first())?;
        match (&self.segments[1..], value) {
            ([], value) => Some(value),
            (_, Lent::Ref(ValueRef::Text(_))) => None,
            (rest, Lent::Ref(ValueRef::Value(value))) => resolve_below(value, rest),
            (rest, Lent::Owned(value)) => {
                resolve_below(&value, rest).map(|value| Lent::Owned(value.into_value()))
            }
        }
    }

    /// Visits each value of the field, an array's elements in place of the array; a missing field has none.
    pub fn each_value(&self, view: View<'_>, mut visit: impl FnMut(ValueRef<'_>)) {
        let Some(value) = view.get(self.first()) else {
            return;
        };
        let Ok(_) = walk(value.get(), &self.segments[1..], &mut |found: Found<'_>| {
            match found.value {
                Some(ValueRef::Value(Value::Array(items))) if found.unfolds => {
                    items.iter().for_each(|item| visit(item.into()));
                }
                Some(value) => visit(value),
                None => {}
            }
            Ok::<_, Infallible>(false)
        });
    }
}

impl Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            let separator = if index == 0 { "" } else { "." };
            write!(formatter, "{separator}{segment}")?;
        }
        Ok(())
    }
}

fn resolve_below<'v>(value: &'v Value, rest: &[Box<str>]) -> Option<Lent<'v>> {
    let Some((name, below)) = rest.split_first() else {
        return Some(value.into());
    };
    match value {
        Value::Object(object) => resolve_below(object.get(&**name)?, below),
        Value::Array(items) => {
            let found = items
                .iter()
                .filter_map(|item| resolve_below(item, rest))
                .map(Lent::into_value);
            Some(Lent::Owned(Value::Array(found.collect())))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Shows the test everything that the rest of a path finds below a value, until the test says yes.
pub(crate) fn walk<'v, E>(
    value: ValueRef<'v>,
    rest: &[Box<str>],
    test: &mut impl FnMut(Found<'v>) -> Result<bool, E>,
) -> Result<bool, E> {
    let Some((name, below)) = rest.split_first() else {
        return test(Found {
            value: Some(value),
            unfolds: true,
        });
    };
    let missing = Found {
        value: None,
        unfolds: false,
    };
    let ValueRef::Value(value) = value else {
        return test(missing);
    };
    match value {
        Value::Object(object) => match object.get(&**name) {
            Some(member) => walk(member.into(), below, test),
            None => test(missing),
        },
        Value::Array(items) => walk_array(items, rest, test),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => test(missing),
    }
}

/// Scalars among the elements have no fields to be missing, so they are passed over, as MongoDB does.
fn walk_array<'v, E>(
    items: &'v [Value],
    rest: &[Box<str>],
    test: &mut impl FnMut(Found<'v>) -> Result<bool, E>,
) -> Result<bool, E> {
    let indexed = array_index(&rest[0]).and_then(|index| items.get(index));
    for item in items {
        let Value::Object(object) = item else {
            continue;
        };
        // A number that does index the array is not at the same time a field that its objects lack.
        let is_only_an_index = indexed.is_some() && !object.contains_key(&*rest[0]);
        if !is_only_an_index && walk(item.into(), rest, test)? {
            return Ok(true);
        }
    }
    match (indexed, &rest[1..]) {
        (None, _) => Ok(false),
        (Some(item), []) => test(Found::exactly(item)),
        (Some(item), below) => walk(item.into(), below, test),
    }
}

/// The index that a segment denotes: decimal digits without a leading zero.
pub(crate) fn array_index(segment: &str) -> Option<usize> {
    let is_plain = segment.bytes().all(|byte| byte.is_ascii_digit())
        && (segment == "0" || !segment.starts_with('0'));
    if is_plain { segment.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::testing::object;

    #[test]
    fn each_value_walks_objects_and_arrays() {
        let cases = [
            ("a", json!({"a": 1}), json!([1])),
            ("a", json!({"a": [1, [2]]}), json!([1, [2]])),
            ("a", json!({"a": null}), json!([null])),
            ("a", json!({}), json!([])),
            ("_id", json!({"id": "x"}), json!(["x"])),
            ("a.b", json!({"a": {"b": 1}}), json!([1])),
            ("a.b", json!({"a": 5}), json!([])),
            (
                "a.b",
                json!({"a": [{"b": 1}, 3, {"b": [2, 4]}, {"c": 1}, [{"b": 9}]]}),
                json!([1, 2, 4]),
            ),
            ("a.1", json!({"a": [5, [2, 4]]}), json!([[2, 4]])),
            ("a.1", json!({"a": [5, {"1": 4}, 3]}), json!([4, {"1": 4}])),
            ("a.0.b", json!({"a": [[{"b": 4}], {"b": 1}]}), json!([4])),
            ("a.01", json!({"a": [5, 6]}), json!([])),
        ];
        for (path, record, expected) in cases {
            let mut values = Vec::new();
            let record = object(record);
            FieldPath::parse(path)
                .each_value(View::from(&record), |value| values.push(value.to_value()));
            assert_eq!(Value::from(values), expected, "{path} of {record:?}");
        }
    }

    #[test]
    fn resolve_gathers_what_an_array_holds() {
        let record = object(json!({"a": {"b": 1}, "items": [{"n": 1}, {}, {"n": 2}, 4]}));
        let resolve = |path: &str| {
            FieldPath::parse(path)
                .resolve(View::from(&record))
                .map(Lent::into_value)
        };
        assert_eq!(resolve("a.b"), Some(json!(1)));
        assert_eq!(resolve("items.n"), Some(json!([1, 2])));
        assert_eq!(resolve("a.b.c"), None);
        assert_eq!(resolve("x"), None);
    }

    #[test]
    fn paths_nest_by_segment() {
        let path = |text| FieldPath::parse(text);
        assert!(path("a.b").is_within(&path("a")));
        assert!(path("a").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")));
        assert_eq!(path("a.b.0").to_string(), "a.b.0");
        assert_eq!(path("a.b").single(), None);
    }
}
