//! Documentation comments from what a schema says in words.

use serde_json::Value;

/// A comment of the schema's description and of the limits that a type cannot express; empty when there is nothing.
/// Each line begins with `indent`, and the last one ends with a line break.
pub(super) fn of(schema: &Value, indent: &str) -> String {
    let mut lines: Vec<String> = ["title", "description"]
        .iter()
        .filter_map(|key| schema[*key].as_str())
        .flat_map(str::lines)
        .map(tidy)
        .filter(|line| !line.is_empty())
        .collect();
    lines.dedup();
    lines.extend(limits(schema));
    lines.extend(default(schema));
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let body: String = lines
                .iter()
                .map(|line| format!("{indent} * {line}\n"))
                .collect();
            format!("{indent}/**\n{body}{indent} */\n")
        }
    }
}

fn limits(schema: &Value) -> Option<String> {
    let words = [
        ("format", "format", ""),
        ("pattern", "pattern", ""),
        ("minLength", "at least", " character"),
        ("maxLength", "at most", " character"),
        ("minimum", "at least", ""),
        ("maximum", "at most", ""),
    ];
    let mut limits: Vec<String> = words
        .iter()
        .filter_map(|(key, word, unit)| {
            let value = plain(schema.get(*key)?)?;
            let plural = !unit.is_empty() && value != "1";
            Some(format!(
                "{word} {value}{unit}{}",
                if plural { "s" } else { "" }
            ))
        })
        .collect();
    if schema["type"] == "integer" {
        limits.insert(0, "whole number".to_owned());
    }
    let mut text = limits.join(", ");
    let first = text.get_mut(..1)?;
    first.make_ascii_uppercase();
    Some(text)
}

fn default(schema: &Value) -> Option<String> {
    let default = schema.get("default")?;
    Some(format!("@default {}", tidy(&default.to_string())))
}

/// A string without quotes, or a number.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(tidy(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// On one line, and without what would end the comment.
fn tidy(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| {
            let breaks = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            if breaks { ' ' } else { c }
        })
        .collect();
    line.trim().replace("*/", "*\\/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn words_and_limits_are_kept_and_cannot_end_the_comment() {
        for (schema, comment) in [
            (json!({ "type": "string" }), ""),
            (json!({ "description": "Due" }), "  /** Due */\n"),
            (json!({ "format": "date" }), "  /** Format date */\n"),
            (
                json!({ "description": "One\r\n\ntwo */ three\u{2028}", "type": "integer", "minimum": 1, "default": "*/" }),
                "  /**\n   * One\n   * two *\\/ three\n   * Whole number, at least 1\n   * @default \"*\\/\"\n   */\n",
            ),
            (
                json!({ "title": "Same", "description": "Same" }),
                "  /** Same */\n",
            ),
            (
                json!({ "minLength": 1, "maxLength": 5, "description": 7 }),
                "  /** At least 1 character, at most 5 characters */\n",
            ),
        ] {
            assert_eq!(of(&schema, "  "), comment, "{schema}");
        }
    }
}
