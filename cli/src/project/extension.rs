//! A project entity that has the name of a plugin's entity extends it: it may add properties, and require those it added, and nothing else.

use serde_json::Value;

use super::diagnose::Diagnostic;
use super::node::Node;

/// Adds `extension` to the plugin's schema `base`, or reports everything it may not do and leaves `base` as it is.
/// True when it was added.
pub(super) fn merge(
    base: &mut Value,
    extension: &Node<'_>,
    name: &str,
    out: &mut Vec<Diagnostic>,
) -> bool {
    let mistakes = mistakes(base, extension, name);
    let mistaken = !mistakes.is_empty();
    out.extend(mistakes);
    if mistaken {
        return false;
    }
    if let (Some(base), Some(added)) = (
        base["properties"].as_object_mut(),
        extension.value["properties"].as_object(),
    ) {
        base.extend(added.clone());
    }
    let added = extension.value["required"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    match base.get_mut("required").and_then(Value::as_array_mut) {
        Some(required) => required.extend(added),
        None if added.is_empty() => {}
        None => base["required"] = Value::Array(added),
    }
    true
}

fn mistakes(base: &Value, extension: &Node<'_>, name: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for key in ["title", "description", "rls"] {
        if let Some(node) = extension.get(key) {
            let problem = node.key_error(format!(
                "`{name}` extends a plugin's entity and cannot override `{key}`"
            ));
            found.push(problem.hint(format!("remove `{key}`")));
        }
    }
    let properties = extension.get("properties");
    for (field, node) in properties
        .iter()
        .flat_map(|properties| properties.entries())
    {
        if base["properties"].get(field).is_some() {
            let problem =
                node.key_error(format!("the plugin already defines the property `{field}`"));
            found.push(problem.hint("give the added property another name"));
        }
    }
    let required = extension.get("required");
    for item in required.iter().flat_map(|required| required.items()) {
        let Some(field) = item.value.as_str() else {
            continue;
        };
        if extension.value["properties"].get(field).is_none() {
            let problem = item.error(format!(
                "an extension cannot require `{field}`, which it does not add"
            ));
            found.push(problem.expected("a property declared in this file"));
        }
    }
    found
}
