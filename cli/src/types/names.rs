//! Names in TypeScript: interfaces of entities, keys of objects.

use std::collections::BTreeSet;

/// Declared by the SDK in the module that the registries go into; an interface of such a name would be lost there.
const TAKEN: [&str; 5] = [
    "EntityTypeRegistry",
    "FunctionNameRegistry",
    "AgentNameRegistry",
    "ActorNameRegistry",
    "ConnectorIntegrationTypeRegistry",
];

/// A name for the interface of each entity: the entity's in PascalCase, as the official tool has it, and numbered where
/// that is taken already.
pub(super) fn interfaces<'a>(entities: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken: BTreeSet<String> = TAKEN.map(str::to_owned).into();
    let mut unique = |wanted: String| {
        let numbered = (2..).map(|number: usize| format!("{wanted}{number}"));
        let mut candidates = std::iter::once(wanted.clone()).chain(numbered);
        let name = candidates.find(|name| taken.insert(name.clone()));
        name.unwrap_or(wanted)
    };
    entities.map(|entity| unique(pascal_case(entity))).collect()
}

fn pascal_case(name: &str) -> String {
    let mut pascal = String::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut chars = part.chars();
        pascal.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        pascal.push_str(chars.as_str());
    }
    if pascal.is_empty() {
        return "Entity".to_owned();
    }
    if pascal.starts_with(|c: char| c.is_ascii_digit()) {
        pascal.insert(0, '_');
    }
    pascal
}

/// A key of an object, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    let starts_well = name.starts_with(|c: char| is_plain(c) && !c.is_ascii_digit());
    if starts_well && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::{interfaces, key};

    #[test]
    fn interfaces_have_names_of_their_own() {
        let entities = [
            "Task",
            "order-item",
            "order_item",
            "OrderItem",
            "commerce.Order",
            "3d.model",
            "_._",
            "Record",
            "EntityTypeRegistry",
        ];
        assert_eq!(
            interfaces(entities.into_iter()),
            [
                "Task",
                "OrderItem",
                "OrderItem2",
                "OrderItem3",
                "CommerceOrder",
                "_3dModel",
                "Entity",
                "Record",
                "EntityTypeRegistry2",
            ]
        );
    }

    #[test]
    fn keys_are_quoted_where_they_must_be() {
        for (name, written) in [
            ("a_1$", "a_1$"),
            ("class", "class"),
            ("1a", "\"1a\""),
            ("a-b", "\"a-b\""),
            ("größe", "\"größe\""),
            ("", "\"\""),
            ("a\"b\\\n", r#""a\"b\\\n""#),
        ] {
            assert_eq!(key(name), written);
        }
    }
}
