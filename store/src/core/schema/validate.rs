//! Required fields and types. The texts are those that the platform's own validation prints.

use serde_json::Value;

use super::{
    Field, Schema, Type,
    limits::{self, Strictness},
};
use crate::core::{
    fault::Fault,
    record::{Fields, is_built_in},
};

impl Schema {
    /// Checks a new record: required fields first, then all values.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check_new(&self, fields: &Fields, strictness: &Strictness) -> Result<(), Fault> {
        for name in self.required.iter().filter(|name| !is_built_in(name)) {
            if self.takes(name) && fields.get(name).is_none_or(Value::is_null) {
                return Err(invalid(name, "Field required"));
            }
        }
        self.check_values(fields, strictness)
    }

    /// Checks the values of those fields that are given; none has to be.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check_values(&self, fields: &Fields, strictness: &Strictness) -> Result<(), Fault> {
        for (name, field) in self.declared() {
            let Some(value) = fields.get(name).filter(|_| !is_built_in(name)) else {
                continue;
            };
            if value.is_null() && !self.required.contains(name) {
                continue;
            }
            check(field, value, name)?;
            limits::check(self.name(), field, value, name, strictness)?;
        }
        Ok(())
    }

    /// Checks only the fields whose values differ from those of the stored record: what was stored before the schema
    /// got stricter does not stand in the way of another field's change.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check_changed(
        &self,
        before: &Fields,
        after: &Fields,
        strictness: &Strictness,
    ) -> Result<(), Fault> {
        for name in &self.required {
            if before.contains_key(name) && !after.contains_key(name) && self.takes(name) {
                return Err(invalid(name, "Field required"));
            }
        }
        let differs = |name: &String, value: &Value| before.get(name) != Some(value);
        let changed = after.iter().filter(|(name, value)| differs(name, value));
        let changed = changed.map(|(name, value)| (name.clone(), value.clone()));
        self.check_values(&changed.collect(), strictness)
    }
}

fn invalid(field: &str, problem: impl Into<String>) -> Fault {
    Fault::InvalidField {
        field: field.to_owned(),
        problem: problem.into(),
    }
}

fn check(field: &Field, value: &Value, path: &str) -> Result<(), Fault> {
    if let Some(unknown) = unknown_type(&field.types) {
        return Err(invalid(path, format!("Unsupported field type {unknown}")));
    }
    if !field.types.is_empty() && !field.types.iter().any(|kind| kind.admits(value)) {
        return Err(invalid(path, expected(&field.types)));
    }
    match value {
        Value::Array(elements) => check_elements(field, elements, path),
        Value::Object(object) => check_members(field, object, path),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// A single type that means nothing; in a union the others still count.
fn unknown_type(types: &[Type]) -> Option<&str> {
    match types {
        [Type::Unknown(name)] => Some(name),
        _ => None,
    }
}

fn check_elements(field: &Field, elements: &[Value], path: &str) -> Result<(), Fault> {
    let Some(items) = &field.items else {
        return Ok(());
    };
    for (place, element) in elements.iter().enumerate() {
        check(items, element, &format!("{path}[{place}]"))?;
    }
    Ok(())
}

/// Nested fields are optional, so null clears them, as it does at the top.
fn check_members(field: &Field, object: &Fields, path: &str) -> Result<(), Fault> {
    for (name, member) in &field.properties {
        if let Some(value) = object.get(name).filter(|value| !value.is_null()) {
            check(member, value, &format!("{path}.{name}"))?;
        }
    }
    Ok(())
}

fn expected(types: &[Type]) -> String {
    if let [Type::Null] = types {
        return "Input should be null".to_owned();
    }
    let names: Vec<_> = types.iter().map(Type::name).collect();
    format!("Input should be a valid {}", names.join(" or "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::core::schema::{Schema, Strictness};

    fn schema() -> Schema {
        let document = json!({
            "properties": {
                "title": {"type": "string"},
                "count": {"type": "integer"},
                "price": {"type": "number"},
                "done": {"type": "boolean"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "address": {"type": "object", "properties": {"city": {"type": "string"}}},
                "note": {"type": ["string", "null"]},
                "never": {"type": "null"},
                "file": {"type": "binary"},
                "odd": {"type": "money"},
                "any": {},
            },
            "required": ["title"],
        });
        let document = serde_json::to_vec(&document).unwrap().into();
        Schema::compile("Task", "task.jsonc", document).unwrap().0
    }

    fn verdict(record: &Value, new: bool) -> String {
        let (schema, strictness) = (schema(), Strictness::new(false));
        let fields = record.as_object().unwrap();
        let checked = match new {
            true => schema.check_new(fields, &strictness),
            false => schema.check_values(fields, &strictness),
        };
        checked
            .err()
            .map_or_else(String::new, |fault| fault.to_string())
    }

    #[test]
    fn types_are_checked_in_the_platforms_words() {
        let cases = [
            (json!({"title": 5}), "title: Input should be a valid string"),
            (
                json!({"title": null}),
                "title: Input should be a valid string",
            ),
            (
                json!({"count": 1.5}),
                "count: Input should be a valid integer",
            ),
            (
                json!({"count": "5"}),
                "count: Input should be a valid integer",
            ),
            (
                json!({"price": "5"}),
                "price: Input should be a valid number",
            ),
            (json!({"done": 1}), "done: Input should be a valid boolean"),
            (json!({"tags": "x"}), "tags: Input should be a valid array"),
            (
                json!({"tags": ["x", 1]}),
                "tags[1]: Input should be a valid string",
            ),
            (
                json!({"address": []}),
                "address: Input should be a valid object",
            ),
            (
                json!({"address": {"city": 1}}),
                "address.city: Input should be a valid string",
            ),
            (
                json!({"note": 1}),
                "note: Input should be a valid string or null",
            ),
            (json!({"never": 1}), "never: Input should be null"),
            (json!({"odd": 1}), "odd: Unsupported field type money"),
        ];
        for (record, problem) in cases {
            assert_eq!(verdict(&record, false), format!("Error in field {problem}"));
        }
    }

    #[test]
    fn what_fits_passes() {
        for record in [
            json!({"count": 3.0, "price": null, "tags": [], "file": "x", "any": {"deep": [1]}}),
            json!({"address": {"city": null, "street": 7}, "unknown": 1}),
        ] {
            assert_eq!(verdict(&record, false), "");
        }
    }

    #[test]
    fn required_fields_must_be_there_at_creation() {
        for record in [json!({}), json!({"title": null, "count": "x"})] {
            assert_eq!(
                verdict(&record, true),
                "Error in field title: Field required"
            );
        }
        assert_eq!(verdict(&json!({"title": ""}), true), "");
    }
}
