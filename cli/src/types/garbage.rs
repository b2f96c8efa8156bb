//! Schemas of any shape become declarations that a compiler can at least take apart: every bracket, string and comment
//! that is opened is closed, and every declaration of ours is where it belongs.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Named, declarations};
use crate::project::Resources;

const KEYS: [&str; 22] = [
    "type",
    "properties",
    "items",
    "required",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "nullable",
    "format",
    "title",
    "description",
    "default",
    "minimum",
    "maxLength",
    "pattern",
    "additionalProperties",
    "a",
    "a-b",
    "constructor",
];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => prop::sample::select(vec![
            "string", "number", "integer", "object", "array", "null", "#", "#/properties/a", "#/", "*/", "/*", "//", "\"", "`", "${",
            "\n}", "\u{2028}", "date-time", "\\",
        ]).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 32, 4, |inner| {
        let key = prop_oneof![4 => prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned), 1 => texts()];
        let members = prop::collection::vec((key, inner.clone()), 0..5);
        prop_oneof![
            3 => members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

/// The brackets outside of strings and comments; none when one of those is not closed.
fn brackets(text: &str) -> Option<String> {
    let mut found = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if rest.starts_with("//") {
            rest.find('\n')?
        } else if rest.starts_with("/*") {
            rest.find("*/")? + 2
        } else if first == '"' {
            let mut escaped = false;
            let close = rest.char_indices().skip(1).find(|(_, c)| {
                let closes = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                closes
            });
            let end = close?.0 + 1;
            if rest[..end].contains(['\n', '\r']) {
                return None;
            }
            end
        } else {
            if "{}[]()<>".contains(first) {
                found.push(first);
            }
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    Some(found)
}

fn is_balanced(text: &str) -> bool {
    let Some(brackets) = brackets(text) else {
        return false;
    };
    let mut open = Vec::new();
    for bracket in brackets.chars() {
        let opening = match bracket {
            '}' => '{',
            ']' => '[',
            ')' => '(',
            '>' => '<',
            bracket => {
                open.push(bracket);
                continue;
            }
        };
        if open.pop() != Some(opening) {
            return false;
        }
    }
    open.is_empty()
}

fn named(entities: Vec<(String, Value)>, names: Vec<String>) -> Named {
    Named {
        entities,
        functions: names.clone(),
        resources: Resources {
            agents: names.clone(),
            connectors: names.clone(),
            actors: names,
        },
    }
}

proptest! {
    #[test]
    fn prop_any_schema_becomes_text_that_is_balanced(
        entities in prop::collection::vec((prop_oneof![texts(), Just("User".to_owned())], schemas()), 1..3),
        names in prop::collection::vec(texts(), 0..3),
    ) {
        let count = entities.len();
        let text = declarations(&named(entities, names));
        prop_assert!(is_balanced(&text), "{text}");
        prop_assert_eq!(text.matches("\nexport interface ").count(), count, "{}", text);
    }
}

#[test]
fn deep_and_wide_schemas_are_declared_in_bounded_time() {
    let mut deep = json!({"type": "string"});
    for _ in 0..100 {
        deep = json!({"type": ["object", "array"], "properties": {"a": deep, "b": {"$ref": "#"}}});
    }
    let wide: Map<_, _> = (0..2_000)
        .map(|n| (format!("f{n}"), json!({"$ref": "#/properties/f0"})))
        .collect();
    let circle = json!({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"anyOf": [{"$ref": "#"}, {"$ref": "#/properties/a"}]}}});
    for schema in [deep, json!({"properties": wide}), circle] {
        let text = declarations(&named(vec![("Row".to_owned(), schema)], Vec::new()));
        assert!(is_balanced(&text));
    }
}
