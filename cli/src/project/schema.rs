//! The shape of an entity schema: its properties, their types and limits, and `required`. Keys that Base44 does not know are left alone.

use serde_json::Value;

use super::diagnose::Diagnostic;
use super::node::Node;
use super::rules::{USER_BUILT_IN, is_built_in};

const TYPES: [&str; 8] = [
    "string", "number", "integer", "boolean", "array", "object", "null", "binary",
];

/// Reports every mistake in the schema, its rules excepted. An error means that the entity cannot be used.
pub(super) fn check(schema: &Node<'_>, name: &str, out: &mut Vec<Diagnostic>) {
    if let Some(wrapper) = schema
        .get("schema")
        .filter(|wrapper| wrapper.value.is_object())
    {
        let problem = wrapper.key_error("the schema is wrapped in a key `schema`");
        out.push(problem.hint("move what is inside `schema` to the top of the file; Base44 refuses the wrapper as well"));
    }
    if let Some(kind) = schema.get("type").filter(|kind| kind.value != "object") {
        out.push(kind.unexpected("\"object\""));
    }
    properties(schema, out);
    if let Some(properties) = schema.get("properties") {
        for (_, property) in properties.entries() {
            warn_missing_type(&property, out);
        }
        if name == "User" {
            user_fields(&properties, out);
        }
    }
    required(schema, out);
    warn_undeclared(schema, name, out);
}

fn properties(holder: &Node<'_>, out: &mut Vec<Diagnostic>) {
    holder.typed(
        "properties",
        "an object of properties",
        Value::as_object,
        out,
    );
    if let Some(properties) = holder.get("properties") {
        for (_, property) in properties.entries() {
            self::property(&property, out);
        }
    }
}

fn property(property: &Node<'_>, out: &mut Vec<Diagnostic>) {
    if !property.value.is_object() {
        out.push(
            property.unexpected("a property definition, for example { \"type\": \"string\" }"),
        );
        return;
    }
    if let Some(kind) = property.get("type") {
        property_type(&kind, out);
    }
    property.typed("enum", "an array of allowed values", Value::as_array, out);
    for key in ["format", "pattern", "$ref"] {
        property.string(key, out);
    }
    for key in ["minLength", "maxLength"] {
        property.typed(key, "a whole number, 0 or more", Value::as_u64, out);
    }
    for key in ["minimum", "maximum"] {
        property.typed(key, "a number", Value::as_f64, out);
    }
    properties(property, out);
    if let Some(items) = property.get("items") {
        self::property(&items, out);
    }
    nested_required(property, out);
}

fn property_type(kind: &Node<'_>, out: &mut Vec<Diagnostic>) {
    match kind.value {
        Value::String(name) if TYPES.contains(&name.as_str()) => {}
        Value::String(_) => out.push(unknown_type(kind)),
        Value::Array(_) => {
            for member in kind.items() {
                match member.value {
                    Value::String(_) => property_type(&member, out),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Array(_)
                    | Value::Object(_) => {
                        out.push(member.unexpected("the name of a type, as a string"));
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            out.push(kind.unexpected("the name of a type, or an array of them"));
        }
    }
}

/// The official server takes such a schema too and refuses the values.
fn unknown_type(kind: &Node<'_>) -> Diagnostic {
    let message = format!(
        "{} names a type that does not exist; every value will be refused",
        kind.path()
    );
    kind.warning(message).expected(TYPES.join(", "))
}

fn warn_missing_type(property: &Node<'_>, out: &mut Vec<Diagnostic>) {
    if property.value.is_object()
        && property.get("type").is_none()
        && property.get("$ref").is_none()
    {
        let problem = property.key_warning(format!("{} has no `type`", property.path()));
        out.push(problem.expected(TYPES.join(", ")));
    }
}

fn user_fields(properties: &Node<'_>, out: &mut Vec<Diagnostic>) {
    for name in ["full_name", "email"] {
        if let Some(field) = properties.get(name) {
            let problem = field.key_error(format!(
                "`{name}` is built into User and cannot be defined again"
            ));
            out.push(problem.hint(format!(
                "remove `{name}` from the properties; every user has it"
            )));
        }
    }
    if let Some(role) = properties.get("role") {
        let problem = role.key_warning("`role` is built into User");
        out.push(problem.hint("remove it from the properties; every user has a role"));
    }
}

fn required(schema: &Node<'_>, out: &mut Vec<Diagnostic>) {
    schema.typed(
        "required",
        "an array of property names",
        Value::as_array,
        out,
    );
    let required = schema.get("required");
    for name in required.iter().flat_map(|required| required.items()) {
        if !name.value.is_string() {
            out.push(name.unexpected("the name of a property, as a string"));
        }
    }
}

/// In a property, `required: true` is a habit from older drafts of JSON Schema: it means nothing here, but harms nothing.
fn nested_required(property: &Node<'_>, out: &mut Vec<Diagnostic>) {
    match property.get("required") {
        Some(flag) if flag.value.is_boolean() => {
            let problem = flag.key_warning(format!("{} has no effect", flag.path()));
            out.push(problem.hint("list the property's name in `required` beside `properties`"));
        }
        Some(_) => required(property, out),
        None => {}
    }
}

fn warn_undeclared(schema: &Node<'_>, entity: &str, out: &mut Vec<Diagnostic>) {
    let declared = schema.value.get("properties");
    let required = schema.get("required");
    for item in required.iter().flat_map(|required| required.items()) {
        let Some(name) = item.value.as_str() else {
            continue;
        };
        let user_field = entity == "User" && USER_BUILT_IN.contains(&name);
        if !user_field
            && !is_built_in(name)
            && declared.is_none_or(|declared| declared.get(name).is_none())
        {
            let problem = item.warning(format!(
                "`{name}` is required but is not among the properties"
            ));
            out.push(problem.hint("declare it in `properties`, or take it out of `required`"));
        }
    }
}
