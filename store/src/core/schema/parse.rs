//! From a schema document to its compiled form. What cannot be understood is reported and, where that is safe, left out.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::field::{Field, Limits, Pattern, Type};
use crate::core::access::{EntityRules, FieldRules};

/// Levels of nested properties that are read; deeper ones are free-form.
const DEPTH: usize = 32;

/// What reading a document brings: its parts, and what is worth a word to the developer.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Fields of a record by name; `None` when the document declares none at all.
    pub fields: Option<IndexMap<String, Field>>,
    /// Names of required fields.
    pub required: Vec<String>,
    /// Who may do what.
    pub rules: EntityRules,
    /// What the document gets wrong without being useless.
    pub warnings: Vec<String>,
}

/// Reads a whole document.
///
/// # Errors
///
/// A sentence when it is no schema at all.
pub(super) fn document(document: &Value) -> Result<Parsed, String> {
    let Value::Object(document) = document else {
        return Err("a schema must be a JSON object".to_owned());
    };
    if document.contains_key("schema") && !document.contains_key("properties") {
        return Err(
            "the schema is wrapped in a key `schema`: move its content to the top level".to_owned(),
        );
    }
    let mut warnings = Vec::new();
    let fields = match document.get("properties") {
        None | Some(Value::Null) => None,
        Some(Value::Object(properties)) => Some(fields(properties, "", &mut warnings)?),
        Some(_) => return Err("`properties` must be an object".to_owned()),
    };
    let rules = EntityRules::parse(document.get("rls"), &mut |problem| warnings.push(problem));
    Ok(Parsed {
        required: names(document.get("required")),
        rules,
        fields,
        warnings,
    })
}

fn names(list: Option<&Value>) -> Vec<String> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    entries
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn fields(
    properties: &Map<String, Value>,
    parent: &str,
    warnings: &mut Vec<String>,
) -> Result<IndexMap<String, Field>, String> {
    let mut fields = IndexMap::with_capacity(properties.len());
    for (name, definition) in properties {
        let path = match parent {
            "" => name.clone(),
            _ => format!("{parent}.{name}"),
        };
        fields.insert(name.clone(), field(definition, &path, warnings)?);
    }
    Ok(fields)
}

fn field(definition: &Value, path: &str, warnings: &mut Vec<String>) -> Result<Field, String> {
    let Value::Object(definition) = definition else {
        return Err(format!("the definition of `{path}` must be an object"));
    };
    let deep = path.split('.').count() > DEPTH;
    let items = match definition.get("items") {
        Some(items @ Value::Object(_)) if !deep => Some(Box::new(field(items, path, warnings)?)),
        _ => None,
    };
    let properties = match definition.get("properties") {
        Some(Value::Object(properties)) if !deep => fields(properties, path, warnings)?,
        _ => IndexMap::new(),
    };
    Ok(Field {
        types: types(definition.get("type"), path, warnings),
        default: definition.get("default").cloned(),
        limits: limits(definition, path, warnings),
        items,
        properties,
        rules: field_rules(definition.get("rls"), path, warnings),
    })
}

fn types(value: Option<&Value>, path: &str, warnings: &mut Vec<String>) -> Vec<Type> {
    let names: Vec<&str> = match value {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let types: Vec<_> = names.into_iter().map(Type::parse).collect();
    for unknown in &types {
        if let Type::Unknown(name) = unknown {
            warnings.push(format!("`{path}` has the unknown type `{name}`"));
        }
    }
    types
}

fn limits(definition: &Map<String, Value>, path: &str, warnings: &mut Vec<String>) -> Limits {
    let number = |name| definition.get(name).and_then(Value::as_f64);
    let count = |name| definition.get(name).and_then(Value::as_u64);
    let text = |name| definition.get(name).and_then(Value::as_str);
    let values = definition.get("enum").and_then(Value::as_array);
    Limits {
        values: values.cloned().unwrap_or_default(),
        format: text("format").map(str::to_owned),
        pattern: text("pattern").and_then(|source| pattern(source, path, warnings)),
        min_length: count("minLength"),
        max_length: count("maxLength"),
        minimum: number("minimum"),
        maximum: number("maximum"),
    }
}

fn pattern(source: &str, path: &str, warnings: &mut Vec<String>) -> Option<Pattern> {
    match fancy_regex::Regex::new(source) {
        Ok(regex) => Some(Pattern {
            source: source.to_owned(),
            regex,
        }),
        Err(error) => {
            warnings.push(format!("the pattern of `{path}` is ignored: {error}"));
            None
        }
    }
}

fn field_rules(
    rules: Option<&Value>,
    path: &str,
    warnings: &mut Vec<String>,
) -> Option<FieldRules> {
    let mut report = |problem| warnings.push(format!("`{path}`: {problem}"));
    rules.map(|rules| FieldRules::parse(rules, &mut report))
}
