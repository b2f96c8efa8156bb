//! The part of a schema that decides whether stored records still fit: fields, their types, formats, defaults and limits,
//! and what is required. Rules, titles, descriptions and the order of keys are not part of it, so that changing them
//! keeps the data.

use serde_json::{Map, Value};

/// Keys of a property definition that belong to the shape as they stand.
const PLAIN: [&str; 10] = [
    "$ref",
    "type",
    "default",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
];

/// The shape of a schema document or of a property definition. Two schemas have the same shape when these are equal
/// without regard to the order of keys.
#[must_use]
pub(super) fn of(definition: &Value) -> Value {
    let Value::Object(definition) = definition else {
        return definition.clone();
    };
    let mut shape: Map<String, Value> = PLAIN
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), definition.get(*key)?.clone())))
        .collect();
    if let Some(items) = definition.get("items") {
        shape.insert("items".to_owned(), of(items));
    }
    if let Some(Value::Object(properties)) = definition.get("properties") {
        let properties = properties
            .iter()
            .map(|(name, property)| (name.clone(), of(property)));
        shape.insert("properties".to_owned(), Value::Object(properties.collect()));
    }
    if let Some(required) = required(definition.get("required")) {
        shape.insert("required".to_owned(), required);
    }
    Value::Object(shape)
}

/// A set in any order; requiring nothing is the same as not saying so.
fn required(names: Option<&Value>) -> Option<Value> {
    let mut names: Vec<_> = names?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| names.into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::of;
    use crate::core::value;

    fn same(left: &Value, right: &Value) -> bool {
        value::equals(&of(left), &of(right))
    }

    #[test]
    fn rules_words_and_order_are_not_shape() {
        let plain = json!({"name": "Task", "required": ["a", "b"], "properties": {
            "a": {"type": "string"}, "b": {"type": "object", "properties": {"c": {"type": "number"}}}}});
        let dressed = json!({"title": "T", "rls": {"read": false}, "properties": {
            "b": {"properties": {"c": {"type": "number", "rls": {"read": false}}}, "type": "object"},
            "a": {"description": "text", "enumNames": ["x"], "type": "string"}}, "required": ["b", "a"]});
        assert!(same(&plain, &dressed));
    }

    #[test]
    fn everything_that_values_depend_on_is_shape() {
        let base = json!({"properties": {"a": {"type": "string"}}});
        let others = [
            json!({"properties": {"a": {"type": "number"}}}),
            json!({"properties": {"a": {"type": "string", "default": ""}}}),
            json!({"properties": {"a": {"type": "string", "format": "date"}}}),
            json!({"properties": {"a": {"type": "string", "maxLength": 3}}}),
            json!({"properties": {"a": {"type": "string"}}, "required": ["a"]}),
            json!({"properties": {"a": {"type": "string"}, "rls": {"type": "string"}}}),
            json!({}),
        ];
        for other in others {
            assert!(!same(&base, &other), "{other}");
        }
    }
}
