//! Rules beyond types: allowed values, formats, patterns, lengths and ranges. Developers choose whether breaking one is
//! an error or a line in the terminal; the platform itself is not known to enforce them.

use std::collections::HashSet;

use parking_lot::Mutex;
use serde_json::Value;

use super::{
    field::{Field, Limits},
    format,
};
use crate::core::{fault::Fault, value::equals};

/// What a broken limit leads to.
#[derive(Debug, Default)]
pub struct Strictness {
    refuse: bool,
    warned: Mutex<HashSet<String>>,
}

impl Strictness {
    /// Refuses when `refuse`; else warns once for each rule of each field.
    #[must_use]
    pub fn new(refuse: bool) -> Self {
        Self {
            refuse,
            warned: Mutex::default(),
        }
    }

    fn broken(&self, entity: &str, path: &str, problem: String) -> Result<(), Fault> {
        if self.refuse {
            return Err(Fault::InvalidField {
                field: path.to_owned(),
                problem,
            });
        }
        let field = without_places(path);
        if self
            .warned
            .lock()
            .insert(format!("{entity} {field} {problem}"))
        {
            tracing::warn!(entity, field, "value breaks its schema: {problem}");
        }
        Ok(())
    }
}

/// `tags[3]` and `tags[7]` are one field for a warning.
fn without_places(path: &str) -> String {
    let outside = path.split('[').map(|part| match part.split_once(']') {
        Some((_, rest)) => rest,
        None => part,
    });
    outside.collect()
}

/// Holds a value of the right type, and everything in it, against the field's limits.
///
/// # Errors
///
/// The first broken limit, when limits are enforced.
pub(super) fn check(
    entity: &str,
    field: &Field,
    value: &Value,
    path: &str,
    strictness: &Strictness,
) -> Result<(), Fault> {
    if let Some(problem) = problem(&field.limits, value) {
        strictness.broken(entity, path, problem)?;
    }
    match value {
        Value::Array(elements) => {
            let Some(items) = &field.items else {
                return Ok(());
            };
            for (place, element) in elements.iter().enumerate() {
                check(
                    entity,
                    items,
                    element,
                    &format!("{path}[{place}]"),
                    strictness,
                )?;
            }
        }
        Value::Object(object) => {
            for (name, member) in &field.properties {
                if let Some(value) = object.get(name) {
                    check(entity, member, value, &format!("{path}.{name}"), strictness)?;
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

fn problem(limits: &Limits, value: &Value) -> Option<String> {
    let is_listed = || limits.values.iter().any(|listed| equals(listed, value));
    if !limits.values.is_empty() && !value.is_null() && !is_listed() {
        return Some(format!("Input should be {}", alternatives(&limits.values)));
    }
    match value {
        Value::String(text) => text_problem(limits, text),
        Value::Number(number) => number_problem(limits, number.as_f64()?),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `'a', 'b' or 'c'`.
fn alternatives(values: &[Value]) -> String {
    let shown = |value: &Value| match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let mut shown: Vec<_> = values.iter().map(shown).collect();
    let last = shown.pop().unwrap_or_default();
    match shown.is_empty() {
        true => last,
        false => format!("{} or {last}", shown.join(", ")),
    }
}

fn text_problem(limits: &Limits, text: &str) -> Option<String> {
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if let Some(least) = limits.min_length.filter(|least| length < *least) {
        return Some(format!("String should have at least {}", characters(least)));
    }
    if let Some(most) = limits.max_length.filter(|most| length > *most) {
        return Some(format!("String should have at most {}", characters(most)));
    }
    if let Some(pattern) = &limits.pattern
        && !pattern.regex.is_match(text).unwrap_or(false)
    {
        return Some(format!("String should match pattern '{}'", pattern.source));
    }
    // An empty text in a form's optional date field is a value that was not given.
    let format = limits.format.as_deref().filter(|_| !text.is_empty())?;
    (!format::admits(format, text)).then(|| format!("Input should be a valid {format}"))
}

fn characters(count: u64) -> String {
    match count {
        1 => "1 character".to_owned(),
        _ => format!("{count} characters"),
    }
}

fn number_problem(limits: &Limits, number: f64) -> Option<String> {
    if let Some(least) = limits.minimum.filter(|least| number < *least) {
        return Some(format!("Input should be greater than or equal to {least}"));
    }
    let most = limits.maximum.filter(|most| number > *most)?;
    Some(format!("Input should be less than or equal to {most}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Strictness;
    use crate::core::schema::Schema;

    fn verdict(record: &Value, refuse: bool) -> String {
        let document = json!({"properties": {
            "status": {"type": "string", "enum": ["open", "done", "late"]},
            "name": {"type": "string", "minLength": 2, "maxLength": 4},
            "code": {"type": "string", "pattern": "^[a-z]+$"},
            "due": {"type": "string", "format": "date"},
            "stars": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["x"]}},
            "level": {"type": "number", "enum": [1, 2]},
        }});
        let document = serde_json::to_vec(&document).unwrap().into();
        let (schema, _) = Schema::compile("Task", "", document).unwrap();
        let fields = record.as_object().unwrap();
        let checked = schema.check_values(fields, &Strictness::new(refuse));
        checked
            .err()
            .map_or_else(String::new, |fault| fault.to_string())
    }

    #[test]
    fn limits_are_enforced_only_on_request() {
        let cases = [
            (
                json!({"status": "x"}),
                "status: Input should be 'open', 'done' or 'late'",
            ),
            (
                json!({"name": "x"}),
                "name: String should have at least 2 characters",
            ),
            (
                json!({"name": "xxxxx"}),
                "name: String should have at most 4 characters",
            ),
            (
                json!({"code": "X"}),
                "code: String should match pattern '^[a-z]+$'",
            ),
            (json!({"due": "soon"}), "due: Input should be a valid date"),
            (
                json!({"stars": 0}),
                "stars: Input should be greater than or equal to 1",
            ),
            (
                json!({"stars": 6}),
                "stars: Input should be less than or equal to 5",
            ),
            (json!({"tags": ["x", "y"]}), "tags[1]: Input should be 'x'"),
            (json!({"level": 1.5}), "level: Input should be 1 or 2"),
        ];
        for (record, problem) in cases {
            assert_eq!(verdict(&record, true), format!("Error in field {problem}"));
            assert_eq!(verdict(&record, false), "");
        }
        for fine in [json!({"status": null, "due": ""}), json!({"level": 1.0})] {
            assert_eq!(verdict(&fine, true), "");
        }
    }
}
