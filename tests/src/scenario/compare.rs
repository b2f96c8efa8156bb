//! Whether an answer is what a scenario expects; pure.

use std::collections::BTreeMap;

use serde_json::Value;

/// The first place where `actual` is not what `expected` asks for, as a sentence; nothing where it is.
pub(super) fn difference(expected: &Value, actual: &Value) -> Option<String> {
    at("body", expected, Some(actual))
}

fn at(place: &str, expected: &Value, actual: Option<&Value>) -> Option<String> {
    let Some(actual) = actual else {
        return (expected.as_str() != Some("<absent>")).then(|| format!("{place} is missing"));
    };
    match (expected, actual) {
        (Value::String(text), _) if text.starts_with('<') && text.ends_with('>') => {
            (!stands_for(text, actual)).then(|| format!("{place} is {actual}, not {text}"))
        }
        (Value::Object(members), Value::Object(object)) => members
            .iter()
            .find_map(|(name, value)| at(&format!("{place}.{name}"), value, object.get(name))),
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            pairs.find_map(|(index, (expected, actual))| {
                at(&format!("{place}[{index}]"), expected, Some(actual))
            })
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        _ if expected == actual => None,
        _ => Some(format!("{place} is {actual}, not {expected}")),
    }
}

fn stands_for(pattern: &str, actual: &Value) -> bool {
    let text = actual.as_str();
    match pattern {
        "<any>" => true,
        "<string>" => text.is_some(),
        "<number>" => actual.is_number(),
        "<id>" => text.is_some_and(|text| text.len() >= 20 && !text.contains(char::is_whitespace)),
        "<time>" => text.is_some_and(is_time),
        _ => pattern
            .strip_prefix("<contains ")
            .and_then(|rest| rest.strip_suffix('>'))
            .is_some_and(|part| text.is_some_and(|text| text.contains(part))),
    }
}

/// `2026-01-02T03:04:05.678Z`
fn is_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00.000Z"
}

/// `value` with every `{name}` in its texts replaced. A text that is nothing but a name takes the value's own type.
pub(super) fn fill(value: &Value, known: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => known
            .iter()
            .find(|(name, _)| *text == format!("{{{name}}}"))
            .map_or_else(
                || Value::String(fill_text(text, known)),
                |(_, value)| value.clone(),
            ),
        Value::Array(items) => items.iter().map(|item| fill(item, known)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), fill(member, known)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// `text` with every `{name}` replaced.
pub(super) fn fill_text(text: &str, known: &BTreeMap<String, Value>) -> String {
    known.iter().fold(text.to_owned(), |text, (name, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &value)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{difference, fill};

    #[test]
    fn an_answer_has_what_is_expected_and_may_have_more() {
        for (expected, actual) in [
            (json!({ "a": 1 }), json!({ "a": 1.0, "b": 2 })),
            (json!([{ "a": "<string>" }]), json!([{ "a": "x", "b": 2 }])),
            (
                json!({ "a": "<absent>", "b": "<time>" }),
                json!({ "b": "2026-01-02T03:04:05.678Z" }),
            ),
            (json!("<contains at>"), json!("matter")),
            (json!({}), json!({ "a": null })),
        ] {
            assert_eq!(difference(&expected, &actual), None, "{expected}");
        }
    }

    #[test]
    fn the_first_difference_is_named_with_its_place() {
        for (expected, actual, place) in [
            (json!({ "a": { "b": 1 } }), json!({ "a": {} }), "body.a.b"),
            (json!([1, 2]), json!([1]), "body is [1]"),
            (json!([1, 2]), json!([2, 1]), "body[0]"),
            (
                json!({ "a": "<absent>" }),
                json!({ "a": null }),
                "body.a is null",
            ),
            (json!("<time>"), json!("2026-01-02"), "body is"),
            (json!({}), json!([]), "body is []"),
        ] {
            let found = difference(&expected, &actual).unwrap();
            assert!(found.starts_with(place), "{found}");
        }
    }

    #[test]
    fn a_name_alone_takes_the_values_type() {
        let known = BTreeMap::from([("n".to_owned(), json!(3))]);
        assert_eq!(
            fill(&json!({ "a": "{n}", "b": "x{n}" }), &known),
            json!({ "a": 3, "b": "x3" })
        );
    }
}
